"""What Django's views see: request.pomerium, and request.user."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

from .._errors import AccessDenied, TokenError, VerifyError
from .._native import Identity
from ._settings import SIGNED_IN, admit, admit_async, configured, verified

_STATE = "pomerium_jwt"


class PomeriumMiddleware:
    """Attaches the identity: request.pomerium, None for a request that passed without one.

    It reads what protect_wsgi or protect_asgi has verified. If neither stands in front, as in Django's test client, it
    verifies the request itself, and answers what middleware before it lets through only. Responses vary on the token's
    header, and are private if somebody is identified, unless a view says `public`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        configured()

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self._is_async:
            return self._in_async(request)
        try:
            try:
                identity = verified(request)
            except LookupError:
                identity = admit(request)
        except VerifyError as error:
            return _refusal(error)
        self.attach(request, identity)
        return _for_caches(self.get_response(request), identity)

    async def _in_async(self, request: HttpRequest) -> HttpResponse:
        try:
            try:
                identity = verified(request)
            except LookupError:
                identity = await admit_async(request)
        except VerifyError as error:
            return _refusal(error)
        await self.attach_async(request, identity)
        return _for_caches(await self.get_response(request), identity)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A demand of a view, such as require_group(request.pomerium, "admins"), is answered as any refusal."""
        if not isinstance(error, (TokenError, AccessDenied)):
            return None
        configured().integration.refused(error, request.path)
        return _refusal(error)

    def attach(self, request: HttpRequest, identity: Identity | None) -> None:
        request.pomerium = identity

    async def attach_async(self, request: HttpRequest, identity: Identity | None) -> None:
        self.attach(request, identity)


class PomeriumUserMiddleware(PomeriumMiddleware):
    """Attaches the identity, and signs its user in: request.user is who Pomerium says, on every request.

    It belongs after AuthenticationMiddleware, and AUTHENTICATION_BACKENDS names PomeriumBackend. A session that belongs
    to somebody else ends, and none is opened for a request without a session's cookie that does not ask for HTML. A
    request without a signed-in user has AnonymousUser, whatever its session says.
    """

    def attach(self, request: HttpRequest, identity: Identity | None) -> None:
        super().attach(request, identity)
        if not hasattr(request, "user") or not hasattr(request, "session"):
            raise ImproperlyConfigured(
                "PomeriumUserMiddleware belongs after SessionMiddleware and AuthenticationMiddleware in MIDDLEWARE"
            )
        user = _user(request, identity)

        async def auser() -> Any:
            return user

        request.user = user
        request.auser = auser
        if user.is_authenticated:
            setattr(request, SIGNED_IN, user)

    async def attach_async(self, request: HttpRequest, identity: Identity | None) -> None:
        await sync_to_async(self.attach)(request, identity)


def _for_caches(response: HttpResponse, identity: Identity | None) -> HttpResponse:
    """Without it a cache, such as that of UpdateCacheMiddleware, would give one user's page to another."""
    patch_vary_headers(response, [configured().integration.header_name])
    said = response.get("Cache-Control", "")
    if identity is not None and "public" not in said and "no-store" not in said:
        patch_cache_control(response, private=True)
    return response


def _user(request: Any, identity: Identity | None) -> Any:
    from django.conf import settings
    from django.contrib import auth
    from django.contrib.auth.models import AnonymousUser

    from .backends import authenticate, has_the_rights

    if identity is None or not identity.is_user:
        return AnonymousUser()
    session = request.session
    user = auth.get_user(request)
    signed_in = user if user.is_authenticated and session.get(_STATE) == _state(identity, user) else None
    if signed_in is not None and has_the_rights(signed_in, identity):
        return signed_in
    user = authenticate(request, identity)
    if user is None:
        if auth.SESSION_KEY in session:
            auth.logout(request)
        return AnonymousUser()
    if user == signed_in:
        return user
    # A session may also have come by a header
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES or auth.SESSION_KEY in session
    if has_session or "text/html" in request.headers.get("Accept", ""):
        auth.login(request, user)  # a session of somebody else is emptied; each gets another key
        session[_STATE] = _state(identity, user)
    return user


def _state(identity: Identity, user: Any) -> str:
    """What a session says about whose it is. It changes with whatever the account is made of, which is then
    synchronised, but neither with the order of groups nor with that of sets, which differs among processes."""
    from .backends import groups_of

    accounts = configured().accounts
    names = (accounts.username_claim, accounts.email_claim, accounts.name_claim)
    claims = [identity.claims.get(name) for name in names]
    facts = [identity.subject, str(user.pk), vars(accounts), claims, groups_of(identity, accounts)]
    return hashlib.sha256(json.dumps(facts, default=_ordered, sort_keys=True).encode()).hexdigest()


def _ordered(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else sorted(value)


def _refusal(error: VerifyError) -> HttpResponse:
    headers, body = configured().integration.answer(error)
    return HttpResponse(body, status=error.status, headers=headers)
