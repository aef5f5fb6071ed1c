"""Middleware for any WSGI application (PEP 3333): no request reaches the application unverified.

    from pomerium_jwt.wsgi import Pomerium

    application = Pomerium(application)  # POMERIUM_JWT_ROUTE and so on are in the environment

Make it the last middleware, around all mounts; only CORS middleware stands in front of it, so that a refusal has its
headers too. The application finds the identity in environ["pomerium"]. It is None if the request passed without one,
which the options `optional` and `exempt_paths` allow; pomerium_jwt.require_user and require_group demand one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Literal

from . import _environ
from ._errors import VerifyError
from ._integration import ErrorHandler, Integration, OnRefused, Refusal
from ._native import Identity, invalid_options
from ._option_types import Options
from ._status import Health
from ._typing import Unpack
from ._verifier import Verifier

__all__ = ["Pomerium", "Refusal"]

# As in PEP 3333. Those of typeshed and wsgiref.types are not there at run time in each version
_Environ = dict[str, Any]
_StartResponse = Callable[..., Any]
_Application = Callable[[_Environ, _StartResponse], Iterable[bytes]]


class Pomerium:
    """Lets verified requests pass to `application` and answers the others itself.

    Options are laid over those of the environment, option by option. Raises OptionsError at once, so that a
    misconfigured application does not start.

    verifier: one made before; then neither options nor the environment are read.
    error_handler: gives the content type and the body of a refusal.
    on_refused: called with code, message and path of each refusal; without it there is a warning in the log, at most
    one a second for each code.
    remote_user: "subject", "user" or "email", for applications that know REMOTE_USER only. That variable is then this
    field of the identity. A name is refused: users can change theirs, to anybody's. The variable is absent if nobody
    is signed in or the field is None, whatever the server says.
    """

    def __init__(
        self,
        application: _Application,
        *,
        verifier: Verifier | None = None,
        error_handler: ErrorHandler | None = None,
        on_refused: OnRefused | None = None,
        remote_user: Literal["subject", "user", "email"] | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._integration = Integration(options, verifier=verifier, error_handler=error_handler, on_refused=on_refused)
        if remote_user not in (None, "subject", "user", "email"):
            raise invalid_options("remote_user takes subject, user or email")
        self._protected = Protected(application, self._integration, remote_user)

    def __call__(self, environ: _Environ, start_response: _StartResponse) -> Iterable[bytes]:
        return self._protected(environ, start_response)

    @property
    def verifier(self) -> Verifier:
        return self._integration.verifier

    def health(self) -> Health:
        """For a health page: see Verifier.health."""
        return self.verifier.health()


class Protected:
    """An application, and the integration that stands in front of it."""

    def __init__(self, application: _Application, integration: Integration, remote_user: str | None = None) -> None:
        self._application = application
        self._integration = integration
        self._remote_user = remote_user

    def __call__(self, environ: _Environ, start_response: _StartResponse) -> Iterable[bytes]:
        try:
            identity = environ[_environ.IDENTITY] = _environ.admit(self._integration, environ)
        except VerifyError as error:
            return self._refuse(error, environ, start_response)
        environ[_environ.VERIFIED] = self._integration, identity
        if self._remote_user is not None:
            _set_remote_user(environ, identity, self._remote_user)
        return self._application(environ, start_response)

    def _refuse(self, error: VerifyError, environ: _Environ, start_response: _StartResponse) -> Iterable[bytes]:
        headers, body = self._integration.answer(error)
        start_response(f"{error.status} {HTTPStatus(error.status).phrase}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _set_remote_user(environ: _Environ, identity: Identity | None, field: str) -> None:
    for name in ("REMOTE_USER", "HTTP_REMOTE_USER"):  # the second is a header, which some take for the first
        environ.pop(name, None)
    value = getattr(identity, field) if identity is not None and identity.is_user else None
    if value is not None:
        environ["REMOTE_USER"] = value.encode().decode("latin-1")  # as PEP 3333 has all text
