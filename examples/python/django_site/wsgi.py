"""POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health gunicorn django_site.wsgi"""

import os

from django.core.wsgi import get_wsgi_application

from pomerium_jwt.django import protect_wsgi

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_site.settings")
application = protect_wsgi(get_wsgi_application())  # the last line: from now on no request gets in unverified
