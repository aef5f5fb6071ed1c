"""A Django project for the tests of Django, with accounts, the admin and Django REST framework; and what they share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import django
import pytest
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path

from pomerium_jwt import require_group
from pomerium_jwt.testing import TestIssuer

ISSUER = TestIssuer()
FOLDER = tempfile.TemporaryDirectory()
USER_MIDDLEWARE = "pomerium_jwt.django.middleware.PomeriumUserMiddleware"
BACKEND = "pomerium_jwt.django.backends.PomeriumBackend"

settings.configure(
    SECRET_KEY="test",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    STATIC_URL="/static/",
    USE_TZ=True,
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    # In a file: asynchronous views use the database in other threads
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{FOLDER.name}/db.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "rest_framework",
        "pomerium_jwt.django",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        USER_MIDDLEWARE,
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend", BACKEND],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    POMERIUM_JWT={
        **ISSUER.options,
        "exempt_paths": ["/open"],
        "staff_groups": ["staff"],
        "superuser_groups": ["owners"],
        "sync_groups": True,
        "group_map": {"writers@example.com": "editors"},
        "default_groups": ["everybody"],
    },
)
django.setup()

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connections
from django.test.utils import override_settings
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.response import Response

from pomerium_jwt.django.rest_framework import PomeriumAuthentication


def who(request: HttpRequest) -> JsonResponse:
    pomerium: Any = request.pomerium
    return JsonResponse({"subject": pomerium and pomerium.subject, "user": request.user.get_username()})


async def who_async(request: HttpRequest) -> JsonResponse:
    user = await request.auser() if hasattr(request, "auser") else request.user
    return JsonResponse({"subject": request.pomerium.subject, "user": user.get_username()})


def owners(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"subject": require_group(request.pomerium, "owners").subject})


def api(*permissions: type) -> Any:
    @api_view(["GET", "POST"])
    @authentication_classes([PomeriumAuthentication])
    @permission_classes(permissions)
    def view(request: Any) -> Response:
        return Response({"user": request.user.get_username(), "email": request.auth and request.auth.email})

    return view


urlpatterns = [
    path("", who),
    path("me", lambda request: JsonResponse({"subject": request.pomerium.subject})),
    path("public", lambda request: JsonResponse({}, headers={"Cache-Control": "public"})),
    path("open", who),
    path("async", who_async),
    path("owners", owners),
    path("admin/", admin.site.urls),
    path("api", api(IsAuthenticated)),
    path("api/admin", api(IsAdminUser)),
]


@pytest.fixture(scope="module", autouse=True)
def _database() -> Iterator[None]:
    call_command("migrate", verbosity=0)
    yield
    connections.close_all()


@pytest.fixture(autouse=True)
def _empty() -> None:
    for model in (User, Group, Session):
        model.objects.all().delete()
    for name in ("everybody", "editors", "secret"):
        Group.objects.create(name=name)


def token(sub: str = "alice", **claims: Any) -> dict[str, Any]:
    return {"HTTP_X_POMERIUM_JWT_ASSERTION": ISSUER.token(sub, **claims)}


def configured(**changes: Any) -> Any:
    return override_settings(POMERIUM_JWT={**settings.POMERIUM_JWT, **changes})
