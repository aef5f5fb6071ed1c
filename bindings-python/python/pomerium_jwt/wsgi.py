"""Middleware for any WSGI application (PEP 3333).

    from pomerium_jwt.wsgi import Pomerium

    application = Pomerium(application, route="https://app.example.com")

The application finds the identity in environ["pomerium"]; it is None where a request passes without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ._gate import Gate, GateOptions, Refusal
from ._options import Options
from ._status import Health
from ._verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from typing_extensions import Unpack

__all__ = ["Pomerium", "Refusal"]

_REASON = {401: "Unauthorized", 403: "Forbidden", 500: "Internal Server Error", 503: "Service Unavailable"}


class WsgiOptions(Options, GateOptions, total=False):
    """What Pomerium takes: the options of the Verifier and those of an integration.

    error_handler gives the content type and the body, bytes, of a refusal.
    """


class Pomerium:
    """Lets verified requests pass to `application` and answers the others itself.

    Without options of a Verifier, and without a verifier of your own, the environment has them (Verifier.from_env).
    Raises OptionsError at once, so that a misconfigured application does not start.
    """

    def __init__(
        self, application: WSGIApplication, *, verifier: Verifier | None = None, **options: Unpack[WsgiOptions]
    ) -> None:
        self._application = application
        self._gate = Gate(verifier, options)
        self._variable = "HTTP_" + self._gate.header_name.upper().replace("-", "_")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        preflight = environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        # PEP 3333: the bytes of the path, each as one character
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
        try:
            environ["pomerium"] = self._gate.admit(environ.get(self._variable, ""), path, preflight=preflight)
        except Refusal as refusal:
            return self._render(refusal, environ, start_response)
        if preflight:
            return _without_content(self._application, environ, start_response)
        return self._application(environ, start_response)

    @property
    def verifier(self) -> Verifier:
        return self._gate.verifier

    def health(self) -> Health:
        """For a health page: see Verifier.health."""
        return self.verifier.health()

    def _render(self, refusal: Refusal, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        content_type, body = "application/json", refusal.body
        if self._gate.error_handler is not None:
            content_type, body = self._gate.error_handler(refusal)
        headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **refusal.headers}
        start_response(f"{refusal.status} {_REASON[refusal.status]}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _without_content(
    application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Anybody can send a preflight. An application that looks at no method answers it as any other request: of that,
    status and headers are sent."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, kept, exc_info)
        return lambda content: None

    contents = application(environ, start)
    try:
        next(iter(contents), None)  # some applications start only here, and some answers have no end
    finally:
        getattr(contents, "close", lambda: None)()
    return []
