"""The WSGI middleware, called as a server calls it. test_servers.py has the real servers."""

from __future__ import annotations

import json
import logging
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from conftest import PatientIssuer

from pomerium_jwt import OptionsError, Verifier
from pomerium_jwt._environ import sent_path
from pomerium_jwt.wsgi import Pomerium, Refusal

ISSUER = PatientIssuer()


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    identity = environ["pomerium"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [(identity.subject if identity else "nobody").encode()]


def call(
    middleware: Pomerium, path: str = "/", method: str = "GET", **variables: Any
) -> tuple[str, dict[str, str], bytes]:
    environ: dict[str, Any] = {
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        **variables,
    }
    setup_testing_defaults(environ)
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        started.extend((status, dict(headers)))
        return lambda _: None

    answer: Any = validator(middleware)(environ, start_response)
    body = b"".join(answer)
    answer.close()
    return started[0], started[1], body


def protected(**options: Any) -> Pomerium:
    return Pomerium(application, **{**ISSUER.options, **options})


JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@pytest.mark.parametrize(
    ("options", "token", "status", "body"),
    [
        ({}, ISSUER.token(), "200 OK", b"alice"),
        ({}, None, "401 Unauthorized", b'{"error":"token_missing"}'),
        ({}, ISSUER.token() + "," + ISSUER.token(), "401 Unauthorized", b'{"error":"token_repeated"}'),
        ({}, "," + ISSUER.token(), "401 Unauthorized", b'{"error":"token_repeated"}'),
        ({}, "\xff\x00", "401 Unauthorized", b'{"error":"token_malformed"}'),
        ({}, ISSUER.expired(), "401 Unauthorized", b'{"error":"token_expired"}'),
        ({}, ISSUER.wrong_audience(), "401 Unauthorized", b'{"error":"audience_mismatch"}'),
        ({"optional": True}, None, "200 OK", b"nobody"),
        ({"optional": True}, "x", "401 Unauthorized", b'{"error":"token_malformed"}'),
        ({"optional": True}, ISSUER.expired(), "401 Unauthorized", b'{"error":"token_expired"}'),
        ({"require_group": "admins"}, ISSUER.token(groups=["admins"]), "200 OK", b"alice"),
        ({"require_group": "admins"}, ISSUER.token(), "403 Forbidden", b'{"error":"group_required"}'),
        ({"exempt_paths": ["/"]}, None, "200 OK", b"nobody"),
        ({"exempt_paths": ["/"]}, "x", "200 OK", b"nobody"),
        ({"jwks": {"keys": []}}, ISSUER.token(), "503 Service Unavailable", b'{"error":"keys_empty"}'),
    ],
)
def test_who_gets_in(options: dict[str, Any], token: str | None, status: str, body: bytes) -> None:
    header = {} if token is None else {"HTTP_X_POMERIUM_JWT_ASSERTION": token}
    answer = call(protected(**options), **header)
    assert (answer[0], answer[2]) == (status, body)
    if not answer[0].startswith("200"):
        extra = CHALLENGE if answer[0].startswith("401") else {}
        assert answer[1] == {**JSON, **extra, "Content-Length": str(len(body))}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_every_method_is_refused_and_head_without_a_body(method: str) -> None:
    preflight = {"HTTP_ORIGIN": "https://evil.example.com", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "DELETE"}
    reached: list[str] = []
    middleware = Pomerium(lambda environ, start_response: reached.append("in") or [], **ISSUER.options)  # type: ignore[func-returns-value]
    for variables in ({}, preflight, {"HTTP_X_HTTP_METHOD_OVERRIDE": "GET"}):
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": "/", **variables}
        started: dict[str, dict[str, str]] = {}
        body = b"".join(middleware(environ, lambda status, headers, to=started: to.update({status: dict(headers)})))
        assert started["401 Unauthorized"]["Content-Length"] == "25"
        assert body == (b"" if method == "HEAD" else b'{"error":"token_missing"}')
    assert not reached, "a preflight is a request like any other"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        # Only a decoded path
        ({"PATH_INFO": "/health"}, "/health"),
        # A prefix that a client may have chosen: ProxyFix(x_prefix=1)
        ({"SCRIPT_NAME": "/mount", "PATH_INFO": "/health"}, ""),
        ({"SCRIPT_NAME": "/health"}, ""),
        ({"PATH_INFO": ""}, ""),
        ({}, ""),
        ({"PATH_INFO": "/a b"}, ""),
        ({"PATH_INFO": "/k\xc3\xa4se"}, ""),
        ({"PATH_INFO": "/a%20b"}, ""),
        ({"PATH_INFO": "/health\n"}, ""),
        ({"PATH_INFO": "/a;b"}, ""),
        # What the client sent too, by either name
        ({"PATH_INFO": "/health", "RAW_URI": "/health"}, "/health"),
        ({"PATH_INFO": "/health", "REQUEST_URI": "/health"}, "/health"),
        ({"PATH_INFO": "/health", "RAW_URI": "/health?a=/b?c"}, "/health"),
        ({"PATH_INFO": "/health", "RAW_URI": "/%68ealth"}, "/%68ealth"),
        ({"PATH_INFO": "/a/b", "RAW_URI": "/a%2Fb"}, "/a%2Fb"),
        ({"PATH_INFO": "/k\xc3\xa4se", "RAW_URI": "/k%C3%A4se"}, "/k%C3%A4se"),
        ({"SCRIPT_NAME": "/m", "PATH_INFO": "/health", "RAW_URI": "/m/health"}, "/m/health"),
        ({"PATH_INFO": "/health", "RAW_URI": "https://app.example.com/health?x"}, "/health"),
        ({"PATH_INFO": "/health", "RAW_URI": "https://app.example.com?/health"}, ""),
        # Rewritten by a middleware in front, in whatever way
        ({"PATH_INFO": "/admin", "RAW_URI": "/health"}, ""),
        ({"PATH_INFO": "/health", "RAW_URI": "/admin"}, ""),
        ({"PATH_INFO": "/health", "RAW_URI": "//health"}, ""),
        ({"PATH_INFO": "/health", "RAW_URI": "/x/../health"}, ""),
        ({"SCRIPT_NAME": "/m", "PATH_INFO": "/health", "RAW_URI": "/health"}, ""),
        ({"SCRIPT_NAME": "", "PATH_INFO": "/health", "RAW_URI": "/m/health"}, ""),
        # gunicorn's prefix, which the client has chosen: /admin is routed
        (
            {
                "SCRIPT_NAME": "/public",
                "HTTP_SCRIPT_NAME": "/public",
                "PATH_INFO": "/admin",
                "RAW_URI": "/public/admin",
            },
            "",
        ),
        ({"SCRIPT_NAME": "", "HTTP_SCRIPT_NAME": "", "PATH_INFO": "/health", "RAW_URI": "/health"}, ""),
        ({"PATH_INFO": "/health", "RAW_URI": "/health", "REQUEST_METHOD": "CONNECT"}, ""),
        ({"PATH_INFO": "*", "RAW_URI": "*"}, ""),
        ({"PATH_INFO": "/health", "RAW_URI": "health"}, ""),
    ],
)
def test_the_path_is_what_was_sent_and_is_routed(environ: dict[str, str], expected: str) -> None:
    assert sent_path(environ) == expected


