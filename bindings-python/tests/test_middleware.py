"""What users put before and after: compression, sessions, CORS, method override, Flask-SocketIO, mounts; each in both orders, and
a request refused, passed, verified and upgraded with each."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from conftest import PatientIssuer
from flask import Flask, jsonify, session
from flask_compress import Compress
from flask_cors import CORS
from flask_socketio import SocketIO
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from pomerium_jwt.flask import Pomerium, current_identity
from pomerium_jwt.wsgi import Pomerium as WsgiPomerium

ISSUER = PatientIssuer()
REFUSED = {"error": "token_missing"}
ORIGIN = "https://front.example.com"
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "DELETE"}


class MethodOverride:
    """As in Flask's documentation."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        environ["REQUEST_METHOD"] = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", environ["REQUEST_METHOD"]).upper()
        return self.app(environ, start_response)


class Sessions:
    """Flask's own, with a hook that writes to them in every response."""

    def __init__(self, app: Flask) -> None:
        app.secret_key = "for tests"
        app.config["SESSION_REFRESH_EACH_REQUEST"] = True

        @app.after_request
        def count(response: Any) -> Any:
            session["answers"] = session.get("answers", 0) + 1
            return response


def override(app: Flask) -> None:
    app.wsgi_app = MethodOverride(app.wsgi_app)  # type: ignore[method-assign]


def proxy_fix(app: Flask) -> None:
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]


def cors(app: Flask) -> None:
    CORS(app, origins=[ORIGIN], methods=["DELETE"], allow_headers=["Authorization"])


def compress(app: Flask) -> None:
    app.config["COMPRESS_MIN_SIZE"] = 1
    Compress(app)


NEIGHBOURS: dict[str, Callable[[Flask], object]] = {
    "compress": compress,
    "sessions": Sessions,
    "cors": cors,
    "override": override,
    "proxy_fix": proxy_fix,
    "socketio": lambda app: SocketIO(app, async_mode="threading"),
}


def application(order: list[Callable[[Flask], object]], **config: Any) -> tuple[Flask, list[str]]:
    app, reached = Flask(__name__), list[str]()
    app.config.update(ISSUER.flask_config, POMERIUM_JWT_EXEMPT_PATHS=["/open"], **config)

    @app.route("/", methods=["GET", "POST", "DELETE", "OPTIONS"])
    @app.route("/open", methods=["GET", "POST", "DELETE", "OPTIONS"])
    def view() -> Any:
        reached.append("view")
        return jsonify("x" * 1000, current_identity.subject if current_identity else None)

    for put in order:
        put(app)
    return app, reached


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_refused_passed_verified_and_upgraded(neighbour: str, order: str) -> None:
    put = NEIGHBOURS[neighbour]
    app, reached = application([put, Pomerium] if order == "before" else [Pomerium, put])
    client, headers = app.test_client(), {"Accept-Encoding": "gzip", "Origin": ORIGIN}

    for method, more in [
        ("GET", {}),
        ("DELETE", {}),
        ("OPTIONS", PREFLIGHT),
        ("POST", {"X-Http-Method-Override": "GET"}),
    ]:
        answer = client.open("/", method=method, headers={**headers, **more})
        body = gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data
        assert (answer.status_code, body) == (401, b'{"error":"token_missing"}'), method
        assert answer.headers["Content-Type"] == "application/json"
        assert "Set-Cookie" not in answer.headers, "nobody without an identity has a session"
    assert client.head("/", headers=headers).data == b""
    for upgrade in ("websocket", "WebSocket", "h2c, websocket"):
        answer = client.get("/open", headers={"Upgrade": upgrade, "Connection": "Upgrade"})
        assert (answer.status_code, answer.json) == (401, REFUSED)
    assert reached == []

    for path, token, subject in [("/open", {}, None), ("/", ISSUER.headers(), "alice")]:
        answer = client.get(path, headers={**headers, **token})
        body = gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data
        assert answer.status_code == 200 and body.strip().endswith(b"null]" if subject is None else b'"alice"]')
    assert reached == ["view"] * 2
    if neighbour == "compress":
        assert answer.headers["Content-Encoding"] == "gzip"
    if neighbour == "sessions":
        assert "session=" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("order", ["before", "after"])
def test_flask_cors_gives_refusals_their_headers_too(order: str) -> None:
    def pomerium(app: Flask) -> None:
        Pomerium(app, answer_preflight=True)

    app, reached = application([cors, pomerium] if order == "before" else [pomerium, cors])
    client = app.test_client()
    answer = client.options("/", headers=PREFLIGHT)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == "DELETE"
    for path, headers, status in [("/", {}, 401), ("/", ISSUER.headers(), 200), ("/open", {}, 200), ("/no", {}, 401)]:
        answer = client.get(path, headers={"Origin": ORIGIN, **headers})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, ORIGIN)
    other = client.options("/", headers={**PREFLIGHT, "Origin": "https://evil.example.com"})
    assert other.headers.get("Access-Control-Allow-Origin") != "https://evil.example.com"
    assert reached == ["view"] * 2


def test_socket_io_is_covered_if_pomerium_comes_last(caplog: pytest.LogCaptureFixture) -> None:
    """found: before_request left it out."""
    engine = "/socket.io/?EIO=4&transport=polling"
    app, _ = application([NEIGHBOURS["socketio"], Pomerium])
    client = app.test_client()
    assert client.get(engine).json == REFUSED
    assert client.get(engine, headers={"Upgrade": "websocket"}).json == REFUSED
    answer = client.get(engine, headers=ISSUER.headers())
    assert answer.status_code == 200 and b'"sid"' in answer.data
    assert not caplog.records[1:], "one refusal and nothing else"

    caplog.clear()
    app, _ = application([Pomerium, NEIGHBOURS["socketio"]])
    client = app.test_client()
    assert client.get(engine).status_code == 200, "what stands in front is not covered, and that is said:"
    assert client.get("/").json == REFUSED
    assert "was put around app.wsgi_app after Pomerium(app)" in caplog.text
    assert "_SocketIOMiddleware" in caplog.text


def test_mounts() -> None:
    def mounted(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        identity = environ.get("pomerium")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"mounted for " + (identity.subject.encode() if identity else b"anybody")]

    def mount(app: Flask) -> None:
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/mount": mounted})  # type: ignore[method-assign]

    inside, _ = application([mount, Pomerium])
    around = Flask(__name__)
    around.wsgi_app = WsgiPomerium(  # type: ignore[method-assign]
        DispatcherMiddleware(Flask(__name__).wsgi_app, {"/mount": mounted}), **ISSUER.options
    )
    for app in (inside, around):
        client = app.test_client()
        assert client.get("/mount/x").json == client.get("/nowhere").json == REFUSED
        assert client.get("/mount/x", headers=ISSUER.headers()).text == "mounted for alice"


@pytest.mark.parametrize("rewritten", [("/open", "/"), ("/", "/open")])
def test_a_path_rewritten_in_front_is_not_exempt(rewritten: tuple[str, str]) -> None:
    before, after = rewritten
    app, reached = application([Pomerium])
    inside = app.wsgi_app

    def rewriting(environ: dict[str, Any], start_response: Any) -> Any:
        assert environ["PATH_INFO"] == before
        environ["PATH_INFO"] = after
        return inside(environ, start_response)

    app.wsgi_app = rewriting  # type: ignore[method-assign]
    assert app.test_client().get(before).json == REFUSED
    assert reached == []
