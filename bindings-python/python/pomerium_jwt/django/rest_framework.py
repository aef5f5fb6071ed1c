"""For Django REST framework: DEFAULT_AUTHENTICATION_CLASSES names PomeriumAuthentication."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied

from .._native import Identity
from ._settings import SIGNED_IN, verified
from .backends import authenticate

_BROWSERS = ("HTTP_COOKIE", "HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE")


class PomeriumAuthentication(SessionAuthentication):
    """Who Pomerium says; request.auth is the identity. It verifies nothing: PomeriumMiddleware or protect_wsgi has.

    Without a user a permission that wants one answers 401, and 403 to a user for whom that is not enough. Somebody without
    an account, or with one that is not active, gets 403. A request of a browser needs Django's CSRF token, because
    Pomerium's session is a cookie; programs that send none of Cookie, Origin and Sec-Fetch-Site need none.
    """

    def authenticate(self, request: Any) -> tuple[Any, Identity] | None:
        identity = verified(request._request)
        if identity is None or not identity.is_user:
            return None
        user = getattr(request._request, SIGNED_IN, None) or authenticate(request._request, identity)
        if user is None:
            raise PermissionDenied("no active account", code="no_account")
        if any(request.META.get(name) for name in _BROWSERS):
            self.enforce_csrf(request)
        return user, identity

    def authenticate_header(self, request: Any) -> str:
        return 'Bearer error="invalid_token"'
