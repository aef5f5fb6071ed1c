"""For Flask: every request is verified before any code of the application runs.

    from flask import Flask
    from pomerium_jwt.flask import Pomerium, current_identity, require_group

    app = Flask(__name__)
    app.config["POMERIUM_JWT_ROUTE"] = "https://app.example.com"
    Pomerium(app)

    @app.get("/")
    def index():
        return f"Hello {current_identity.email}"

app.config takes POMERIUM_JWT_ and, in capitals, every option of the Verifier and of an integration (GateOptions).
Without an option of the Verifier there, the environment has them (Verifier.from_env).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.local import LocalProxy

from ._errors import invalid_options
from ._gate import Gate, Refusal
from ._native import Identity
from ._status import Health
from ._verifier import Verifier

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

__all__ = ["Pomerium", "Refusal", "current_identity", "public", "require_group", "require_user"]

_EXTENSION = "pomerium_jwt"
_VARIABLE = "pomerium"  # in the WSGI environment, as pomerium_jwt.wsgi has it
_PREFIX = "POMERIUM_JWT_"
_PUBLIC = "pomerium_jwt_public"

_View = TypeVar("_View", bound="Callable[..., Any]")
_Marked = TypeVar("_Marked", bound="Callable[..., Any] | Blueprint")


class Pomerium:
    """The extension: Pomerium(app), or Pomerium() and init_app(app) where applications are made by a factory.

    Raises OptionsError at once, so that a misconfigured application does not start.
    """

    def __init__(self, app: Flask | None = None, *, verifier: Verifier | None = None) -> None:
        self._verifier = verifier
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Protects this application. Reads app.config now; later changes have no effect."""
        names = (name for name in app.config if name.startswith(_PREFIX))
        options = {name[len(_PREFIX) :].lower(): app.config[name] for name in names}
        options.pop("library", None)  # where other languages find the shared library
        app.extensions[_EXTENSION] = Gate(self._verifier, options)
        # Before anything else of the application, so that all of it may use current_identity
        app.before_request_funcs.setdefault(None, []).insert(0, _admit)
        # After anything else
        app.after_request_funcs.setdefault(None, []).insert(0, _without_content)

    @property
    def verifier(self) -> Verifier:
        """That of the current application."""
        return _gate().verifier

    def health(self) -> Health:
        """For a health page of the current application: see Verifier.health."""
        return self.verifier.health()


def _identity() -> Identity | None:
    _gate()  # a question without the extension is a mistake, and not the answer None
    # Not flask.g: where an application context is there already, as in many tests, requests share it
    return cast("Identity | None", request.environ.get(_VARIABLE))


current_identity: Identity = cast(Identity, LocalProxy(_identity))
"""Who is calling. False, and without attributes, where a request passed without an identity."""


def public(view: _Marked) -> _Marked:
    """Marks a view or a whole blueprint: it needs no token, and none is looked at. Write it next to the function, below
    the route."""
    setattr(view, _PUBLIC, True)
    return view


def require_user(view: _View) -> _View:
    """Marks a view that nobody sees without being signed in: of use with the options optional and allow_anonymous."""
    return _checked(view, lambda gate: gate.check_user(_identity(), request.path))


def require_group(*groups: str) -> Callable[[_View], _View]:
    """Marks a view for users in one of these groups at least; for all others the answer is 403. No CORS preflight passes."""
    if not groups or not all(isinstance(group, str) for group in groups):
        raise invalid_options('require_group takes names of groups: @require_group("admins")')
    return lambda view: _checked(view, lambda gate: gate.check_group(_identity(), groups, request.path))


def _checked(view: _View, check: Callable[[Gate], object]) -> _View:
    @functools.wraps(view)
    def checked(*arguments: Any, **named: Any) -> Any:
        gate = _gate()
        try:
            check(gate)
        except Refusal as refusal:
            return _render(gate, refusal)
        return current_app.ensure_sync(view)(*arguments, **named)

    return cast(_View, checked)


def _admit() -> ResponseReturnValue | None:
    """Before each request: None lets it pass."""
    if _is_public():
        return None
    gate = _gate()
    try:
        token = request.headers.get(gate.header_name, "")
        request.environ[_VARIABLE] = gate.admit(token, request.path, preflight=_is_preflight())
    except Refusal as refusal:
        return _render(gate, refusal)
    return None


def _without_content(response: Response) -> Response:
    """Anybody can send a preflight. A view that takes any method answers it as any other request: of that, status and
    headers are sent."""
    if _is_preflight() and not _is_public():
        getattr(response.response, "close", lambda: None)()  # a file, a generator
        response.direct_passthrough = False
        response.set_data(b"")
    return response


def _is_public() -> bool:
    if request.endpoint is None:
        return False
    view = current_app.view_functions.get(request.endpoint)
    marked = [view, getattr(view, "view_class", None), *(current_app.blueprints[name] for name in request.blueprints)]
    return any(getattr(candidate, _PUBLIC, False) for candidate in marked)


def _is_preflight() -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _render(gate: Gate, refusal: Refusal) -> Response:
    if gate.error_handler is None:
        response = current_app.response_class(refusal.body, content_type="application/json")
    else:
        response = current_app.make_response(gate.error_handler(refusal))
    response.status_code = refusal.status
    response.headers.update(refusal.headers)
    return response


def _gate() -> Gate:
    try:
        return cast(Gate, current_app.extensions[_EXTENSION])
    except KeyError:
        raise RuntimeError("this application has no Pomerium(app), so nothing has been verified") from None
