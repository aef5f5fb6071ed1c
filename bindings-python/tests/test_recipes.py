"""The recipes of examples/python/recipes, as their users run them."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import ROOT, Issuer
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from pomerium_jwt.testing import HEADER, TestIssuer

EXAMPLES = ROOT / "examples" / "python"
ISSUER = TestIssuer()
URL = "https://app.example.com"


def recipe(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its module, imported with the environment of the test's issuer."""
    monkeypatch.syspath_prepend(EXAMPLES)
    for variable, value in ISSUER.environment.items():
        monkeypatch.setenv(variable, value)
    sys.modules.pop(f"recipes.{name}", None)
    return importlib.import_module(f"recipes.{name}")


def test_remote_user(monkeypatch: pytest.MonkeyPatch) -> None:
    application = recipe("remote_user", monkeypatch).application
    with httpx.Client(transport=httpx.WSGITransport(application), base_url=URL) as client:
        assert client.get("/", headers=ISSUER.headers()).text == "alice@example.com"
        assert client.get("/", headers={"Remote-User": "root"}).json() == {"error": "token_missing"}


def test_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page, an asset, and a callback."""
    client = recipe("dash_app", monkeypatch).server.test_client()
    for path in ("/", "/_dash-layout", "/_dash-component-suites/dash/deps/react.js", "/assets/x"):
        assert client.get(path).json == {"error": "token_missing"}
    call = {
        "output": "hello.children",
        "outputs": {"id": "hello", "property": "children"},
        "inputs": [{"id": "name", "property": "value", "value": "Bob"}],
        "changedPropIds": ["name.value"],
    }
    assert client.post("/_dash-update-component", json=call).json == {"error": "token_missing"}
    answer = client.post("/_dash-update-component", json=call, headers=ISSUER.headers())
    assert answer.json["response"] == {"hello": {"children": "Hello Bob, or rather alice"}}


def test_flask_socketio(monkeypatch: pytest.MonkeyPatch) -> None:
    module = recipe("socketio_app", monkeypatch)
    polling = "/socket.io/?EIO=4&transport=polling"
    client = module.app.test_client()
    assert client.get(polling).json == {"error": "token_missing"}
    opened = client.get(polling, headers=ISSUER.headers())
    sid = json.loads(opened.data[1:])["sid"]
    session = f"{polling}&sid={sid}"
    assert client.post(session, data="40", headers=ISSUER.headers(email="new@example.com")).data == b"OK"
    assert client.post(session, data='42["hello"]', headers=ISSUER.headers("bob")).status_code == 403
    assert client.get(session, headers=ISSUER.headers("bob")).status_code == 403
    assert client.get(session).status_code == 401
    assert client.get(session, headers=ISSUER.headers()).data.startswith(b"40{")


def test_mcp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the wire: each call has its own identity, and without a token there is not even a list of tools."""
    application = recipe("mcp_server", monkeypatch).application
    initialize = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            import uvicorn

            config = uvicorn.Config(application, fd=listener.fileno(), log_config=None)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve())
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=base, headers=headers) as client:
                refused = await client.post("/mcp", json=initialize)
                assert (refused.status_code, refused.json()) == (401, {"error": "token_missing"})
                opened = await client.post("/mcp", json=initialize, headers=ISSUER.headers())
                assert opened.status_code == 200 and "serverInfo" in opened.text
                assert "alice" in await tool(client, "who_am_i", ISSUER.headers())
                assert "bob" in await tool(client, "who_am_i", ISSUER.headers("bob"))
                assert "restarted" in await tool(client, "restart", ISSUER.headers(groups=["operators"]))
                denied = await tool(client, "restart", ISSUER.headers())
                assert '"isError":true' in denied and "operators" not in denied, "nothing of the message"
            server.should_exit = True
            await serving

    asyncio.run(main())


async def tool(client: httpx.AsyncClient, name: str, headers: dict[str, str]) -> str:
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": name, "arguments": {}}}
    answer = await client.post("/mcp", json=call, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture
def streamlit(issuer: Issuer, tmp_path: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = f"streamlit run recipes/streamlit_app.py --server.headless true --server.port {port}".split()
    variables = {
        **os.environ,
        "HOME": str(tmp_path),
        "POMERIUM_JWT_ROUTE": issuer.url,
        "PYTHONDONTWRITEBYTECODE": "1",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    }
    pipe = subprocess.DEVNULL
    server = subprocess.Popen([sys.executable, "-m", *command], cwd=EXAMPLES, env=variables, stdout=pipe, stderr=pipe)
    try:
        while server.poll() is None:
            try:
                with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                    if client.get("/_stcore/health").status_code == 200:
                        break
            except httpx.TransportError:
                time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


def test_streamlit(issuer: Issuer, streamlit: int) -> None:
    """A session sends what it shows once the browser asks to run the page."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    session = ""

    def shown(*tokens: str, resume: str = "") -> str:
        nonlocal session
        headers = [("Origin", f"http://127.0.0.1:{streamlit}"), *((HEADER, token) for token in tokens)]
        url = f"ws://127.0.0.1:{streamlit}/_stcore/stream"
        offered = [Subprotocol(name) for name in ("streamlit", "xsrf", resume) if resume or name == "streamlit"]
        with connect(url, additional_headers=headers, subprotocols=offered, open_timeout=None) as websocket:
            run = BackMsg()
            run.rerun_script.query_string = ""
            websocket.send(run.SerializeToString())
            texts: list[str] = []
            while True:
                message = ForwardMsg()
                message.ParseFromString(websocket.recv())
                if message.WhichOneof("type") == "new_session":
                    session = message.new_session.initialize.session_id
                if message.WhichOneof("type") == "script_finished":
                    return " ".join(texts)
                element = message.delta.new_element
                texts.append(element.markdown.body or element.alert.body)

    good = issuer.mint()
    assert "Hello alice" in shown(good)
    alice = session
    assert "Hello bob" in shown(issuer.mint(sub="bob"), resume=alice)
    assert session == alice, "resumed"
    assert "token_missing" in shown(resume=alice)
    assert session == alice, "resumed"
    assert "Hello alice" in shown(issuer.mint(), resume=alice)
    for tokens, code in (([], "token_missing"), ([good, good], "token_repeated"), (["x.y.z"], "token_malformed")):
        page = shown(*tokens)
        assert code in page and "Hello" not in page


def test_flask_socketio_over_a_real_websocket(issuer: Issuer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    variables = {**os.environ, "PORT": str(port), "POMERIUM_JWT_ROUTE": issuer.url, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "recipes.socketio_app"]
    pipe = subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=EXAMPLES, env=variables, stdout=pipe, stderr=pipe)
    url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    try:
        while server.poll() is None:
            try:
                with connect(url, open_timeout=None):
                    pytest.fail("a WebSocket opened without a token")
            except InvalidStatus as refused:
                assert refused.response.status_code == 401
                break
            except OSError:
                time.sleep(0.1)
        with connect(url, additional_headers={HEADER: issuer.mint()}, open_timeout=None) as websocket:
            assert str(websocket.recv()).startswith("0{")
            websocket.send("40")
            assert str(websocket.recv()).startswith("40")
            websocket.send('42["hello"]')
            assert websocket.recv() == '42["hello","alice"]'
    finally:
        server.terminate()
        server.wait()
