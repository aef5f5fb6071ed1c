"""Applications of others as real processes: how the tests of `make test-more` start them and speak to them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from pomerium_jwt.testing import TestIssuer

RECIPES = Path(__file__).resolve().parents[2] / "examples" / "python" / "recipes"
ISSUER = TestIssuer()
MISSING = (401, '{"error":"token_missing"}')

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers end too

# What must sign nobody in: the requests that hold these have either no token or one that nobody has signed
FORGED = [
    {},
    {"Remote-User": "alice", "X-Remote-User": "alice", "X-Forwarded-User": "alice", "X-Forwarded-Email": "alice"},
    {"REMOTE_USER": "alice", "Remote_User": "alice"},
    {"X-Pomerium-Jwt-Assertion": TestIssuer().token("alice")},
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POMERIUM_JWT_")}
    return {**inherited, "PYTHONDONTWRITEBYTECODE": "1", **ISSUER.environment, **variables}


@contextlib.contextmanager
def running(command: list[str], port: int, folder: Path, variables: Mapping[str, str]) -> Iterator[Path]:
    """A server in a folder of its own, from when it accepts connections, and the file of its log."""
    log = folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        while True:
            assert server.poll() is None, f"it has ended\n{log.read_text()}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield log
    except BaseException:
        print(log.read_text()[-8000:])
        raise
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def ends_with_a_wrong_option(command: list[str], folder: Path, variables: Mapping[str, str]) -> None:
    """Before it answers anything."""
    wrong = {**variables, "POMERIUM_JWT_MISSPELT": "x"}
    run = subprocess.run(command, cwd=folder, env=wrong, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert run.returncode != 0 and "POMERIUM_JWT_MISSPELT" in run.stdout + run.stderr, run.stdout + run.stderr


def browser(port: int) -> httpx.Client:
    """It keeps cookies. Servers may start slowly."""
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=300)
