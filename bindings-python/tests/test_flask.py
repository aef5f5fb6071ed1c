"""The Flask extension: who gets in, who is told what, and how it fits into an application. test_servers.py has the real
servers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask, jsonify, send_file
from flask.testing import FlaskClient
from flask.views import MethodView

from pomerium_jwt import OptionsError
from pomerium_jwt.flask import Pomerium, current_identity, public, require_group, require_user
from pomerium_jwt.testing import HEADER, TestIssuer

Headers = Callable[..., dict[str, str]]


def create_app(issuer: TestIssuer, **config: Any) -> Flask:
    """An application factory, with a view of each kind."""
    app = Flask(__name__)
    app.config.update(issuer.flask_config, **{f"POMERIUM_JWT_{name.upper()}": value for name, value in config.items()})
    pomerium = Pomerium()
    open_pages, pages, inner = Blueprint("open", __name__), Blueprint("pages", __name__), Blueprint("inner", __name__)

    @app.route("/")
    @pages.route("/page")
    @open_pages.route("/open")
    @inner.route("/inner")
    def who() -> Any:
        return jsonify(current_identity.subject if current_identity else None)

    @app.get("/public")
    @public
    def public_view() -> Any:
        return who()

    @app.get("/user")
    @require_user
    def user_view() -> Any:
        return who()

    @app.get("/admin")
    @require_group("admins", "owners")
    def admin_view() -> Any:
        return who()

    class Page(MethodView):
        def get(self) -> Any:
            return who()

    class OpenPage(Page):
        decorators = [public]

    app.add_url_rule("/class", view_func=Page.as_view("class"))
    app.add_url_rule("/open-class", view_func=OpenPage.as_view("open-class"))
    app.add_url_rule("/health", view_func=public(lambda: pomerium.health()), endpoint="health")
    public(open_pages)
    open_pages.register_blueprint(inner, url_prefix="/nested")
    app.register_blueprint(open_pages)
    app.register_blueprint(pages)
    pomerium.init_app(app)
    return app


@pytest.fixture
def client(pomerium_issuer: TestIssuer) -> FlaskClient:
    return create_app(pomerium_issuer).test_client()


GROUP = {"error": "group_required"}
MISSING = {"error": "token_missing"}


@pytest.mark.parametrize(
    ("path", "claims", "status", "body"),
    [
        ("/", {}, 200, "alice"),
        ("/", None, 401, MISSING),
        ("/page", {}, 200, "alice"),
        ("/page", None, 401, MISSING),
        ("/class", {}, 200, "alice"),
        ("/class", None, 401, MISSING),
        ("/user", {}, 200, "alice"),
        ("/admin", {"groups": ["owners"]}, 200, "alice"),
        ("/admin", {"groups": ["staff"]}, 403, GROUP),
        ("/admin", None, 401, MISSING),
        ("/public", None, 200, None),
        ("/public", {}, 200, None),
        ("/open", None, 200, None),
        ("/nested/inner", None, 200, None),
        ("/open-class", None, 200, None),
        ("/static/missing.css", None, 401, MISSING),
        ("/nowhere", None, 401, MISSING),
        ("/", {"expires_in": -100}, 401, {"error": "token_expired"}),
        ("/", {"aud": "another.example.com"}, 401, {"error": "audience_mismatch"}),
        ("/", {"sub": ""}, 401, {"error": "subject_missing"}),
    ],
)
def test_who_gets_in(
    client: FlaskClient, pomerium_headers: Headers, path: str, claims: dict[str, Any] | None, status: int, body: object
) -> None:
    answer = client.get(path, headers=None if claims is None else pomerium_headers(**claims))
    assert (answer.status_code, answer.json) == (status, body)


def test_a_user_is_found_again_in_no_other_request(client: FlaskClient, pomerium_headers: Headers) -> None:
    with client.application.app_context():  # as in many tests: requests then share flask.g
        assert client.get("/", headers=pomerium_headers()).json == "alice"
        assert client.get("/public").json is None


def test_preflight_passes_and_other_options_requests_do_not(client: FlaskClient) -> None:
    preflight = {"Origin": "https://other.example.com", "Access-Control-Request-Method": "GET"}
    assert client.options("/admin", headers=preflight).status_code == 200
    assert client.options("/admin").status_code == 401
    assert client.get("/admin", headers=preflight).status_code == 401


def test_preflight_gets_no_content_and_passes_no_demand(pomerium_issuer: TestIssuer) -> None:
    """Whoever takes OPTIONS for all else answers to anybody."""
    app = create_app(pomerium_issuer)
    app.add_url_rule("/any", view_func=lambda: "secret", endpoint="any", methods=["GET", "OPTIONS"])
    app.add_url_rule("/file", view_func=lambda: send_file(__file__), endpoint="file", methods=["GET", "OPTIONS"])
    for name, demand in [("user", require_user), ("group", require_group("admins"))]:
        app.add_url_rule(f"/any-{name}", view_func=demand(lambda: "secret"), endpoint=name, methods=["OPTIONS"])
    client = app.test_client()
    for path, status in [("/any", 200), ("/file", 200), ("/any-user", 401), ("/any-group", 401)]:
        answer = client.options(path, headers={"Access-Control-Request-Method": "GET"})
        assert (answer.status_code, answer.data) == (status, b""), path


def test_optional(pomerium_issuer: TestIssuer, pomerium_headers: Headers) -> None:
    client = create_app(pomerium_issuer, optional=True).test_client()
    assert client.get("/").json is None
    assert client.get("/", headers=pomerium_headers()).json == "alice"
    assert client.get("/", headers={HEADER: pomerium_issuer.expired()}).status_code == 401
    assert client.get("/", headers={HEADER: "nonsense"}).json == {"error": "token_malformed"}
    for path in ("/user", "/admin"):
        answer = client.get(path)
        assert (answer.status_code, answer.json) == (401, MISSING)


def test_anonymous(pomerium_issuer: TestIssuer, pomerium_headers: Headers) -> None:
    client = create_app(pomerium_issuer, allow_anonymous=True).test_client()
    assert client.get("/", headers=pomerium_headers(sub="")).json == ""
    for path in ("/user", "/admin"):
        answer = client.get(path, headers=pomerium_headers(sub=""))
        assert (answer.status_code, answer.json) == (401, {"error": "subject_missing"})


def test_other_options(pomerium_issuer: TestIssuer) -> None:
    client = create_app(
        pomerium_issuer, header_name="X-Token", exempt_paths=["/page", "/käse"], require_group=["staff", "admins"]
    ).test_client()
    staff, other = ({"X-Token": pomerium_issuer.token(groups=[group])} for group in ("staff", "other"))
    assert client.get("/", headers=staff).json == "alice"
    assert (client.get("/", headers=other).status_code, client.get("/", headers=other).json) == (403, GROUP)
    assert client.get("/", headers={HEADER: staff["X-Token"]}).json == MISSING
    assert client.get("/page").json is None
    assert client.get("/k%C3%A4se").status_code == 404
    assert client.get("/page/").status_code == 401


def test_a_handler_renders_and_cannot_let_in(pomerium_issuer: TestIssuer) -> None:
    seen: list[tuple[str, str, str]] = []
    client = create_app(
        pomerium_issuer,
        error_handler=lambda refusal: (f"<h1>{refusal.code}</h1>", 200, {"X-Mine": "yes"}),
        on_refused=lambda code, message, path: seen.append((code, message, path)),
    ).test_client()
    answer = client.get("/")
    assert (answer.status_code, answer.text, answer.headers["X-Mine"]) == (401, "<h1>token_missing</h1>", "yes")
    assert [(code, path) for code, _, path in seen] == [("token_missing", "/")]


def test_keys_unavailable(pomerium_issuer: TestIssuer) -> None:
    app = Flask(__name__)
    app.config["POMERIUM_JWT_ROUTE"] = "http://127.0.0.1:9"
    Pomerium(app)
    answer = app.test_client().get("/", headers={HEADER: pomerium_issuer.token()})
    assert (answer.status_code, answer.json) == (503, {"error": "keys_unavailable"})
    assert int(answer.headers["Retry-After"]) >= 1


def test_the_log(pomerium_issuer: TestIssuer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pomerium_jwt")
    client = create_app(pomerium_issuer).test_client()
    names = "issuer https://app.example.com, audience https://app.example.com"
    assert caplog.messages == [f"{names}, keys from jwks, header X-Pomerium-Jwt-Assertion"]
    caplog.clear()
    token = pomerium_issuer.expired()
    client.get("/a%0Ab", headers={HEADER: token})
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages[0].startswith(r"refused '/a\nb': token_expired: ")
    assert token.split(".")[2] not in caplog.text


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({"ROUTE": "app.example.com"}, "route"),
        ({"ISSUER": "app.example.com"}, "audience"),
        ({"ROUTE": "https://app.example.com", "JWKS_URI": "x"}, "write jwks_url"),
        ({"ROUTE": "https://app.example.com", "HEADER": "x"}, '"header" is unknown'),
        ({"ROUTE": "https://app.example.com", "OPTIONAL": "yes"}, "optional takes True or False"),
        ({"ROUTE": "https://app.example.com", "EXEMPT_PATHS": "/healthz"}, "exempt_paths takes a list"),
        ({"ROUTE": "https://app.example.com", "REQUIRE_GROUP": [1]}, "require_group takes a list"),
        ({"ROUTE": "https://app.example.com", "REQUIRE_GROUP": []}, "require_group takes one group at least"),
        ({"ROUTE": "https://app.example.com", "HEADER_NAME": "X Y"}, "header_name takes a name"),
        ({"ROUTE": "https://app.example.com", "ON_REFUSED": "log"}, "on_refused takes a function"),
        ({}, "audience"),
    ],
)
def test_a_wrong_configuration_stops_the_start(
    config: dict[str, Any], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POMERIUM_JWT_ROUTE", raising=False)
    app = Flask(__name__)
    app.config.update({f"POMERIUM_JWT_{name}": value for name, value in config.items()})
    with pytest.raises(OptionsError, match=part):
        Pomerium(app)


def test_where_options_come_from(pomerium_issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POMERIUM_JWT_ROUTE", "https://app.example.com")
    monkeypatch.setenv("POMERIUM_JWT_LEEWAY", "30")
    app = Flask(__name__)
    app.config.update(POMERIUM_JWT_OPTIONAL=True, POMERIUM_JWT_LIBRARY="/usr/lib/libpomerium_jwt.so")
    pomerium = Pomerium(app)
    with app.app_context():
        assert pomerium.verifier.options == {"route": ["https://app.example.com"], "leeway": 30}, "the environment's"

    mine = pomerium_issuer.verifier(leeway=1)
    app = Flask(__name__)
    pomerium = Pomerium(app, verifier=mine)
    with app.app_context():
        assert pomerium.verifier is mine
    app.config["POMERIUM_JWT_LEEWAY"] = 5
    with pytest.raises(OptionsError, match="leave out leeway"):
        Pomerium(app, verifier=mine)


def test_without_the_extension_nobody_is_anybody(pomerium_headers: Headers) -> None:
    app = Flask(__name__)
    app.testing = True
    app.add_url_rule("/", view_func=lambda: str(current_identity.subject))
    app.add_url_rule("/user", view_func=require_user(lambda: "in"), endpoint="user")
    for path in ("/", "/user"):
        with pytest.raises(RuntimeError, match="nothing has been verified"):
            app.test_client().get(path, headers=pomerium_headers())


def test_require_group_needs_names() -> None:
    for wrong in [(), (print,), (["admins"],)]:
        with pytest.raises(OptionsError):
            require_group(*wrong)  # type: ignore[arg-type]


def test_one_extension_protects_several_applications(pomerium_headers: Headers) -> None:
    other, pomerium = TestIssuer("other.example.com"), Pomerium()
    apps = [Flask("one"), Flask("two")]
    for app, issuer in zip(apps, (TestIssuer(), other)):
        app.config.update(issuer.flask_config)
        app.add_url_rule("/", view_func=lambda: str(current_identity.subject))
        pomerium.init_app(app)
    answers = [app.test_client().get("/", headers=other.headers()).status_code for app in apps]
    assert answers == [401, 200]
