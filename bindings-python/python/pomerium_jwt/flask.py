"""For Flask: no request reaches the application unverified.

    from flask import Flask
    from pomerium_jwt.flask import Pomerium, current_identity, require_group

    app = Flask(__name__)
    Pomerium(app)  # POMERIUM_JWT_ROUTE and so on are in app.config or in the environment

It stands around app.wsgi_app, so unknown paths, static files, converters and anything mounted in app.wsgi_app are
covered. What is wrapped around app.wsgi_app later stands in front of it, and so does Flask-SocketIO if it comes later:
call `Pomerium(app)` after `SocketIO(app)`. What stands outside of the application (a DispatcherMiddleware around it) is
covered by pomerium_jwt.wsgi.Pomerium around that.

A request passes without an identity only by the options `exempt_paths` and `optional`: `if current_identity` asks, and
any attribute raises.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, request
from flask.ctx import RequestContext
from flask.sessions import NullSession, SecureCookieSession
from werkzeug.local import LocalProxy

from . import _environ, _native
from ._errors import VerifyError
from ._integration import Integration, OnRefused, Refusal, log
from ._native import Identity, invalid_options
from ._status import Health
from ._verifier import Verifier

__all__ = ["Pomerium", "Refusal", "current_identity", "require_group", "require_user"]

_EXTENSION = "pomerium_jwt"
_PREFIX = "POMERIUM_JWT_"

_View = TypeVar("_View", bound="Callable[..., Any]")


class Pomerium:
    """The extension: Pomerium(app), or Pomerium() and init_app(app) if applications are made by a factory.

    app.config takes POMERIUM_JWT_ and the name of any option of the Verifier in capitals; it is laid over the
    environment, option by option. Raises OptionsError at once, so that a misconfigured application does not start.

    verifier: one made before; then neither app.config nor the environment is read.
    error_handler: renders a refusal, as a view would; status and headers stay what they are.
    on_refused: called with code, message and path of each refusal; without it there is a warning in the log, at most
    one a second for each code.
    answer_preflight: answer CORS preflights with an empty 204, to which after_request hooks such as flask-cors's add
    their headers; the application never sees them. Without it a preflight is refused as any request without a token.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        verifier: Verifier | None = None,
        error_handler: Callable[[Refusal], Any] | None = None,
        on_refused: OnRefused | None = None,
        answer_preflight: bool = False,
    ) -> None:
        self._given: dict[str, Any] = {
            "verifier": verifier,
            "error_handler": error_handler,
            "on_refused": on_refused,
        }
        self._answer_preflight = answer_preflight
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Protects this application. Reads app.config now; later changes have no effect."""
        if _EXTENSION in app.extensions:
            raise invalid_options("this application has a Pomerium already: make one")
        names = (name for name in app.config if name.startswith(_PREFIX))
        options = {name[len(_PREFIX) :].lower(): app.config[name] for name in names}
        protected = _Protected(app, Integration(options, **self._given), self._answer_preflight)
        app.extensions[_EXTENSION] = protected
        app.wsgi_app = protected  # type: ignore[method-assign]
        _teach_json(app)

    @property
    def verifier(self) -> Verifier:
        """That of the current application."""
        return _protected().integration.verifier

    def health(self) -> Health:
        """For a health page of the current application: see Verifier.health."""
        return self.verifier.health()


class _Protected:
    """An application's wsgi_app, and what stands in front of it."""

    def __init__(self, app: Flask, integration: Integration, answer_preflight: bool) -> None:
        self.integration = integration
        self._app = app
        self._inner = app.wsgi_app
        self._answer_preflight = answer_preflight
        self._looked = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self._looked:
            self._look_in_front()
        if self._answer_preflight and _is_preflight(environ):
            return self._answer(environ, _no_content)(environ, start_response)
        try:
            environ[_environ.IDENTITY] = _environ.admit(self.integration, environ)
        except VerifyError as error:
            refusal = error  # its own name ends with this block
            return self._answer(environ, lambda: self.response(refusal), refusal)(environ, start_response)
        return self._inner(environ, start_response)

    def response(self, error: VerifyError) -> Response:
        """What a refused request is told."""
        rendered = self.integration.handled(error, self._app.make_response)
        return _as_refused(rendered or self._app.response_class(error.body, mimetype="application/json"), error)

    def _answer(
        self, environ: dict[str, Any], make: Callable[[], Response], refusal: VerifyError | None = None
    ) -> Response:
        """A response with what the application's after_request hooks add to it. Nothing is matched: converters and url
        preprocessors are the application's code. Hooks that fail change nothing, and none can let anybody in."""
        try:
            context = RequestContext(self._app, environ, session=_Unsaved())
            adapter, context.url_adapter = context.url_adapter, None
            with context:
                context.url_adapter = adapter  # for url_for in an error_handler
                response = self._app.process_response(make())
        except Exception:  # noqa: BLE001 - hooks are the application's code
            log.exception("an after_request hook failed, so a response goes out without it")
            response = make() if refusal is None else Response(refusal.body, mimetype="application/json")
        return response if refusal is None else _as_refused(response, refusal)

    def _look_in_front(self) -> None:
        """Says once what has been wrapped around the application after Pomerium."""
        self._looked = True
        if self._app.wsgi_app is not self:
            log.warning(
                "%s was put around app.wsgi_app after Pomerium(app): what it answers by itself is not verified; "
                "call Pomerium(app) last",
                type(self._app.wsgi_app).__qualname__,
            )


