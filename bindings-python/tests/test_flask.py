"""The Flask extension: who gets in, who is told what, and how it fits into an application. test_middleware.py has what
stands before and after it, test_servers.py the real servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from flask import Blueprint, Flask, jsonify, render_template_string, request, url_for
from flask.testing import FlaskClient
from flask.views import MethodView
from werkzeug.routing import BaseConverter

from pomerium_jwt import OptionsError
from pomerium_jwt.flask import Pomerium, current_identity, require_group, require_user
from pomerium_jwt.testing import HEADER, TestIssuer

Headers = Callable[..., dict[str, str]]


def create_app(issuer: TestIssuer, pomerium: Pomerium | None = None, **config: Any) -> Flask:
    """An application factory, with a view of each kind."""
    app = Flask(__name__)
    app.config.update(issuer.flask_config, **{f"POMERIUM_JWT_{name.upper()}": value for name, value in config.items()})
    pomerium = pomerium or Pomerium()
    pages, admins = Blueprint("pages", __name__), Blueprint("admins", __name__, url_prefix="/admins")

    @app.route("/")
    @app.route("/any", methods=["GET", "OPTIONS", "DELETE"])
    @pages.route("/page")
    @admins.route("/page")
    def who() -> Any:
        return jsonify(current_identity.subject if current_identity else None)

    @app.get("/user")
    @require_user
    def user_view() -> Any:
        return who()

    @app.get("/admin")
    @require_group("admins", "owners")
    def admin_view() -> Any:
        return who()

    class AdminPage(MethodView):
        decorators: ClassVar[Any] = [require_group("admins")]

        def get(self) -> Any:
            return who()

    app.add_url_rule("/class", view_func=AdminPage.as_view("class"))
    app.add_url_rule("/promise", view_func=lambda: current_identity.subject, endpoint="promise")
    app.add_url_rule("/whole", view_func=lambda: jsonify(current_identity), endpoint="whole")
    app.add_url_rule("/health", view_func=lambda: pomerium.health(), endpoint="health")
    admins.before_request(require_group("admins")(lambda: None))
    app.register_blueprint(pages)
    app.register_blueprint(admins)
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
        ("/class", {"groups": ["admins"]}, 200, "alice"),
        ("/class", {"groups": ["staff"]}, 403, GROUP),
        ("/admins/page", {"groups": ["admins"]}, 200, "alice"),
        ("/admins/page", {"groups": ["staff"]}, 403, GROUP),
        ("/user", {}, 200, "alice"),
        ("/admin", {"groups": ["owners"]}, 200, "alice"),
        ("/admin", {"groups": ["staff"]}, 403, GROUP),
        ("/admin", {"groups": ["admins,owners"]}, 403, GROUP),
        ("/admin", None, 401, MISSING),
        ("/static/missing.css", None, 401, MISSING),
        ("/nowhere", None, 401, MISSING),
        ("/nowhere", {}, 404, None),
        ("/", {"expires_in": -100}, 401, {"error": "token_expired"}),
        ("/", {"aud": "another.example.com"}, 401, {"error": "audience_mismatch"}),
        ("/", {"sub": ""}, 401, {"error": "subject_missing"}),
    ],
)
def test_who_gets_in(
    client: FlaskClient, pomerium_headers: Headers, path: str, claims: dict[str, Any] | None, status: int, body: object
) -> None:
    answer = client.get(path, headers=None if claims is None else pomerium_headers(**claims))
    assert (answer.status_code, answer.get_json(silent=True)) == (status, body)
    if status in (401, 403):
        assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("application/json", "no-store")
        assert answer.headers.get("WWW-Authenticate") == ('Bearer error="invalid_token"' if status == 401 else None)


def test_nothing_of_the_application_runs_for_a_refused_request(pomerium_issuer: TestIssuer) -> None:
    """found: before_request left out url preprocessors and converters, and a router ran them for anybody."""
    ran: list[str] = []

    class Converter(BaseConverter):
        def to_python(self, value: str) -> str:
            ran.append("converter")
            return value

    app = create_app(pomerium_issuer)
    app.url_map.converters["looked_up"] = Converter

    @app.get("/items/<looked_up:item>")
    def item_view(item: str) -> str:
        ran.append("view")
        return item

    @app.errorhandler(404)
    def not_found(error: object) -> str:
        ran.append("error handler")
        return "not found"

    app.url_value_preprocessor(lambda endpoint, values: ran.append("preprocessor"))
    app.before_request(lambda: ran.append("before_request"))
    client = app.test_client()
    for path in ("/items/1", "/nowhere", "/items/1/"):
        for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
            assert client.open(path, method=method).status_code == 401
    assert ran == []
    assert client.get("/items/1", headers=pomerium_issuer.headers()).status_code == 200
    assert {"converter", "preprocessor", "before_request", "view"} == set(ran)


def test_a_user_is_found_again_in_no_other_request(pomerium_issuer: TestIssuer, pomerium_headers: Headers) -> None:
    client = create_app(pomerium_issuer, exempt_paths="/any").test_client()
    with client.application.app_context():  # as in many tests: requests then share flask.g
        assert client.get("/", headers=pomerium_headers()).json == "alice"
        assert client.get("/any").json is None


def test_a_preflight_is_a_request_like_any_other(client: FlaskClient) -> None:
    """found: it ran handlers for anybody, and a method override made it a DELETE."""
    for path in ("/admin", "/any", "/nowhere"):
        assert client.options(path, headers=PREFLIGHT).status_code == 401
        assert client.options(path).status_code == 401
        assert client.get(path, headers=PREFLIGHT).status_code == 401


PREFLIGHT = {"Origin": "https://other.example.com", "Access-Control-Request-Method": "DELETE"}


def test_an_answered_preflight_does_not_reach_the_application(pomerium_issuer: TestIssuer) -> None:
    app = create_app(pomerium_issuer, Pomerium(answer_preflight=True))
    ran: list[str] = []
    app.before_request(lambda: ran.append(request.path))
    client = app.test_client()
    for path in ("/any", "/nowhere", "/admin"):
        answer = client.options(path, headers={**PREFLIGHT, **pomerium_issuer.headers()})
        assert (answer.status_code, answer.data, dict(answer.headers)) == (204, b"", {})
    assert ran == []
    for lacking in PREFLIGHT:
        headers = {name: value for name, value in PREFLIGHT.items() if name != lacking}
        assert client.options("/any", headers=headers).status_code == 401
    assert client.delete("/any", headers=PREFLIGHT).status_code == 401


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


def test_a_request_that_passed_has_no_identity(pomerium_issuer: TestIssuer, pomerium_headers: Headers) -> None:
    app = create_app(pomerium_issuer, optional=True)
    app.testing = True
    client = app.test_client()
    with pytest.raises(RuntimeError, match="passed without an identity"):
        client.get("/promise")
    assert client.get("/promise", headers=pomerium_headers()).text == "alice"
    assert client.get("/whole").json is None
    identity = client.get("/whole", headers=pomerium_headers()).json
    assert identity and (identity["subject"], identity["groups"], identity["session_id"]) == ("alice", [], None)
    assert len(identity) == 12


def test_other_options(pomerium_issuer: TestIssuer) -> None:
    client = create_app(
        pomerium_issuer, header_name="X-Token", exempt_paths=["/page", "/public/*"], require_group=["staff", "a,b"]
    ).test_client()
    staff, comma, other = ({"X-Token": pomerium_issuer.token(groups=[group])} for group in ("staff", "a,b", "a"))
    assert client.get("/", headers=staff).json == client.get("/", headers=comma).json == "alice"
    assert (client.get("/", headers=other).status_code, client.get("/", headers=other).json) == (403, GROUP)
    assert client.get("/", headers={HEADER: staff["X-Token"]}).json == MISSING
    assert client.get("/page").json is None
    assert client.post("/page").status_code == 405, "with any method"
    assert client.get("/public/nothing.css").status_code == 404
    for path in ("/page/", "/%70age", "/page;x", "//page", "/x/../page", "/public/", "/public/../page", "/PAGE"):
        assert client.get(path).status_code == 401, path


def test_a_handler_renders_and_cannot_let_in(pomerium_issuer: TestIssuer) -> None:
    seen: list[tuple[str, str, str]] = []
    app = create_app(
        pomerium_issuer,
        Pomerium(
            error_handler=lambda refusal: (
                f"<h1>{refusal.code}</h1>",
                200,
                {"X-Mine": "yes", "Cache-Control": "public"},
            ),
            on_refused=lambda code, message, path: seen.append((code, message, path)),
        ),
    )
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.text, answer.headers["X-Mine"]) == (401, "<h1>token_missing</h1>", "yes")
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("text/html; charset=utf-8", "no-store")
    assert "WWW-Authenticate" in answer.headers
    answer = app.test_client().get("/admin", headers=pomerium_issuer.headers())
    assert (answer.status_code, answer.text) == (403, "<h1>group_required</h1>")
    assert [(code, path) for code, _, path in seen] == [("token_missing", "/"), ("group_required", "/admin")]


@pytest.mark.parametrize(
    ("handler", "body"),
    [
        (lambda refusal: "just text", "just text"),
        (lambda refusal: b"bytes", "bytes"),
        (lambda refusal: {"why": refusal.code}, '{"why":"token_missing"}'),
        (lambda refusal: (jsonify(refusal.code), 302, {"Location": "/login"}), '"token_missing"'),
        (lambda refusal: render_template_string("{{ url_for('static', filename='x.css') }}"), "/static/x.css"),
        (lambda refusal: url_for("admin_view"), "/admin"),
        (lambda refusal: None, '{"error":"token_missing"}'),
        (lambda refusal: current_identity.subject, '{"error":"token_missing"}'),
        (lambda refusal: 1 // 0, '{"error":"token_missing"}'),
    ],
)
def test_what_a_handler_may_give(pomerium_issuer: TestIssuer, handler: Any, body: str) -> None:
    app = create_app(pomerium_issuer, Pomerium(error_handler=handler))
    answer = app.test_client().get("/nowhere")
    assert (answer.status_code, answer.text.strip()) == (401, body)
    assert "WWW-Authenticate" in answer.headers


def test_a_hook_cannot_let_in(pomerium_issuer: TestIssuer, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(pomerium_issuer)
    app.after_request(lambda response: app.response_class("welcome", 200))
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (401, "no-store")
    app.after_request(lambda response: response.headers["X"] / 0)
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.json) == (401, MISSING)
    assert "an after_request hook failed" in caplog.text


def test_keys_unavailable(pomerium_issuer: TestIssuer) -> None:
    app = Flask(__name__)
    app.config["POMERIUM_JWT_ROUTE"] = "http://127.0.0.1:9"
    Pomerium(app)
    answer = app.test_client().get("/", headers={HEADER: pomerium_issuer.token()})
    assert (answer.status_code, answer.json) == (503, {"error": "keys_unavailable"})
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({"ROUTE": "app.example.com"}, "route"),
        ({"ISSUER": "app.example.com"}, "audience"),
        ({"ROUTE": "https://app.example.com", "JWKS_URI": "x"}, "write jwks_url"),
        ({"ROUTE": "https://app.example.com", "HEADER": "x"}, '"header" is unknown'),
        ({"ROUTE": "https://app.example.com", "OPTIONAL": "yes"}, "optional takes true or false"),
        ({"ROUTE": "https://app.example.com", "EXEMPT_PATHS": "health"}, "exempt_paths"),
        ({"ROUTE": "https://app.example.com", "REQUIRE_GROUP": [1]}, "require_group"),
        ({"ROUTE": "https://app.example.com", "REQUIRE_GROUP": []}, "require_group"),
        ({"ROUTE": "https://app.example.com", "HEADER_NAME": "X Y"}, "header_name takes the name"),
        ({"ROUTE": "https://app.example.com", "ON_REFUSED": print}, "on_refused"),
        ({"ROUTE": None}, "leave the option out"),
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
    app.config.update(POMERIUM_JWT_OPTIONAL=True, POMERIUM_JWT_LEEWAY=20)
    pomerium = Pomerium(app)
    with app.app_context():
        assert pomerium.verifier.options == {"route": ["https://app.example.com"], "leeway": 20, "optional": True}

    mine = pomerium_issuer.verifier(leeway=1)
    app = Flask(__name__)
    pomerium = Pomerium(app, verifier=mine)
    with app.app_context():
        assert pomerium.verifier is mine
    app = Flask(__name__)
    app.config["POMERIUM_JWT_LEEWAY"] = 5
    with pytest.raises(OptionsError, match="leave out leeway"):
        Pomerium(app, verifier=mine)


def test_a_demand_in_the_environment_alone_is_one(pomerium_issuer: TestIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """found: REQUIRE_GROUP next to ROUTE in the environment was ignored, and staff got in."""
    for name, value in pomerium_issuer.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POMERIUM_JWT_REQUIRE_GROUP", "admins")
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: str(current_identity.subject))
    Pomerium(app)
    statuses = [
        app.test_client().get("/", headers=pomerium_issuer.headers(groups=[group])).status_code
        for group in ("staff", "admins")
    ]
    assert statuses == [403, 200]


def test_a_second_one_is_refused(pomerium_issuer: TestIssuer) -> None:
    app = create_app(pomerium_issuer)
    with pytest.raises(OptionsError, match="has a Pomerium already"):
        Pomerium(app)
    assert app.test_client().get("/").status_code == 401


def test_without_the_extension_nobody_is_anybody(pomerium_headers: Headers) -> None:
    app = Flask(__name__)
    app.testing = True
    app.add_url_rule("/", view_func=lambda: str(current_identity.subject))
    app.add_url_rule("/user", view_func=require_user(lambda: "in"), endpoint="user")
    for path in ("/", "/user"):
        with pytest.raises(LookupError, match="nothing has been verified"):
            app.test_client().get(path, headers=pomerium_headers())


def test_a_context_of_one_s_own_is_not_a_verified_request(pomerium_issuer: TestIssuer) -> None:
    app = create_app(pomerium_issuer)
    with app.test_request_context("/"), pytest.raises(LookupError, match="did not come through Pomerium"):
        bool(current_identity)
    identity = pomerium_issuer.verifier().verify(pomerium_issuer.token("bob"))
    with app.test_request_context("/", environ_overrides={"pomerium": identity}):
        assert current_identity.subject == "bob"
        assert current_identity == identity


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
