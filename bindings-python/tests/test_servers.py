"""The examples as the README starts them, and under other servers, in front of a real `pomerium-jwt issuer`."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from conftest import ROOT, Issuer

EXAMPLES = ROOT / "examples" / "python"
HEADER = "X-Pomerium-Jwt-Assertion"

# As in the README; gunicorn reads gunicorn.conf.py in the folder of the examples
GUNICORN = [sys.executable, "-m", "gunicorn", "--no-control-socket"]
# A worker that is told to stop before it has booted does not hear it: the arbiter then waits for the graceful timeout
GEVENT = [*GUNICORN, "--graceful-timeout", "5", "--worker-class", "gevent", "--workers", "1"]
WSGIREF = """
import sys
from importlib import import_module
from wsgiref.simple_server import make_server
module, name = sys.argv[1].split(":")
server = make_server("127.0.0.1", 0, getattr(import_module(module), name))
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""
WERKZEUG = """
import sys
from importlib import import_module
from werkzeug.serving import make_server
module, name = sys.argv[1].split(":")
server = make_server("127.0.0.1", 0, getattr(import_module(module), name), threaded=True)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""
SERVERS = {
    "gunicorn": GUNICORN,
    "gevent": GEVENT,
    "wsgiref": [sys.executable, "-c", WSGIREF],
    "werkzeug": [sys.executable, "-c", WERKZEUG],
}
APPLICATIONS = {"flask": "app:app", "wsgi": "wsgi:application"}


class Server:
    """A running server, which writes its address to standard output when it listens, and its log to standard error."""

    def __init__(self, command: list[str], **variables: str) -> None:
        pipe = subprocess.PIPE
        variables = environment(**variables)
        self.process = subprocess.Popen(command, cwd=EXAMPLES, env=variables, stdout=pipe, stderr=pipe, text=True)
        assert self.process.stdout is not None
        self.log: list[str] = []
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr or ()))
        self._reader.start()
        line = self.process.stdout.readline()
        if not line:
            self.close()
            raise AssertionError("the server did not start:\n" + "".join(self.log))
        self.port = int(line.removeprefix("http://127.0.0.1:"))

    def close(self) -> None:
        self.process.terminate()
        assert self.process.stdout is not None and self.process.stderr is not None
        assert self.process.stdout.read() == "", "nothing but the address goes to standard output"
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def request(self, path: str, *tokens: str, method: str = "GET", **headers: str) -> tuple[int, bytes, str | None]:
        """Status, body and Retry-After."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        with contextlib.closing(connection):
            connection.putrequest(method, path)
            for name, value in [*((HEADER, token) for token in tokens), *headers.items()]:
                connection.putheader(name if name == "SCRIPT_NAME" else name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            self.headers = answer.headers
            return answer.status, answer.read(), answer.getheader("Retry-After")


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POMERIUM_JWT_")}
    return {**inherited, "PORT": "0", "PYTHONDONTWRITEBYTECODE": "1", **variables}


@contextlib.contextmanager
def started(kind: str, application: str, **variables: str) -> Iterator[Server]:
    command = [*SERVERS[kind], APPLICATIONS[application]]
    server = Server(command, POMERIUM_JWT_EXEMPT_PATHS="/health", **variables)
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize("kind", SERVERS)
def test_examples(issuer: Issuer, kind: str, application: str) -> None:
    with started(kind, application, POMERIUM_JWT_ROUTE=issuer.url, POMERIUM_JWT_TIMEOUT="1") as server:
        good, admin = issuer.mint(), issuer.mint(groups="admins,staff", email="a@example.com")

        health = json.loads(server.request("/health")[1])
        assert health.keys() == {"configured", "asked", "keys_loaded", "stale"} and health["configured"]
        assert refused(server, "/") == (401, "token_missing")
        assert refused(server, "/", issuer.mint(expires_in="-100")) == (401, "token_expired")
        assert refused(server, "/", issuer.mint(host="other.example.com")) == (401, "issuer_mismatch")
        assert refused(server, "/", good, good) == (401, "token_repeated")
        assert refused(server, "/", good, "") == (401, "token_repeated")
        assert refused(server, "/", good[:-1])[0] == 401
        assert refused(server, "/admin", good) == (403, "group_required")
        assert refused(server, "/nowhere") == (401, "token_missing")
        assert refused(server, "/health", Upgrade="websocket") == (401, "token_missing")
        if kind in ("gunicorn", "gevent"):  # both are gunicorn, which would make / of it
            assert refused(server, "/health", SCRIPT_NAME="/health") == (401, "token_missing")
        for path in ("/health/", "/HEALTH", "/health/x", "/health;x", "/x/../health", "/health%2f"):
            assert refused(server, path) == (401, "token_missing"), path
        preflight = {"Origin": "https://evil.example.com", "Access_Control_Request_Method": "DELETE"}
        assert refused(server, "/", method="OPTIONS", **preflight) == (401, "token_missing")

        status, body, _ = server.request("/", admin)
        identity = json.loads(body)
        assert status == 200 and len(identity) == 12
        assert (identity["groups"], identity["email"], identity["name"]) == (["admins", "staff"], "a@example.com", None)
        assert json.loads(server.request("/admin", admin)[1])["subject"] == "alice"
        for method in ("POST", "DELETE", "OPTIONS"):
            for path in ("/", "/anything/else"):
                assert json.loads(server.request(path, good, method=method)[1]) == {"reached": True, "subject": "alice"}
        assert server.request("/", good, method="HEAD")[:2] == (200, b"")
    log = "".join(server.log)
    assert "INFO:pomerium_jwt:accepts issuer and audience" in log and "; exempt_paths: /health" in log
    assert "Traceback" not in log and good not in log


@pytest.mark.parametrize("application", APPLICATIONS)
def test_a_user_in_many_groups(issuer: Issuer, application: str) -> None:
    """gunicorn's limit for a header is 8,190 bytes unless told."""
    groups = [f"group-{number:05}" for number in range(3200)]
    with started("gunicorn", application, POMERIUM_JWT_ROUTE=issuer.url) as server:
        token = issuer.mint(groups=",".join(groups))
        assert len(token) > 60_000
        assert json.loads(server.request("/", token)[1])["groups"] == groups


@pytest.mark.parametrize("application", APPLICATIONS)
def test_optional(issuer: Issuer, application: str) -> None:
    options = {"POMERIUM_JWT_ROUTE": issuer.url, "POMERIUM_JWT_OPTIONAL": "true"}
    with started("gunicorn", application, **options) as server:
        assert json.loads(server.request("/")[1]) is None
        assert json.loads(server.request("/other")[1]) == {"reached": True, "subject": None}
        assert refused(server, "/admin") == (401, "token_missing")
        assert refused(server, "/", issuer.mint(expires_in="-100")) == (401, "token_expired")


def test_cors_and_a_rewriting_middleware(issuer: Issuer) -> None:
    origin = "https://front.example.com"
    options = {"POMERIUM_JWT_ROUTE": issuer.url, "CORS_ORIGIN": origin, "REWRITE": "/health=/admin"}
    with started("gunicorn", "flask", **options) as server:
        preflight = {"Origin": origin, "Access_Control_Request_Method": "DELETE"}
        assert server.request("/", method="OPTIONS", **preflight)[0] == 204
        assert server.headers["Access-Control-Allow-Origin"] == origin
        assert server.headers["Access-Control-Allow-Methods"] == "DELETE, GET"
        assert refused(server, "/health", Origin=origin) == (401, "token_missing")
        assert server.headers["Access-Control-Allow-Origin"] == origin
        assert refused(server, "/health", issuer.mint()) == (403, "group_required")
    with started("gunicorn", "flask", POMERIUM_JWT_ROUTE=issuer.url, REWRITE="/admin=/health") as server:
        assert refused(server, "/admin") == (401, "token_missing")
        assert "was put around app.wsgi_app after Pomerium(app)" in "".join(server.log)


@pytest.mark.parametrize("kind", ["gunicorn", "gevent"])
def test_the_key_server_is_away(issuer: Issuer, kind: str) -> None:
    issuer.post("/fault?kind=500")
    with started(kind, "flask", POMERIUM_JWT_ROUTE=issuer.url) as server:
        status, body, retry_after = server.request("/", issuer.mint())
        assert (status, json.loads(body)) == (503, {"error": "keys_unavailable"})
        assert retry_after is not None and int(retry_after) >= 1
        status, body, _ = server.request("/health")
        assert (status, json.loads(body)["keys_loaded"]) == (200, False), "alive, with every answer of the key server"


def test_a_gevent_worker_answers_others_while_it_waits_for_keys(issuer: Issuer) -> None:
    issuer.post("/fault?kind=hang")
    with started("gevent", "flask", POMERIUM_JWT_ROUTE=issuer.url, POMERIUM_JWT_TIMEOUT="30") as server:
        token, statuses = issuer.mint(), list[int]()
        waiting = [threading.Thread(target=lambda: statuses.append(server.request("/", token)[0])) for _ in range(20)]
        for thread in waiting:
            thread.start()
        while issuer.fetches() == 0:
            time.sleep(0.01)
        began = time.monotonic()
        for _ in range(10):
            assert server.request("/health")[0] == 200
            assert refused(server, "/") == (401, "token_missing")
        assert time.monotonic() - began < 10 and not statuses
        assert issuer.fetches() == 1
        issuer.close()  # ends the fetch
        for thread in waiting:
            thread.join()
        assert statuses == [503] * 20


@pytest.mark.parametrize("kind", ["gunicorn", "gevent"])
def test_rotation_during_load(issuer: Issuer, kind: str) -> None:
    """Several workers, each with its own keys after the fork: nothing is refused when the steps are kept."""
    options = {"POMERIUM_JWT_CACHE_TTL": "1", "POMERIUM_JWT_REFETCH_COOLDOWN": "1"}
    with started(kind, "flask", POMERIUM_JWT_ROUTE=issuer.url, **options) as server:
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


@pytest.mark.parametrize(
    ("kind", "application", "variables", "part"),
    [
        ("gunicorn", "app:app", {}, "audience"),
        ("gunicorn", "wsgi", {"POMERIUM_JWT_EXPECTED_CLAIMS": "{}"}, "POMERIUM_JWT_EXPECT_CLAIMS"),
        ("gevent", "app:app", {"POMERIUM_JWT_OPTIONAL": "yes"}, "POMERIUM_JWT_OPTIONAL"),
        ("wsgiref", "wsgi:application", {}, "audience"),
    ],
)
def test_a_wrong_configuration_stops_the_start(
    kind: str, application: str, variables: dict[str, str], part: str
) -> None:
    command = [*SERVERS[kind], application]
    run = subprocess.run(command, cwd=EXAMPLES, env=environment(**variables), capture_output=True, text=True)
    assert run.returncode != 0 and run.stdout == ""
    assert "OptionsError: invalid_options: " in run.stderr and part in run.stderr


@pytest.mark.parametrize(
    ("claims", "code", "printed"),
    [
        ({}, 0, "alice -\n"),
        ({"email": "a@example.com"}, 0, "alice a@example.com\n"),
        ({"expires_in": "-100"}, 1, ""),
        ({"groups": "staff"}, 1, ""),
    ],
)
def test_verify_example(issuer: Issuer, claims: dict[str, str], code: int, printed: str) -> None:
    group = {"POMERIUM_JWT_REQUIRE_GROUP": "admins"} if "groups" in claims else {}
    run = subprocess.run(
        [sys.executable, EXAMPLES / "verify.py"],
        input=issuer.mint(**claims) + "\n",
        env={**os.environ, "POMERIUM_JWT_ROUTE": issuer.url, **group},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (code, printed), run.stderr


def refused(server: Server, path: str, *tokens: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    status, body, _ = server.request(path, *tokens, method=method, **headers)
    return status, json.loads(body)["error"]
