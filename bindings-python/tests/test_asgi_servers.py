"""ASGI servers in front of a real `pomerium-jwt issuer`. The HTTP suite has uvicorn; here is what differs elsewhere."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Issuer
from websockets.sync.client import connect

EXAMPLES = ROOT / "examples" / "python"
HEADER = "X-Pomerium-Jwt-Assertion"

# The status of a WebSocket that is refused: servers with the extension `websocket.http.response` send ours
SERVERS = {
    "hypercorn": (["hypercorn", "--bind", "127.0.0.1:{port}"], 401),
    "hypercorn-trio": (["hypercorn", "--worker-class", "trio", "--bind", "127.0.0.1:{port}"], 401),
    "granian": (["granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}"], 401),
    "gunicorn": (["gunicorn", "-c", "/dev/null", "--worker-class", "asgi", "--bind", "127.0.0.1:{port}"], 403),
}
PREFIXED = {
    "hypercorn": ["hypercorn", "--root-path", "/api", "--bind", "127.0.0.1:{port}"],
    "uvicorn": ["uvicorn", "--root-path", "/api", "--port", "{port}"],
}


@contextlib.contextmanager
def serving(command: list[str], application: str, **variables: str) -> Iterator[int]:
    """A server, from when it accepts connections; its log is empty of tokens and tracebacks."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    words = [sys.executable, "-m", *(word.format(port=port) for word in command), application]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POMERIUM_JWT_")}
    own = {**inherited, "PYTHONDONTWRITEBYTECODE": "1", "POMERIUM_JWT_EXEMPT_PATHS": "/health,/api/health", **variables}
    server = subprocess.Popen(words, cwd=EXAMPLES, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        while server.poll() is None:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        log = server.communicate()[0]
    assert "Traceback" not in log and "eyJ" not in log, log


def get(port: int, path: str, *tokens: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with contextlib.closing(connection):
        connection.putrequest("GET", path)
        for name, value in [*((HEADER, token) for token in tokens), *headers.items()]:
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
MISSING, REPEATED = (401, b'{"error":"token_missing"}'), (401, b'{"error":"token_repeated"}')


@pytest.mark.parametrize("name", SERVERS)
def test_servers(issuer: Issuer, name: str) -> None:
    command, denied = SERVERS[name]
    with serving(command, "asgi:application", POMERIUM_JWT_ROUTE=issuer.url) as port:
        good = issuer.mint(groups="admins")
        assert get(port, "/") == MISSING
        assert get(port, "/", good, good) == REPEATED
        assert get(port, "/", good, "") == REPEATED
        assert get(port, "/", issuer.mint(expires_in="-100")) == (401, b'{"error":"token_expired"}')
        assert json.loads(get(port, "/admin", good)[1])["subject"] == "alice"
        assert get(port, "/admin", issuer.mint()) == (403, b'{"error":"group_required"}')
        assert get(port, "/health")[0] == 200
        for path in ("/health/", "/%68ealth", "//health", "/x/../health", "/HEALTH"):
            assert get(port, path) == MISSING, path
        assert get(port, "/health", Upgrade="tls/1.0") == MISSING

        for tokens in ([], [good, good], ["x.y.z"]):
            status, body = get(port, "/ws", *tokens, **UPGRADE)
            assert status == denied, body
            assert denied != 401 or json.loads(body)["error"].startswith("token_")
        assert get(port, "/health", **UPGRADE)[0] == denied, "never exempt"
        with connect(f"ws://127.0.0.1:{port}/ws", additional_headers={HEADER: good}) as websocket:
            assert websocket.recv() == "alice"


LONG_HEADERS = {
    "hypercorn": ["hypercorn", "-c", "file:{folder}/hypercorn.py", "--bind", "127.0.0.1:{port}"],
    "granian": SERVERS["granian"][0],
    "gunicorn": [*SERVERS["gunicorn"][0], "--limit-request-field_size", "131072"],
    "uvicorn": ["uvicorn", "--h11-max-incomplete-event-size", "131072", "--port", "{port}"],
}


@pytest.mark.parametrize("name", LONG_HEADERS)
def test_a_user_in_many_groups(issuer: Issuer, name: str, tmp_path: Path) -> None:
    """With the setting that the README names."""
    (tmp_path / "hypercorn.py").write_text("h11_max_incomplete_size = 131072\n")
    token = issuer.mint(groups=",".join(f"group-{number:05}" for number in range(3200)))
    command = [word.replace("{folder}", str(tmp_path)) for word in LONG_HEADERS[name]]
    with serving(command, "hello_asgi:application", POMERIUM_JWT_ROUTE=issuer.url) as port:
        assert len(token) > 60_000 and get(port, "/", token) == (200, b"Hello None")


PREFIXED_APPLICATIONS = """
from fastapi import FastAPI
from pomerium_jwt.fastapi import Pomerium

told, by_fastapi, untold = FastAPI(), FastAPI(root_path="/api"), FastAPI()
for app, options in ((told, {"root_path": "/api"}), (by_fastapi, {}), (untold, {})):
    Pomerium(app, **options)
    app.get("/health")(lambda: "ready")
    app.get("/")(lambda: "hello")
"""


@pytest.mark.parametrize("name", PREFIXED)
@pytest.mark.parametrize("application", ["told", "by_fastapi", "untold"])
def test_a_prefix_that_the_server_is_told(issuer: Issuer, name: str, application: str, tmp_path: Path) -> None:
    """The proxy in front has cut /api: exempt paths name it, and the application knows it too."""
    (tmp_path / "prefixed.py").write_text(PREFIXED_APPLICATIONS)
    told = {"POMERIUM_JWT_ROUTE": issuer.url, "PYTHONPATH": str(tmp_path)}
    with serving(PREFIXED[name], f"prefixed:{application}", **told) as port:
        assert get(port, "/health") == (MISSING if application == "untold" else (200, b'"ready"'))
        assert get(port, "/healthy") == get(port, "/") == MISSING
        assert get(port, "/", issuer.mint()) == (200, b'"hello"')


def test_a_wrong_configuration_stops_the_start() -> None:
    for command, application in [
        (["uvicorn", "--port", "0"], "fastapi_app:app"),
        (["hypercorn", "--bind", "127.0.0.1:0"], "asgi:application"),
    ]:
        run = subprocess.run(
            [sys.executable, "-m", *command, application],
            cwd=EXAMPLES,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "POMERIUM_JWT_REQUIRED_GROUPS": "x"},
            capture_output=True,
            text=True,
        )
        assert 'the environment variable "POMERIUM_JWT_REQUIRED_GROUPS" is unknown' in run.stderr
