"""The WSGI middleware, called as a server calls it. test_servers.py has the real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from pomerium_jwt import OptionsError
from pomerium_jwt.testing import TestIssuer
from pomerium_jwt.wsgi import Pomerium

ISSUER = TestIssuer()


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    identity = environ["pomerium"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [(identity.subject if identity else "nobody").encode()]


def call(
    middleware: Pomerium, path: str = "/", method: str = "GET", **variables: str
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


@pytest.mark.parametrize(
    ("options", "token", "status", "body"),
    [
        ({}, ISSUER.token(), "200 OK", b"alice"),
        ({}, None, "401 Unauthorized", b'{"error":"token_missing"}'),
        ({}, ISSUER.token() + "," + ISSUER.token(), "401 Unauthorized", b'{"error":"token_repeated"}'),
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
    ],
)
def test_who_gets_in(options: dict[str, Any], token: str | None, status: str, body: bytes) -> None:
    header = {} if token is None else {"HTTP_X_POMERIUM_JWT_ASSERTION": token}
    answer = call(protected(**options), **header)
    assert (answer[0], answer[2]) == (status, body)
    if not answer[0].startswith("200"):
        assert answer[1] == {"Content-Type": "application/json", "Content-Length": str(len(body))}


def test_paths_are_compared_exactly_and_decoded() -> None:
    middleware = protected(exempt_paths=["/käse"])
    for path, status in [("/käse", "200 OK"), ("/käse/", "401 Unauthorized"), ("/KÄSE", "401 Unauthorized")]:
        assert call(middleware, path.encode().decode("latin-1"))[0] == status


def test_preflight_and_head() -> None:
    middleware = protected()
    status, headers, body = call(middleware, method="OPTIONS", HTTP_ACCESS_CONTROL_REQUEST_METHOD="GET")
    assert (status, body) == ("200 OK", b""), "anybody can send one: it gets no content"
    assert headers.get("Content-Type") and "Content-Length" not in headers
    assert call(middleware, method="OPTIONS")[0] == "401 Unauthorized"
    assert call(middleware, method="HEAD")[2] == b""


def test_a_preflight_to_an_endless_answer_ends() -> None:
    """Who sends it need not be signed in, and must not hold a worker."""
    ended: list[str] = []

    def endless(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        try:
            for _ in range(100_000):
                yield b"data: secret"
            pytest.fail("it was read to its end")
        finally:
            ended.append("closed")

    middleware = Pomerium(endless, **ISSUER.options)
    answer = call(middleware, method="OPTIONS", HTTP_ACCESS_CONTROL_REQUEST_METHOD="GET")
    assert (answer[0], answer[2], ended) == ("200 OK", b"", ["closed"])


def test_hooks() -> None:
    seen: list[str] = []
    middleware = protected(
        error_handler=lambda refusal: ("text/html", f"<h1>{refusal.code}</h1>".encode()),
        on_refused=lambda code, message, path: seen.append(f"{code} {path}"),
        header_name="X-Token",
    )
    status, headers, body = call(middleware, "/path", HTTP_X_POMERIUM_JWT_ASSERTION=ISSUER.token())
    assert (status, headers["Content-Type"], body) == ("401 Unauthorized", "text/html", b"<h1>token_missing</h1>")
    assert seen == ["token_missing /path"]
    assert call(middleware, HTTP_X_TOKEN=ISSUER.token())[0] == "200 OK"


def test_keys_unavailable() -> None:
    middleware = Pomerium(application, route="http://127.0.0.1:9")
    status, headers, body = call(middleware, HTTP_X_POMERIUM_JWT_ASSERTION=ISSUER.token())
    assert (status, json.loads(body)) == ("503 Service Unavailable", {"error": "keys_unavailable"})
    assert int(headers["Retry-After"]) >= 1
    assert middleware.health()["keys_loaded"] is False


def test_a_wrong_configuration_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POMERIUM_JWT_ROUTE", raising=False)
    for options in [{}, {"routes": "x"}, {"issuer": "app.example.com"}]:
        with pytest.raises(OptionsError):
            Pomerium(application, **options)  # type: ignore[arg-type]
    with pytest.raises(OptionsError, match="leave out route"):
        Pomerium(application, verifier=ISSUER.verifier(), route="https://app.example.com")