def test_an_upgrade_is_never_exempt() -> None:
    middleware = protected(exempt_paths=["/health"])
    assert call(middleware, "/health")[0] == "200 OK"
    assert call(middleware, "/health", HTTP_UPGRADE="h2c")[0] == "200 OK"
    upgrades: list[dict[str, Any]] = [
        {"HTTP_UPGRADE": "websocket"},
        {"HTTP_UPGRADE": "h2c,websocket"},
        {"wsgi.websocket": object()},
    ]
    for upgrade in upgrades:
        assert call(middleware, "/health", **upgrade)[0] == "401 Unauthorized"


def test_the_identity_of_a_client_that_names_variables() -> None:
    """Headers become variables that begin with HTTP_, so none is taken for an identity, a path or a WebSocket."""
    answer = call(protected(), HTTP_POMERIUM="alice", HTTP_RAW_URI="/", HTTP_REQUEST_URI="/")
    assert answer[0] == "401 Unauthorized"


def test_hooks() -> None:
    seen: list[str] = []
    middleware = protected(
        error_handler=lambda refusal: ("text/html", f"<h1>{refusal.code}</h1>"),
        on_refused=lambda code, message, path: seen.append(f"{code} {path}"),
        header_name="X-Token",
    )
    status, headers, body = call(middleware, "/k\xc3\xa4se", HTTP_X_POMERIUM_JWT_ASSERTION=ISSUER.token())
    assert (status, headers["Content-Type"], body) == ("401 Unauthorized", "text/html", b"<h1>token_missing</h1>")
    assert headers.items() >= {**CHALLENGE, "Cache-Control": "no-store", "Content-Length": "22"}.items()
    assert seen == ["token_missing /käse"]
    assert call(middleware, HTTP_X_TOKEN=ISSUER.token())[0] == "200 OK"


