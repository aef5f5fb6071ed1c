"""For FastAPI and Starlette: no request and no WebSocket reaches the application unverified.

    from fastapi import Depends, FastAPI
    from pomerium_jwt.fastapi import Pomerium, identity, require_group

    app = FastAPI()
    Pomerium(app)  # POMERIUM_JWT_ROUTE and so on are in the environment

It is added as the application's middleware, so unknown paths, /docs, mounts, static files and WebSockets are covered.
Middleware that is added later stands in front of it and sees requests that nobody has verified: add it before, all but
CORSMiddleware. What stands outside of the application (a Starlette around several) is covered by pomerium_jwt.asgi around
that. FastAPI's dependencies below only read the result: they verify nothing, and they let nobody in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import HTTPException, Security
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from . import _native, _scope
from ._errors import VerifyError
from ._integration import ErrorHandler, Integration, OnRefused, Refusal
from ._native import Identity, invalid_options
from ._option_types import Options
from ._status import Health
from ._typing import Unpack
from ._verifier import Verifier
from .asgi import POLICY_VIOLATION, Protected, refuse

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["Pomerium", "Refusal", "identity", "identity_or_none", "require_group", "require_user"]

_HEADER = "X-Pomerium-Jwt-Assertion"
_INTEGRATION = "pomerium_jwt.integration"


class Pomerium:
    """Protects an application of FastAPI or Starlette: Pomerium(app).

    Options are laid over those of the environment, option by option. Raises OptionsError at once, so that a
    misconfigured application does not start. The parameters are those of pomerium_jwt.asgi.Pomerium. root_path is that of
    FastAPI(root_path="/api"), if the application has one; the prefix of a mount around it is to be written here.
    """

    def __init__(
        self,
        app: Starlette,
        *,
        verifier: Verifier | None = None,
        error_handler: ErrorHandler | None = None,
        on_refused: OnRefused | None = None,
        root_path: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        if any(cast(object, middleware.cls) is _Middleware for middleware in app.user_middleware):
            raise invalid_options("this application has a Pomerium already: make one")
        self._integration = Integration(
            options, verifier=verifier, error_handler=error_handler, on_refused=on_refused, root_path=root_path
        )
        if root_path is None:
            self._integration.root_path = getattr(app, "root_path", "")
        app.add_middleware(_Middleware, integration=self._integration)
        app.add_exception_handler(_Refused, cast(Any, _answer))

    @property
    def verifier(self) -> Verifier:
        return self._integration.verifier

    def health(self) -> Health:
        """For a health page: see Verifier.health."""
        return self.verifier.health()


class _Middleware(Protected):
    """Tells the dependencies what to answer with."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope[_INTEGRATION] = self._integration
        await super().__call__(scope, receive, send)


class _Scheme(SecurityBase):
    """What the OpenAPI document says: Pomerium adds this header, so nobody can try it out with a token of their own."""

    def __init__(self) -> None:
        self.model = APIKey.model_validate(
            {"in": APIKeyIn.header, "name": _HEADER, "description": "Pomerium adds it to each request"}
        )
        self.scheme_name = "Pomerium"

    # As all dependencies here: FastAPI runs others in threads, of which slow views may have left none
    async def __call__(self, connection: HTTPConnection) -> HTTPConnection:
        if _INTEGRATION not in connection.scope or _scope.IDENTITY not in connection.scope:
            raise RuntimeError(
                "this request did not come through Pomerium(app) of pomerium_jwt.fastapi, so nothing has been verified"
            )
        return connection


_Verified = Annotated[HTTPConnection, Security(_Scheme())]


async def identity_or_none(connection: _Verified) -> Identity | None:
    """Who is calling; None if the request passed without an identity: Depends(identity_or_none)."""
    return _found(connection)


async def identity(connection: _Verified) -> Identity:
    """Who is calling: Depends(identity). A request that passed without an identity is refused; an anonymous one, which
    the option allow_anonymous lets in, is not."""
    found = _found(connection)
    return _demanded(connection, _native.require_user) if found is None else found


async def require_user(connection: _Verified) -> Identity:
    """Who is signed in: Depends(require_user). Anonymous requests and those without an identity are refused."""
    return _demanded(connection, _native.require_user)


def require_group(*groups: str) -> Callable[[HTTPConnection], Awaitable[Identity]]:
    """A user in at least one of these groups, also for a whole router: dependencies=[Depends(require_group("admins"))].
    All others get 403."""
    if not groups or not all(isinstance(group, str) for group in groups):
        raise invalid_options('require_group takes names of groups: Depends(require_group("admins"))')

    async def in_group(connection: _Verified) -> Identity:
        return _demanded(connection, lambda found: _native.require_group(found, *groups))

    return in_group


def _found(connection: HTTPConnection) -> Identity | None:
    found: Identity | None = connection.scope[_scope.IDENTITY]
    return found


def _demanded(connection: HTTPConnection, demand: Callable[[Identity | None], Identity]) -> Identity:
    try:
        return demand(_found(connection))
    except VerifyError as error:
        connection.scope[_INTEGRATION].refused(error, connection.scope["path"])
        raise _Refused(error) from None


class _Refused(HTTPException):
    """A refusal that a mounted application without a handler for it answers with the status and the code alone."""

    def __init__(self, error: VerifyError) -> None:
        headers = {name: value for name, value in error.headers.items() if name != "Content-Type"}
        super().__init__(error.status, detail=error.code, headers=headers)
        self.error = error


async def _answer(connection: HTTPConnection, refused: Exception) -> Response | None:
    assert isinstance(refused, _Refused)
    if isinstance(connection, WebSocket) and connection.application_state is WebSocketState.CONNECTED:
        await connection.close(POLICY_VIOLATION, refused.error.code)  # a dependency has accepted it already
        return None
    return _Answer(connection.scope[_INTEGRATION], refused.error)


class _Answer(Response):
    """A refusal, also of a WebSocket that a route has not accepted yet."""

    def __init__(self, integration: Integration, error: VerifyError) -> None:
        super().__init__(status_code=error.status)
        self._refusal = integration, error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await refuse(*self._refusal, scope, receive, send)
