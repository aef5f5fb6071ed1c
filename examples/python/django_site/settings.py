"""The settings of a Django project behind Pomerium. The environment says which one: POMERIUM_JWT_ROUTE."""

import os

from django.core.management.utils import get_random_secret_key

SECRET_KEY = os.environ.get("SECRET_KEY") or get_random_secret_key()  # give it one, or sessions end with each process
ALLOWED_HOSTS = ["*"]
APPEND_SLASH = False
ROOT_URLCONF = "django_site.urls"
WSGI_APPLICATION = "django_site.wsgi.application"
INSTALLED_APPS = ["pomerium_jwt.django"]  # the system checks
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "pomerium_jwt.django.middleware.PomeriumMiddleware",  # request.pomerium
]
POMERIUM_JWT = {}  # options here are laid over those of the environment
LOGGING = {  # the start line, and a warning for each kind of refusal
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"pomerium_jwt": {"level": "INFO", "handlers": ["console"]}},
}
