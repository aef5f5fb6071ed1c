"""What operators read: the start line, and refusals that do not flood the log."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from pomerium_jwt._integration import _RefusalLog
from pomerium_jwt.testing import TestIssuer
from pomerium_jwt.wsgi import Pomerium

ISSUER = TestIssuer()


def refuse(middleware: Pomerium, path: str, token: str = "") -> None:
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_X_POMERIUM_JWT_ASSERTION": token}
    started: list[str] = []
    list(middleware(environ, lambda status, headers: started.append(status)))
    assert started == ["401 Unauthorized"]


def protected(**options: Any) -> Pomerium:
    return Pomerium(lambda environ, start_response: pytest.fail("it was reached"), **{**ISSUER.options, **options})


def test_a_fork_while_the_log_is_busy_holds_no_child() -> None:
    log = _RefusalLog()
    with log._lock():
        child = os.fork()
        if child == 0:  # in every case the child ends
            signal.alarm(10)
            log("token_missing", "a message", "/path")
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "the child waited for its parent's lock"


def test_a_thousand_refusals_are_one_line(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("pomerium_jwt._integration.time.monotonic", lambda: now)
    middleware = protected()
    for number in range(1000):
        refuse(middleware, f"/path/{number}")
    refuse(middleware, "/other", "nonsense")
    lines = caplog.messages
    assert len(lines) == 2, "one for each code"
    assert lines[0].startswith("refused '/path/0': token_missing: ")
    assert lines[1].startswith("refused '/other': token_malformed: ")
    caplog.clear()
    now += 1
    refuse(middleware, "/later")
    refuse(middleware, "/later")
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("refused '/later': token_missing: ")
    assert caplog.messages[0].endswith(" (999 more since the last such line)")
    assert middleware.verifier.status()["counts"]["token_missing"] == 1002, "what is not logged is counted"


def test_by_the_real_clock(caplog: pytest.LogCaptureFixture) -> None:
    middleware, end, refusals = protected(), time.monotonic() + 2.5, 0
    while time.monotonic() < end:
        refuse(middleware, f"/{refusals}")
        refusals += 1
    assert refusals > 1000 and len(caplog.messages) == 3


def test_a_line_is_the_client_s_in_nothing_but_its_path(caplog: pytest.LogCaptureFixture) -> None:
    token = ISSUER.expired()
    refuse(protected(), "/a\nERROR:root:hacked\x1b[2J\xff" + "x" * 10_000, token)
    [line] = caplog.messages
    assert line.startswith(r"refused '/a\nERROR:root:hacked\x1b[2J\ufffd") and len(line) < 400
    assert token.split(".")[2] not in line


def test_the_start_line_says_what_is_accepted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pomerium_jwt")
    middleware = protected(exempt_paths="/health", require_group="admins")
    names = "accepts issuer and audience app.example.com or https://app.example.com/"
    options = 'header: X-Pomerium-Jwt-Assertion; exempt_paths: /health; require_group: "admins"'
    assert caplog.messages == [f"{names}; keys: jwks; {options}"] == [middleware.verifier.summary]
    caplog.clear()
    Pomerium(middleware, jwks=ISSUER.options["jwks"], trust_on_first_use=True)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "WARNING: trust_on_first_use pins" in caplog.text


def test_the_start_line_is_seen_once_logging_is_switched_on() -> None:
    script = """
import logging
from pomerium_jwt.wsgi import Pomerium
logging.basicConfig(level=logging.INFO)
Pomerium(print, route="https://app.example.com")
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stderr.startswith("INFO:pomerium_jwt:accepts issuer and audience app.example.com")
    assert (run.returncode, run.stdout) == (0, ""), "nothing goes to standard output"
