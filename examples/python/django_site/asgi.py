"""POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health python serve.py django_site.asgi"""

import os

from django.core.asgi import get_asgi_application

from pomerium_jwt.django import protect_asgi

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_site.settings")
application = protect_asgi(get_asgi_application())  # the last line: from now on no request gets in unverified
