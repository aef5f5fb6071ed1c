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

import h2.connection
import h2.events
import pytest
from conftest import ROOT, Issuer
from websockets.sync.client import connect

EXAMPLES = ROOT / "examples" / "python"
HEADER = "X-Pomerium-Jwt-Assertion"

# hypercorn closes a connection on which nothing has come for 5 seconds
PATIENT = ["--keep-alive", "600"]
# The status of a WebSocket that is refused: servers with the extension `websocket.http.response` send ours
SERVERS = {
    "hypercorn": (["hypercorn", *PATIENT, "--bind", "127.0.0.1:{port}"], 401),
    "hypercorn-trio": (["hypercorn", *PATIENT, "--worker-class", "trio", "--bind", "127.0.0.1:{port}"], 401),
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
    own = {
        **inherited,
        "PYTHONDONTWRITEBYTECODE": "1",
        "POMERIUM_JWT_EXEMPT_PATHS": "/health,/api/health",
        "POMERIUM_JWT_TIMEOUT": "60",  # on a loaded machine the issuer may take its time
        **variables,
    }
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
        url, headers = f"ws://127.0.0.1:{port}/ws", {HEADER: good}
        with connect(url, additional_headers=headers, open_timeout=None) as websocket:
            assert websocket.recv() == "alice"


def test_http_2(issuer: Issuer) -> None:
    """hypercorn takes an `Upgrade: h2c` by itself, and then a WebSocket is an extended CONNECT (RFC 8441)."""
    good = issuer.mint()
    with serving(SERVERS["hypercorn"][0], "asgi:application", POMERIUM_JWT_ROUTE=issuer.url) as port:
        for path, tokens, answer in [
            ("/health", [], (200, b"configured")),
            ("/reports", [], (401, b"token_missing")),
            ("/", [good], (200, b"alice")),
            ("/", [good, good], (401, b"token_repeated")),
            ("/admin", [good], (403, b"group_required")),
        ]:
            with contextlib.closing(Http2(port, path, tokens)) as connection:
                status, body = connection.answer(1)
            assert status == answer[0] and answer[1] in body, path
        with contextlib.closing(Http2(port, "/health", [])) as connection:
            for path, tokens, status in [("/health", [], 401), ("/ws", [good, good], 401), ("/ws", [good], 200)]:
                assert connection.answer(connection.websocket(path, tokens))[0] == status, path


class Http2:
    """A connection that began as HTTP/1.1 and was upgraded with its first request, which is stream 1."""

    def __init__(self, port: int, path: str, tokens: list[str]) -> None:
        self._h2 = h2.connection.H2Connection()
        settings = self._h2.initiate_upgrade_connection()
        assert settings is not None
        headers = [*((HEADER, token) for token in tokens), ("HTTP2-Settings", settings.decode())]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        request = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n{lines}\r\n"
        )
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(request.encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._socket.recv(65536)
        head, _, rest = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        self._socket.sendall(self._h2.data_to_send())
        self._events = list(self._h2.receive_data(rest))

    def close(self) -> None:
        self._socket.close()

    def websocket(self, path: str, tokens: list[str]) -> int:
        stream = self._h2.get_next_available_stream_id()
        asked = {":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":path": path, ":authority": "x"}
        headers = [*asked.items(), ("sec-websocket-version", "13"), *((HEADER.lower(), token) for token in tokens)]
        self._h2.send_headers(stream, headers)
        return stream

    def answer(self, stream: int) -> tuple[int, bytes]:
        """Its status and body."""
        status, body = 0, b""
        while True:
            self._socket.sendall(self._h2.data_to_send())
            for event in self._events:
                if getattr(event, "stream_id", None) != stream:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[b":status"])
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                if isinstance(event, h2.events.StreamEnded):
                    return status, body
            received = self._socket.recv(65536)
            assert received, "the server has hung up"
            self._events = list(self._h2.receive_data(received))


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
