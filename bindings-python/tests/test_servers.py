"""The Flask example and the WSGI middleware under real servers, in front of a real `pomerium-jwt issuer`."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Issuer

EXAMPLES = ROOT / "examples" / "python"
TESTS = Path(__file__).parent
HEADER = "X-Pomerium-Jwt-Assertion"

# A worker that is told to stop before it has booted does not hear it: the arbiter then waits for the graceful timeout
GUNICORN = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "--graceful-timeout", "5"]
PRELOAD = [*GUNICORN, "--preload", "--workers", "3"]
THREADS = [*GUNICORN, "--worker-class", "gthread", "--threads", "8"]
SERVERS = {"preload": [*PRELOAD, "app:app"], "gthread": [*THREADS, "app:app"], "stdlib": [sys.executable, "app.py"]}
WSGI_SERVERS = {
    "preload": [*PRELOAD, "server_app:application"],
    "gthread": [*THREADS, "server_app:application"],
    "stdlib": [sys.executable, "server_app.py"],
}


class Server:
    """A running server, whose port is in what it writes when it listens."""

    def __init__(self, command: list[str], folder: Path, **variables: str) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.log: list[str] = []
        for line in self.process.stdout:
            self.log.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise AssertionError("the server did not start:\n" + "".join(self.log))
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stdout or ()))
        self._reader.start()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def request(self, path: str, *tokens: str, method: str = "GET", **headers: str) -> tuple[int, bytes, str | None]:
        """Status, body and Retry-After."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        with contextlib.closing(connection):
            connection.putrequest(method, path)
            for name, value in [*((HEADER, token) for token in tokens), *headers.items()]:
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Retry-After")


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POMERIUM_JWT_")}
    return {**inherited, "PORT": "0", "PYTHONDONTWRITEBYTECODE": "1", **variables}


@contextlib.contextmanager
def serving(command: list[str], folder: Path, **variables: str) -> Iterator[Server]:
    server = Server(command, folder, **variables)
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize("kind", SERVERS)
def test_flask_example(issuer: Issuer, kind: str) -> None:
    with serving(SERVERS[kind], EXAMPLES, POMERIUM_JWT_ROUTE=issuer.url, POMERIUM_JWT_TIMEOUT="1") as server:
        good, admin = issuer.mint(), issuer.mint(groups="admins,staff", department="R&D")

        assert server.request("/healthz")[0] == 200
        assert refused(server, "/") == (401, "token_missing")
        assert refused(server, "/", issuer.mint(expires_in="-100")) == (401, "token_expired")
        assert refused(server, "/", issuer.mint(host="other.example.com")) == (401, "issuer_mismatch")
        assert refused(server, "/", good, good) == (401, "token_repeated")
        assert refused(server, "/", good[:-1])[0] == 401
        assert refused(server, "/admin", good) == (403, "group_required")
        assert refused(server, "/nowhere") == (401, "token_missing")
        assert server.request("/", method="OPTIONS", Access_Control_Request_Method="GET")[0] == 200

        status, body, _ = server.request("/", admin)
        assert (status, json.loads(body)["groups"]) == (200, ["admins", "staff"])
        status, body, _ = server.request("/admin", admin)
        assert json.loads(body) == {"department": "R&D", "sign_out": "/.pomerium/sign_out"}
    assert "Traceback" not in "".join(server.log)
    assert good not in "".join(server.log)


@pytest.mark.parametrize("kind", WSGI_SERVERS)
def test_wsgi_middleware(issuer: Issuer, kind: str) -> None:
    with serving(WSGI_SERVERS[kind], TESTS, POMERIUM_JWT_ROUTE=issuer.url) as server:
        good = issuer.mint()
        assert server.request("/", good) == (200, b"alice", None)
        assert server.request("/") == (200, b"nobody", None), "optional: without a token nobody in particular"
        assert refused(server, "/", issuer.mint(expires_in="-100")) == (401, "token_expired")
        assert refused(server, "/", "nonsense") == (401, "token_malformed")
        assert refused(server, "/", good, good) == (401, "token_repeated")


@pytest.mark.parametrize("kind", SERVERS)
def test_the_key_server_is_away(issuer: Issuer, kind: str) -> None:
    issuer.post("/fault?kind=500")
    with serving(SERVERS[kind], EXAMPLES, POMERIUM_JWT_ROUTE=issuer.url) as server:
        status, body, retry_after = server.request("/", issuer.mint())
        assert (status, json.loads(body)) == (503, {"error": "keys_unavailable"})
        assert retry_after is not None and int(retry_after) >= 1
        status, body, _ = server.request("/healthz")
        assert (status, json.loads(body)["keys_loaded"]) == (200, False), "alive, whatever the key server does"


@pytest.mark.parametrize("kind", ["preload", "gthread"])
def test_rotation_during_load(issuer: Issuer, kind: str) -> None:
    """Several workers, each with its own keys after the fork: nothing is refused when the steps are kept."""
    options = {"POMERIUM_JWT_CACHE_TTL": "1", "POMERIUM_JWT_REFETCH_COOLDOWN": "1"}
    with serving(SERVERS[kind], EXAMPLES, POMERIUM_JWT_ROUTE=issuer.url, **options) as server:
        stop, answers = threading.Event(), list[tuple[int, bytes, str | None]]()

        def work() -> None:
            while not stop.wait(0.02):
                answers.append(server.request("/", issuer.mint()))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for pause, step in [(1, "append"), (2, "swap"), (2, "drop"), (2, None)]:
            time.sleep(pause)
            if step:
                issuer.post(f"/rotate?step={step}")
        stop.set()
        for thread in threads:
            thread.join()
        assert len(answers) >= 80
        assert {status for status, _, _ in answers} == {200}, [answer for answer in answers if answer[0] != 200]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_wrong_configuration_stops_the_start(kind: str) -> None:
    run = subprocess.run(SERVERS[kind], cwd=EXAMPLES, env=environment(), capture_output=True, text=True)
    assert run.returncode != 0
    assert "OptionsError: invalid_options: " in run.stderr and "audience" in run.stderr


@pytest.mark.parametrize(
    ("claims", "code", "printed"),
    [({}, 0, "alice -\n"), ({"email": "a@example.com"}, 0, "alice a@example.com\n"), ({"expires_in": "-100"}, 1, "")],
)
def test_verify_example(issuer: Issuer, claims: dict[str, str], code: int, printed: str) -> None:
    run = subprocess.run(
        [sys.executable, EXAMPLES / "verify.py"],
        input=issuer.mint(**claims) + "\n",
        env={**os.environ, "POMERIUM_JWT_ROUTE": issuer.url},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (code, printed), run.stderr


def refused(server: Server, path: str, *tokens: str) -> tuple[int, str]:
    status, body, _ = server.request(path, *tokens)
    return status, json.loads(body)["error"]