# The session of a refused request: hooks may write to it, and nothing is read from a store or written to one
_WRITING = ("__setitem__", "__delitem__", "clear", "pop", "popitem", "update", "setdefault")
_Unsaved = type("_Unsaved", (NullSession,), {name: getattr(SecureCookieSession, name) for name in _WRITING})


def _as_refused(response: Response, error: VerifyError) -> Response:
    """Status and headers are the core's; no handler or hook changes them."""
    response.status_code = error.status
    response.headers.update({name: value for name, value in error.headers.items() if name != "Content-Type"})
    return response


def _no_content() -> Response:
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def _is_preflight(environ: dict[str, Any]) -> bool:
    asked = "HTTP_ORIGIN" in environ and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    return asked and environ["REQUEST_METHOD"] == "OPTIONS"


def _identity() -> Identity:
    identity = _identity_or_none()
    if identity is None:
        raise RuntimeError(
            "this request passed without an identity (exempt_paths, optional): ask `if current_identity`, or demand one "
            "with @require_user"
        )
    return identity


def _identity_or_none() -> Identity | None:
    _protected()
    # Not flask.g: if an application context is there already, as in many tests, requests share it
    try:
        return cast("Identity | None", request.environ[_environ.IDENTITY])
    except KeyError:
        raise LookupError("this request did not come through Pomerium(app), so nothing has been verified") from None


current_identity: Identity = cast(Identity, LocalProxy(_identity))
"""Who is calling. If the request passed without an identity it is false, and any attribute raises RuntimeError."""


def require_user(view: _View) -> _View:
    """A view that nobody sees without being signed in: of use with the options optional, exempt_paths and
    allow_anonymous. Write it next to the function, below the route."""
    return _demanding(view, _native.require_user)


def require_group(*groups: str) -> Callable[[_View], _View]:
    """A view for users in at least one of these groups; for all others the answer is 403. Write it next to the function,
    below the route. For a blueprint: blueprint.before_request(require_group("admins")(lambda: None))."""
    if not groups or not all(isinstance(group, str) for group in groups):
        raise invalid_options('require_group takes names of groups: @require_group("admins")')
    return lambda view: _demanding(view, lambda identity: _native.require_group(identity, *groups))


def _demanding(view: _View, demand: Callable[[Identity | None], object]) -> _View:
    @functools.wraps(view)
    def checked(*arguments: Any, **named: Any) -> Any:
        protected = _protected()
        try:
            demand(_identity_or_none())
        except VerifyError as error:
            protected.integration.refused(error, _environ.shown_path(request.environ))
            return protected.response(error)
        return current_app.ensure_sync(view)(*arguments, **named)

    return cast(_View, checked)


def _protected() -> _Protected:
    try:
        return cast(_Protected, current_app.extensions[_EXTENSION])
    except KeyError:
        raise LookupError("this application has no Pomerium(app), so nothing has been verified") from None


def _teach_json(app: Flask) -> None:
    """jsonify(current_identity) gives the typed fields, and null for a request that passed without an identity."""
    default = getattr(app.json, "default", None)
    if default is None:
        return  # a provider of the application's own

    def with_identities(value: Any) -> Any:
        if value is current_identity:
            value = _identity_or_none()
            return None if value is None else value.to_dict()
        return value.to_dict() if isinstance(value, Identity) else default(value)

    app.json.default = with_identities  # type: ignore[attr-defined]
