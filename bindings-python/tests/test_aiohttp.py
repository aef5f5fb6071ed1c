"""aiohttp's server; the HTTP suite has the example."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientPayloadError, WSCloseCode, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer
from conftest import ROOT, PatientIssuer

from pomerium_jwt import OptionsError, require_group
from pomerium_jwt.aiohttp import IDENTITY, Pomerium

ISSUER = PatientIssuer()
ALICE = ISSUER.headers(groups=["admins"])
Client = TestClient[web.Request, web.Application]


async def show(request: web.Request) -> web.Response:
    identity = request[IDENTITY]
    return web.Response(text=identity.subject if identity else "nobody")


async def admin(request: web.Request) -> web.Response:
    return web.Response(text=require_group(request[IDENTITY], "admins").subject)


async def ws(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(require_group(request[IDENTITY], "admins").subject)
    await socket.close()
    return socket


def run(use: Callable[[Client], Awaitable[None]], *middlewares: Any, **options: Any) -> None:
    async def main() -> None:
        app = web.Application(middlewares=middlewares)
        Pomerium(app, **{**ISSUER.options, "exempt_paths": "/open", **options})
        routes = [web.get("/", show), web.get("/open", show), web.get("/admin", admin), web.get("/ws", ws)]
        app.add_routes(routes)
        inner = web.Application()
        inner.add_routes(routes)
        app.add_subapp("/inner", inner)
        async with TestClient(TestServer(app)) as client:
            await use(client)

    asyncio.run(main())


def test_who_gets_in() -> None:
    seen: list[str] = []

    async def use(client: Client) -> None:
        for path in ("/", "/nowhere", "/inner/", "/inner/nowhere", "/open/", "/inner/open"):
            answer = await client.get(path)
            assert (answer.status, await answer.json()) == (401, {"error": "token_missing"}), path
            assert (answer.headers["Cache-Control"], answer.content_type) == ("no-store", "application/json")
        assert (await client.head("/")).status == 401
        assert await (await client.get("/open")).text() == "nobody"
        assert (await client.get("/open", headers={"Upgrade": "tls/1.0"})).status == 401
        twice = [(name, value) for name, value in ALICE.items() for _ in range(2)]
        assert await (await client.get("/", headers=twice)).json() == {"error": "token_repeated"}
        assert await (await client.get("/inner/admin", headers=ALICE)).text() == "alice"
        seen.clear()
        answer = await client.get("/admin", headers=ISSUER.headers())
        assert (answer.status, await answer.json()) == (403, {"error": "group_required"})
        assert seen == ["group_required /admin"]

    run(use, on_refused=lambda code, message, path: seen.append(f"{code} {path}"))


def test_websockets() -> None:
    async def use(client: Client) -> None:
        async with client.ws_connect("/ws", headers=ALICE) as socket:
            assert await socket.receive_str() == "alice"
        for path in ("/ws", "/open", "/inner/ws"):
            with pytest.raises(WSServerHandshakeError, match="401"):
                await client.ws_connect(path)

    run(use)


def test_a_demand_after_the_answer_has_begun() -> None:
    """Nothing more is sent: neither a second answer within a WebSocket, nor what would look like a whole page."""

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"part")
        require_group(request[IDENTITY], "admins")
        await response.write(b" of a page")
        return response

    async def main() -> None:
        app = web.Application()
        Pomerium(app, **ISSUER.options)
        app.add_routes([web.get("/stream", stream), web.get("/ws", ws)])
        async with TestClient(TestServer(app)) as client:
            assert await (await client.get("/stream", headers=ALICE)).text() == "part of a page"
            with pytest.raises(ClientPayloadError):
                await (await client.get("/stream", headers=ISSUER.headers())).text()
            async with client.ws_connect("/ws", headers=ISSUER.headers()) as socket:
                message = await socket.receive()
            assert (message.type, socket.close_code) == (WSMsgType.CLOSED, WSCloseCode.ABNORMAL_CLOSURE)

    asyncio.run(main())


def test_mistakes() -> None:
    app = web.Application()
    with pytest.raises(OptionsError, match="audience"):
        Pomerium(app)
    Pomerium(app, **ISSUER.options)
    with pytest.raises(OptionsError, match="a Pomerium already"):
        Pomerium(app, **ISSUER.options)


def test_the_least_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one in the README."""
    monkeypatch.syspath_prepend(ROOT / "examples" / "python")
    for name, value in ISSUER.environment.items():
        monkeypatch.setenv(name, value)
    app = importlib.import_module("hello_aiohttp").app

    async def main() -> None:
        async with TestClient(TestServer(app)) as client:
            assert await (await client.get("/admin", headers=ALICE)).text() == "Hello alice@example.com"
            assert (await client.get("/admin", headers=ISSUER.headers())).status == 403
            assert (await client.get("/")).status == 401

    asyncio.run(main())
