"""The ASGI middleware, called as a server calls it. test_asgi_servers.py has the real servers."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import trio
from conftest import Issuer, PatientIssuer

from pomerium_jwt import OptionsError, Verifier
from pomerium_jwt._scope import sent_path
from pomerium_jwt._waiting import WORKER
from pomerium_jwt.asgi import Pomerium

ISSUER = PatientIssuer()
HEADER = b"x-pomerium-jwt-assertion"
GOOD = (HEADER, ISSUER.token(groups=["admins"]).encode())

Messages = list[dict[str, Any]]


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        assert "pomerium" not in scope
        await send({"type": "lifespan.startup.complete"})
        return
    subject = scope["pomerium"].subject if scope["pomerium"] else "nobody"
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": subject})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": subject.encode()})


def scope_of(*headers: tuple[bytes, bytes], path: str = "/", **others: Any) -> dict[str, Any]:
    raw = path.encode()
    return {"type": "http", "method": "GET", "path": path, "raw_path": raw, "headers": list(headers), **others}


async def ask(middleware: Pomerium, scope: dict[str, Any]) -> Messages:
    sent: Messages = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect" if scope["type"] == "websocket" else "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    await middleware(scope, receive, send)
    return sent


def call(middleware: Pomerium, *headers: tuple[bytes, bytes], **others: Any) -> Messages:
    return asyncio.run(ask(middleware, scope_of(*headers, **others)))


def protected(**options: Any) -> Pomerium:
    return Pomerium(application, **{**ISSUER.options, **options})


@pytest.mark.parametrize(
    ("options", "headers", "status", "body"),
    [
        ({}, [GOOD], 200, b"alice"),
        ({}, [], 401, b'{"error":"token_missing"}'),
        ({}, [GOOD, GOOD], 401, b'{"error":"token_repeated"}'),
        ({}, [GOOD, (HEADER, b"")], 401, b'{"error":"token_repeated"}'),
        ({}, [(HEADER, b""), GOOD], 401, b'{"error":"token_repeated"}'),
        ({}, [(HEADER.title(), GOOD[1])], 200, b"alice"),
        ({}, [(b"x_pomerium_jwt_assertion", GOOD[1])], 401, b'{"error":"token_missing"}'),
        ({}, [(HEADER, b"\xff\x00")], 401, b'{"error":"token_malformed"}'),
        ({}, [(HEADER, ISSUER.expired().encode())], 401, b'{"error":"token_expired"}'),
        ({"optional": True}, [], 200, b"nobody"),
        ({"optional": True}, [(HEADER, b"x")], 401, b'{"error":"token_malformed"}'),
        ({"require_group": "admins"}, [GOOD], 200, b"alice"),
        ({"require_group": "owners"}, [GOOD], 403, b'{"error":"group_required"}'),
        ({"exempt_paths": ["/"]}, [], 200, b"nobody"),
        ({"exempt_paths": ["/"]}, [(b"upgrade", b"websocket")], 401, b'{"error":"token_missing"}'),
        ({"exempt_paths": ["/"]}, [(b"upgrade", b"h2c"), (b"upgrade", b"x")], 401, b'{"error":"token_missing"}'),
        ({"exempt_paths": ["/"]}, [(b"upgrade", b"h2c")], 200, b"nobody"),
        ({"header_name": "X-Token"}, [(b"x-token", GOOD[1])], 200, b"alice"),
        ({"jwks": {"keys": []}}, [GOOD], 503, b'{"error":"keys_empty"}'),
    ],
)
def test_who_gets_in(options: dict[str, Any], headers: list[tuple[bytes, bytes]], status: int, body: bytes) -> None:
    start, end = call(protected(**options), *headers)
    assert (start["status"], end["body"]) == (status, body)
    if status != 200:
        sent = dict(start["headers"])
        assert sent.pop(b"www-authenticate", None) == (b'Bearer error="invalid_token"' if status == 401 else None)
        assert sent == {
            b"content-type": b"application/json",
            b"cache-control": b"no-store",
            b"content-length": str(len(body)).encode(),
        }


def test_head_is_refused_without_a_body() -> None:
    start, end = call(protected(), method="HEAD")
    assert (start["status"], dict(start["headers"])[b"content-length"], end["body"]) == (401, b"25", b"")


DENIAL: dict[str, Any] = {"extensions": {"websocket.http.response": {}}}


@pytest.mark.parametrize(
    ("headers", "others", "expected"),
    [
        ([GOOD], DENIAL, ["websocket.accept", "websocket.send"]),
        ([GOOD], {}, ["websocket.accept", "websocket.send"]),
        ([], DENIAL, ["websocket.http.response.start", "websocket.http.response.body"]),
        ([GOOD, GOOD], DENIAL, ["websocket.http.response.start", "websocket.http.response.body"]),
        ([], {}, ["websocket.close"]),
        ([], {"extensions": None}, ["websocket.close"]),
        ([], {"extensions": {"tls": {}}}, ["websocket.close"]),
    ],
)
def test_websockets(headers: list[tuple[bytes, bytes]], others: dict[str, Any], expected: list[str]) -> None:
    """On an exempt path too, and with the option optional only without a token."""
    sent = call(protected(exempt_paths=["/"]), *headers, type="websocket", **others)
    assert [message["type"] for message in sent] == expected
    if expected[0].endswith("start"):
        assert sent[0]["status"] == 401 and json.loads(sent[1]["body"])["error"].startswith("token_")
    if expected == ["websocket.close"]:
        assert sent[0]["code"] == 1008
    optional = call(protected(optional=True), type="websocket", **others)
    assert optional[-1]["text"] == "nobody"


def test_lifespan_is_none_of_its_business_and_what_it_does_not_know_reaches_nobody() -> None:
    assert call(protected(), type="lifespan") == [{"type": "lifespan.startup.complete"}]
    with pytest.raises(RuntimeError, match="cannot verify a scope of type 'webtransport'"):
        call(protected(), type="webtransport")


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        # Only a decoded path
        ({"path": "/health"}, "/health"),
        ({"path": "/a b"}, ""),
        ({"path": "/k\xe4se"}, ""),
        ({"path": "/health\n"}, ""),
        ({"path": "/a;b"}, ""),
        # What the client sent too
        ({"path": "/health", "raw_path": b"/health"}, "/health"),
        ({"path": "/health", "raw_path": b"/health?a=/b"}, "/health"),
        ({"path": "/health", "raw_path": b"/%68ealth"}, "/%68ealth"),
        ({"path": "/a/b", "raw_path": b"/a%2Fb"}, "/a%2Fb"),
        ({"path": "/k\xe4se", "raw_path": b"/k%C3%A4se"}, "/k%C3%A4se"),
        ({"path": "/a?b", "raw_path": b"/a%3Fb"}, "/a%3Fb"),
        ({"path": "/k\xe4se", "raw_path": "/k\xe4se".encode()}, ""),
        ({"path": "/health", "raw_path": "/health"}, ""),
        ({"path": "/health", "raw_path": None}, "/health"),
        # Rewritten by a middleware in front, in whatever way
        ({"path": "/admin", "raw_path": b"/health"}, ""),
        ({"path": "/health", "raw_path": b"/admin"}, ""),
        ({"path": "/health", "raw_path": b"//health"}, ""),
        ({"path": "/health", "raw_path": b"/x/../health"}, ""),
        ({"path": "http://app.example.com/health", "raw_path": b"http://app.example.com/health"}, ""),
        ({"path": "*", "raw_path": b"*"}, ""),
        ({"path": "", "raw_path": b""}, ""),
        ({"path": "/health", "raw_path": b"/health", "method": "CONNECT"}, ""),
    ],
)
def test_the_path_is_what_was_sent_and_is_routed(scope: dict[str, Any], expected: str) -> None:
    assert sent_path(scope) == expected


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        # Only a decoded path
        ({"path": "/api/health"}, "/api/health"),
        ({"path": "/health"}, "/api/health"),
        ({"path": "/apix"}, "/api/apix"),
        ({"path": "/k\xe4se"}, ""),
        # The prefix in both, in raw_path alone as after a mount, and in neither
        ({"path": "/api/health", "raw_path": b"/api/health"}, "/api/health"),
        ({"path": "/health", "raw_path": b"/api/health"}, "/api/health"),
        ({"path": "/health", "raw_path": b"/health"}, "/api/health"),
        ({"path": "/api/health", "raw_path": b"/%61pi/health"}, "/%61pi/health"),
        # Rewritten
        ({"path": "/admin", "raw_path": b"/health"}, ""),
        ({"path": "/api/admin", "raw_path": b"/api/health"}, ""),
    ],
)
def test_a_configured_prefix(scope: dict[str, Any], expected: str) -> None:
    assert sent_path({"root_path": "/api", **scope}, "/api") == expected
    for root_path in ("", "/", "/api/", "/ap", "/api/health", "/other"):
        assert sent_path({**scope, "root_path": root_path}, "/api") == "", root_path


@pytest.mark.parametrize("path", ["/public/admin", "/admin", "/public/x"])
def test_a_prefix_that_a_client_has_chosen_exempts_nothing(path: str) -> None:
    """Daphne takes it from the header Daphne-Root-Path, and hides that. What is routed of /public/admin is then /admin."""
    middleware = protected(exempt_paths=["/public/*"])
    assert call(middleware, path="/public/admin")[0]["status"] == 200
    for root_path in ("/public", "/", "//", "/public/"):
        assert call(middleware, path=path, root_path=root_path)[0]["status"] == 401
        assert call(middleware, path=path, root_path=root_path, raw_path=None)[0]["status"] == 401


@pytest.mark.parametrize("root_path", ["api", "/api/", "/", "/k\xe4se", "/a//b", 7, b"/api"])
def test_a_prefix_is_written_as_servers_are_told(root_path: Any) -> None:
    with pytest.raises(OptionsError, match="root_path takes the prefix"):
        protected(root_path=root_path)


def test_hooks_and_the_server_s_own_scope() -> None:
    seen: list[str] = []
    middleware = protected(
        error_handler=lambda refusal: ("text/html", f"<h1>{refusal.code}</h1>"),
        on_refused=lambda code, message, path: seen.append(f"{code} {path}"),
    )
    start, end = call(middleware, path="/käse")
    assert (dict(start["headers"])[b"content-type"], end["body"]) == (b"text/html", b"<h1>token_missing</h1>")
    assert seen == ["token_missing /käse"]
    scope = scope_of(GOOD)
    asyncio.run(ask(middleware, scope))
    assert scope["pomerium"].subject == "alice"
    assert middleware.health()["keys_loaded"]


def test_a_wrong_configuration_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionsError, match="audience"):
        Pomerium(application)
    with pytest.raises(OptionsError, match="leave out route"):
        Pomerium(application, verifier=ISSUER.verifier(), route="https://app.example.com")
    monkeypatch.setenv("POMERIUM_JWT_REQUIRE_GROUP", "owners")
    assert call(protected(), GOOD)[0]["status"] == 403, "operations add a demand"


Run = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


@pytest.mark.parametrize("run", [lambda main: asyncio.run(main()), trio.run], ids=["asyncio", "trio"])
def test_twenty_thousand_requests_while_the_key_server_hangs(issuer: Issuer, run: Run) -> None:
    """One thread waits; the event loop continues and answers requests that need no key."""
    issuer.post("/fault?kind=hang")
    verifier = Verifier(route=issuer.url, timeout=60, exempt_paths=["/health"])
    middleware, token = Pomerium(application, verifier=verifier), (HEADER, issuer.mint().encode())
    answers: list[int] = []

    async def one() -> None:
        answers.append((await ask(middleware, scope_of(token)))[0]["status"])

    async def main() -> None:
        async with nursery() as start:
            for _ in range(20_000):
                start(one)
            while threads() == 0:
                await in_thread(time.sleep, 0.01)
            assert threads() == 1 and answers == []
            assert (await ask(middleware, scope_of(path="/health")))[1]["body"] == b"nobody"
            assert (await ask(middleware, scope_of((HEADER, b"x"))))[0]["status"] == 401
            await in_thread(issuer.close)  # ends the fetch

    in_trio = run is trio.run
    nursery: Any = TrioNursery if in_trio else AsyncioNursery
    in_thread: Any = trio.to_thread.run_sync if in_trio else asyncio.to_thread
    run(main)
    assert answers == [503] * 20_000
    assert verifier.status()["fetches"] == 1


def threads() -> int:
    return [thread.name for thread in threading.enumerate()].count(WORKER)


class TrioNursery:
    async def __aenter__(self) -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
        self._manager: Any = trio.open_nursery()
        return (await self._manager.__aenter__()).start_soon

    async def __aexit__(self, *error: object) -> None:
        await self._manager.__aexit__(*error)


class AsyncioNursery:
    async def __aenter__(self) -> Callable[[Callable[[], Coroutine[Any, Any, None]]], Any]:
        self._tasks: list[asyncio.Task[None]] = []
        return lambda function: self._tasks.append(asyncio.create_task(function()))

    async def __aexit__(self, *error: object) -> None:
        await asyncio.gather(*self._tasks)
