"""Recipes whose packages are too large for each run. `make test-more` calls it, in an environment of its own."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from fastapi.testclient import TestClient

from pomerium_jwt.testing import TestIssuer

ISSUER = TestIssuer()


def test_gradio() -> None:
    """Pages, its API and its files are refused; a call has the identity."""
    os.environ.update(ISSUER.environment)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "python"))
    app = importlib.import_module("recipes.gradio_app").app

    with TestClient(app) as client:  # one event loop for all calls
        for path in ("/", "/config", "/gradio_api/info", "/gradio_api/file=/etc/passwd", "/gradio_api/queue/data"):
            assert client.get(path).json() == {"error": "token_missing"}, path
        assert client.get("/", headers=ISSUER.headers()).status_code == 200
        call = client.post("/gradio_api/call/hello", json={"data": ["Bob"]})
        assert call.json() == {"error": "token_missing"}
        call = client.post("/gradio_api/call/hello", json={"data": ["Bob"]}, headers=ISSUER.headers())
        answer = client.get(f"/gradio_api/call/hello/{call.json()['event_id']}", headers=ISSUER.headers())
        assert "Hello Bob, or rather alice" in answer.text, answer.text


if __name__ == "__main__":
    test_gradio()
    print("ok gradio")