@pytest.mark.parametrize(
    "handler",
    [
        lambda refusal: ("text/html", b"bytes"),
        lambda refusal: ("text/html", "str"),
        lambda refusal: "only a body",
        lambda refusal: None,
        lambda refusal: (200, "x"),
        lambda refusal: ("text/html", ["x"]),
        lambda refusal: refusal.message,
        lambda refusal: 1 // 0,
    ],
)
def test_whatever_a_handler_does_the_answer_is_a_refusal(handler: Any, caplog: pytest.LogCaptureFixture) -> None:
    status, headers, body = call(protected(error_handler=handler))
    assert (status, headers["Content-Length"]) == ("401 Unauthorized", str(len(body)))
    assert body in (b"bytes", b"str", b'{"error":"token_missing"}')
    assert (body == b'{"error":"token_missing"}') == ("error_handler failed" in caplog.text)


def test_a_handler_is_told_no_more_than_the_client_may_be() -> None:
    told: list[Refusal] = []
    call(protected(error_handler=lambda refusal: told.append(refusal) or ("a/b", "")))  # type: ignore[func-returns-value]
    [refusal] = told
    assert vars(refusal).keys() == {"code", "status", "headers", "body"}
    assert (refusal.code, refusal.status, refusal.body) == ("token_missing", 401, b'{"error":"token_missing"}')


