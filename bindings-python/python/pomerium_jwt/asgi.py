"""Middleware for any ASGI application: no request and no WebSocket reaches it unverified.

    from pomerium_jwt.asgi import Pomerium

    application = Pomerium(application)  # POMERIUM_JWT_ROUTE and so on are in the environment

Make it the last middleware, around all mounts; only CORS middleware stands in front of it, so that a refusal has its
headers too. What is called without it, such as an inner application that a server imports by its own name, is not
covered. The application finds the identity in scope["pomerium"]. It is None if the request passed without one, which the
options `optional` and `exempt_paths` allow; pomerium_jwt.require_user and require_group demand one.

A refused WebSocket gets an HTTP response if the server can send one, and is closed with code 1008 otherwise. It is
verified when it opens: compare identity.expires_at if it is long. FastAPI and Starlette: pomerium_jwt.fastapi. Django:
pomerium_jwt.django. asyncio and trio wait for keys without blocking the event loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from . import _scope
from ._errors import VerifyError
from ._integration import ErrorHandler, Integration, OnRefused, Refusal
from ._option_types import Options
from ._status import Health
from ._typing import Unpack
from ._verifier import Verifier

__all__ = ["Pomerium", "Refusal"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_Application = Callable[[_Message, _Receive, _Send], Awaitable[None]]

POLICY_VIOLATION = 1008


class Pomerium:
    """Lets verified requests pass to `application` and answers the others itself.

    Options are laid over those of the environment, option by option. Raises OptionsError at once, so that a
    misconfigured application does not start.

    verifier: one made before; then neither options nor the environment are read.
    error_handler: gives the content type and the body of a refusal.
    on_refused: called with code, message and path of each refusal; without it there is a warning in the log, at most
    one a second for each code.
    root_path: the prefix that the server is told (`--root-path`), such as "/api". It is part of the path that
    exempt_paths compares. If a request has any other root_path it is not exempt: clients can choose Daphne's.
    """

    def __init__(
        self,
        application: _Application,
        *,
        verifier: Verifier | None = None,
        error_handler: ErrorHandler | None = None,
        on_refused: OnRefused | None = None,
        root_path: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        integration = Integration(
            options, verifier=verifier, error_handler=error_handler, on_refused=on_refused, root_path=root_path
        )
        self._protected = Protected(application, integration)
        self._integration = integration

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        await self._protected(scope, receive, send)

    @property
    def verifier(self) -> Verifier:
        return self._integration.verifier

    def health(self) -> Health:
        """For a health page: see Verifier.health."""
        return self.verifier.health()


class Protected:
    """An application, and the integration that stands in front of it."""

    def __init__(self, app: _Application, integration: Integration, unverified: tuple[str, ...] = ()) -> None:
        """unverified: types of scopes that are not of a client, in addition to `lifespan`."""
        self._application = app
        self._integration = integration
        self._unverified = ("lifespan", *unverified)

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] in ("http", "websocket"):
            try:
                identity = await _scope.admit_async(self._integration, scope)
            except VerifyError as error:
                await refuse(self._integration, error, scope, receive, send)
                return
            # In the server's own scope: tracing in front reads there what the router adds later
            scope[_scope.IDENTITY] = identity
            scope[_scope.VERIFIED] = self._integration, identity
        elif scope["type"] not in self._unverified:
            raise RuntimeError(f"pomerium_jwt.asgi cannot verify a scope of type {scope['type']!r}")
        await self._application(scope, receive, send)


async def refuse(integration: Integration, error: VerifyError, scope: _Message, receive: _Receive, send: _Send) -> None:
    """Answers a request, or a WebSocket that is not open yet."""
    headers, body = integration.answer(error)
    prefix = "http.response"
    if scope["type"] == "websocket":
        await receive()  # websocket.connect, or that the client has left
        prefix = "websocket.http.response"
        if prefix not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": error.code})
            return
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": f"{prefix}.start", "status": error.status, "headers": raw})
    await send({"type": f"{prefix}.body", "body": b"" if scope.get("method") == "HEAD" else body})
