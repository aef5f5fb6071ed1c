"""Where things are, and the real servers that tests run against."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pomerium_jwt.testing import TestIssuer

ROOT = Path(__file__).resolve().parents[2]
CONFORMANCE = ROOT / "conformance"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


class Issuer:
    """A running `pomerium-jwt issuer`, as conformance/scenarios.md describes it."""

    def __init__(self) -> None:
        command = TARGET / "debug" / "pomerium-jwt"
        self._process = subprocess.Popen(
            [command, "issuer", "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("ready "), f"{command} issuer wrote {line!r}; `make test-python` builds it"
        self.url = line.split()[1]

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def mint(self, **claims: str) -> str:
        return self._ask("GET", "/mint", {"sub": "alice", **claims})

    def post(self, path: str) -> None:
        self._ask("POST", path, {})

    def fetches(self) -> int:
        return int(json.loads(self._ask("GET", "/stats", {}))["fetches"])

    def _ask(self, method: str, path: str, parameters: dict[str, str]) -> str:
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        request = urllib.request.Request(self.url + path + query, method=method)
        with urllib.request.urlopen(request) as answer:
            return str(answer.read().decode())


class PatientIssuer(TestIssuer):
    """For tokens that are made when tests are collected, and used when their turn comes."""

    def token(self, sub: str = "alice", **claims: Any) -> str:
        return super().token(sub, **claims if "exp" in claims else {"expires_in": 86_400, **claims})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


def read_json(name: str) -> Any:
    return json.loads((CONFORMANCE / name).read_bytes())