@pytest.mark.parametrize(
    ("field", "claims", "expected"),
    [
        ("email", {}, "alice@example.com"),
        ("subject", {}, "alice"),
        ("email", {"email": "k\xe4the@example.com"}, "k\xc3\xa4the@example.com"),
        ("email", {"email": ""}, None),
        ("subject", {"sub": ""}, None),
        ("email", None, None),
    ],
)
def test_remote_user(field: str, claims: dict[str, Any] | None, expected: str | None) -> None:
    """Whatever the server or the client says about it."""

    def legacy(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert "HTTP_REMOTE_USER" not in environ
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [repr(environ.get("REMOTE_USER")).encode()]

    verifier = ISSUER.verifier(optional=True, allow_anonymous=True)
    middleware = Pomerium(legacy, verifier=verifier, remote_user=field)  # type: ignore[arg-type]
    token = {} if claims is None else {"HTTP_X_POMERIUM_JWT_ASSERTION": ISSUER.token(**claims)}
    assert call(middleware, REMOTE_USER="root", HTTP_REMOTE_USER="root", **token)[2].decode() == repr(expected)


def test_an_on_refused_that_fails_changes_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    middleware = protected(on_refused=lambda *_: 1 / 0)
    assert (call(middleware)[0], call(middleware)[2]) == ("401 Unauthorized", b'{"error":"token_missing"}')
    assert "on_refused failed" in caplog.text


def test_keys_unavailable() -> None:
    middleware = Pomerium(application, route="http://127.0.0.1:9")
    status, headers, body = call(middleware, HTTP_X_POMERIUM_JWT_ASSERTION=ISSUER.token())
    assert (status, json.loads(body)) == ("503 Service Unavailable", {"error": "keys_unavailable"})
    assert int(headers["Retry-After"]) >= 1
    assert middleware.health()["keys_loaded"] is False


def test_a_wrong_configuration_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POMERIUM_JWT_ROUTE", raising=False)
    route = {"route": "https://app.example.com"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "audience"),
        ({"routes": "x"}, "routes"),
        ({"issuer": "app.example.com"}, "audience"),
        ({**route, "verifier": ISSUER.verifier()}, "leave out route"),
        ({"verifier": "x"}, "verifier takes a Verifier"),
        ({**route, "error_handler": "x"}, "error_handler takes a function"),
        ({**route, "on_refused": 1}, "on_refused takes a function"),
        ({**route, "remote_user": "claims"}, "remote_user takes subject"),
        ({**route, "remote_user": "name"}, "remote_user takes subject"),
        ({**route, "optional": True, "require_group": "admins"}, "contradict"),
        ({**route, "require_group": []}, "require_group"),
        ({**route, "exempt_paths": ["/k%C3%A4se"]}, "exempt_paths"),
        ({**route, "exempt_paths": ["/*"]}, "every path"),
        ({**route, "header_name": "X Y"}, "header_name"),
    ]
    for options, part in wrong:
        with pytest.raises(OptionsError, match=part):
            Pomerium(application, **options)


def test_operations_can_add_a_demand_that_the_code_does_not_know(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """found: a POMERIUM_JWT_REQUIRE_GROUP next to options in code was ignored, and everybody got in."""
    monkeypatch.setenv("POMERIUM_JWT_REQUIRE_GROUP", "admins")
    monkeypatch.setenv("POMERIUM_JWT_LEEWAY", "7")
    caplog.set_level(logging.INFO, "pomerium_jwt")
    staff, admin = ({"HTTP_X_POMERIUM_JWT_ASSERTION": ISSUER.token(groups=[group])} for group in ("staff", "admins"))
    middleware = protected(leeway=8)
    assert [call(middleware, **token)[0] for token in (staff, admin)] == ["403 Forbidden", "200 OK"]
    assert middleware.verifier.options["leeway"] == 8
    overridden = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert overridden[0] == "options in code override the environment: POMERIUM_JWT_LEEWAY"
    assert call(protected(require_group="staff"), **staff)[0] == "200 OK", "code wins"
    assert call(Pomerium(application, verifier=ISSUER.verifier()), **staff)[0] == "200 OK", "no environment"
    monkeypatch.setenv("POMERIUM_JWT_REQUIRE_GROUPS", "admins")
    with pytest.raises(OptionsError, match="POMERIUM_JWT_REQUIRE_GROUPS.* is unknown"):
        protected()


def test_two_mounts_share_keys_and_differ_in_their_demands(issuer: Any) -> None:
    base = Verifier(route=issuer.url)
    assert issuer.fetches() == 0
    admin = Pomerium(application, verifier=base.with_options(require_group="admins"))
    everybody = Pomerium(application, verifier=base)
    assert issuer.fetches() == 0, "no network at start"
    token = {"HTTP_X_POMERIUM_JWT_ASSERTION": issuer.mint(groups="staff")}
    assert [call(middleware, **token)[0] for middleware in (admin, everybody)] == ["403 Forbidden", "200 OK"]
    assert issuer.fetches() == 1
    assert base.status()["counts"]["group_required"] == 1
