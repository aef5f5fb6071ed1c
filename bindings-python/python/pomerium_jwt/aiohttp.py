"""For aiohttp's server: no request reaches a handler unverified.

    from aiohttp import web
    from pomerium_jwt.aiohttp import Pomerium

    app = web.Application()
    Pomerium(app)  # POMERIUM_JWT_ROUTE and so on are in the environment

It is the first middleware of the application, so unknown paths, static files, WebSockets and sub-applications are
covered. aiohttp runs two things before any middleware: its router, and the `expect_handler` of a route for requests with
the header Expect: give routes none of your own. Middleware that is inserted before it stands in front of it, and so does
an application that has this one as its sub-application: protect that one. What clones a request in front of it chooses
the path that `exempt_paths` is compared with.

A handler finds the identity in request[IDENTITY]. It is None if the request passed without one, which the options
`optional` and `exempt_paths` allow. A refusal that a handler raises is answered: require_group(request[IDENTITY], "a").
After response.prepare() it ends the connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from . import _environ
from ._errors import AccessDenied, TokenError, VerifyError
from ._integration import ErrorHandler, Facts, Integration, OnRefused, Refusal
from ._native import Identity, invalid_options, is_upgrade
from ._option_types import Options
from ._status import Health
from ._typing import Unpack
from ._verifier import Verifier

__all__ = ["IDENTITY", "Pomerium", "Refusal"]

if TYPE_CHECKING:
    IDENTITY: web.RequestKey[Identity | None]
    _STARTED: web.RequestKey[bool]
elif hasattr(web, "RequestKey"):
    IDENTITY = web.RequestKey("pomerium", Identity)
    _STARTED = web.RequestKey("pomerium_jwt.started", bool)
else:  # an older aiohttp
    IDENTITY = "pomerium"
    _STARTED = "pomerium_jwt.started"
"""Where a request has the identity: request[IDENTITY]."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pomerium:
    """Protects an application: Pomerium(app), before it runs.

    Options are laid over those of the environment, option by option. Raises OptionsError at once, so that a
    misconfigured application does not start. The parameters are those of pomerium_jwt.asgi.Pomerium.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        verifier: Verifier | None = None,
        error_handler: ErrorHandler | None = None,
        on_refused: OnRefused | None = None,
        **options: Unpack[Options],
    ) -> None:
        if any(getattr(middleware, "pomerium", False) for middleware in app.middlewares):
            raise invalid_options("this application has a Pomerium already: make one")
        self._integration = Integration(options, verifier=verifier, error_handler=error_handler, on_refused=on_refused)

        @web.middleware
        async def verified(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._answer(request, handler)

        verified.pomerium = True  # type: ignore[attr-defined]
        app.middlewares.insert(0, verified)
        app.on_response_prepare.append(_started)

    @property
    def verifier(self) -> Verifier:
        return self._integration.verifier

    def health(self) -> Health:
        """For a health page: see Verifier.health."""
        return self.verifier.health()

    async def _answer(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            request[IDENTITY] = await self._integration.admit_async(_facts(self._integration, request))
        except VerifyError as error:
            return self._refusal(error)
        try:
            return await handler(request)
        except (TokenError, AccessDenied) as error:  # a demand of this route
            self._integration.refused(error, request.path)
            if _STARTED in request:
                raise  # too late for another answer: aiohttp closes the connection
            return self._refusal(error)

    def _refusal(self, error: VerifyError) -> web.Response:
        headers, body = self._integration.answer(error)
        return web.Response(status=error.status, headers=headers, body=body)


async def _started(request: web.Request, response: web.StreamResponse) -> None:
    request[_STARTED] = True


def _facts(integration: Integration, request: web.Request) -> Facts:
    token = ",".join(request.headers.getall(integration.header_name, ()))
    upgrade = is_upgrade(",".join(request.headers.getall("Upgrade", ())))
    return Facts(token, _sent_path(request), upgrade, request.path)


def _sent_path(request: web.Request) -> str:
    """The path as the client sent it; "" if the router took another, as after Request.clone."""
    sent = _environ.path_of(request.raw_path)
    return sent if request.method != "CONNECT" and sent == request.rel_url.raw_path else ""
