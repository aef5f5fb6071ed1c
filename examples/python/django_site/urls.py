"""What an example application offers."""

from django.http import JsonResponse
from django.urls import path, re_path

from pomerium_jwt import require_group
from pomerium_jwt.django import health


def index(request):
    return shown(request, lambda: request.pomerium and request.pomerium.to_dict())


def admin(request):
    return shown(request, lambda: require_group(request.pomerium, "admins").to_dict())


def healthy(request):
    return shown(request, health)


def anything_else(request, _=None):
    return JsonResponse({"reached": True, "subject": request.pomerium and request.pomerium.subject})


def shown(request, content):
    return JsonResponse(content(), safe=False) if request.method in ("GET", "HEAD") else anything_else(request)


urlpatterns = [path("", index), path("admin", admin), path("health", healthy), re_path("(?s).*", anything_else)]
