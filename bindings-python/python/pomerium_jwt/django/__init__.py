"""For Django: no request reaches the project unverified, and who is calling is Django's user too, if you want.

    # wsgi.py
    from pomerium_jwt.django import protect_wsgi

    application = protect_wsgi(get_wsgi_application())

    # settings.py
    POMERIUM_JWT = {"exempt_paths": ["/health"]}  # laid over POMERIUM_JWT_ROUTE and so on of the environment
    INSTALLED_APPS += ["pomerium_jwt.django"]  # the system checks
    MIDDLEWARE += ["pomerium_jwt.django.middleware.PomeriumMiddleware"]  # request.pomerium

protect_wsgi and protect_asgi stand around everything, WhiteNoise and Channels included: what is put around them later
stands in front. `runserver` uses them if WSGI_APPLICATION or ASGI_APPLICATION names them. A request that did not come
through them, as in Django's test client, is verified by the middleware; without either nothing is verified.

middleware.PomeriumUserMiddleware, instead of PomeriumMiddleware and after AuthenticationMiddleware, signs users in by
backends.PomeriumBackend. Django REST framework: rest_framework.PomeriumAuthentication, which reads their result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import asgi, wsgi
from .._status import Health
from .._verifier import Verifier
from ._settings import configured, verified

__all__ = ["health", "protect_asgi", "protect_wsgi", "verified", "verifier"]


def protect_wsgi(application: Callable[..., Any]) -> Callable[..., Any]:
    """Around get_wsgi_application(), and whatever else is around that. Raises OptionsError."""
    return wsgi.Protected(application, configured().integration)


def protect_asgi(application: Callable[..., Any]) -> Callable[..., Any]:
    """Around get_asgi_application(), or around Channels's ProtocolTypeRouter, whose workers may use it too. Raises
    OptionsError."""
    return asgi.Protected(application, configured().integration, unverified=("channel",))


def verifier() -> Verifier:
    """The project's verifier."""
    return configured().integration.verifier


def health() -> Health:
    """For a health page: see Verifier.health."""
    return verifier().health()
