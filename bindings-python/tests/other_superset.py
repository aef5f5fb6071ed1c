"""Superset under gunicorn, with a database of its own. `make test-more` calls it, in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from hashlib import sha512
from pathlib import Path

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_jwt_extended import JWTManager, create_access_token
from other_servers import FORGED, ISSUER, RECIPES, browser, ends_with_a_wrong_option, environment, free_port, running

BIN = Path(sys.executable).parent


def test_superset(folder: Path) -> None:
    port = free_port()
    config = folder / "config.py"
    config.write_text((RECIPES / "superset_config.py").read_text() + KEYS)
    variables = environment(
        HOME=str(folder),
        SUPERSET_HOME=str(folder),
        SUPERSET_SECRET_KEY=SECRET,
        SUPERSET_CONFIG_PATH=str(config),
    )
    for words in (["db", "upgrade"], ["init"], ["fab", "create-user", *USER]):
        run = subprocess.run([BIN / "superset", *words], env=variables, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
    command = [str(BIN / "gunicorn"), "--bind", f"127.0.0.1:{port}", "superset.app:create_app()"]
    alice, bob, me = ISSUER.headers("alice"), ISSUER.headers("bob"), "/api/v1/me/"
    login = {"username": "mallory", "password": "x", "provider": "db"}
    ends_with_a_wrong_option(command, folder, variables)
    with running(command, port, folder, variables), browser(port) as client:
        for forged in FORGED:
            for path in ("/", "/login/", "/superset/welcome/", "/health", "/static/assets/x", me, "/api/v1/chart/"):
                answer = client.get(path, headers=forged)
                assert answer.status_code == 401 and '{"error":' in answer.text, (path, forged, answer.text)
            assert client.post("/api/v1/security/login", json=login, headers=forged).status_code == 401

        assert client.get(me, headers=alice).json()["result"]["username"] == "alice"
        page = client.get("/superset/welcome/", headers=alice)
        assert page.status_code == 200 and "/login" not in str(page.url)
        assert client.get("/login/", headers=alice).status_code == 200
        assert client.cookies, "a session, if only for its CSRF token"
        assert client.get(me, headers=bob).json()["result"]["username"] == "bob", "with the cookies of alice"
        assert client.get(me).status_code == 401
        assert client.get(me, headers=alice).json()["result"]["username"] == "alice"

        # What Superset itself would take for mallory, who is an administrator: a key and a token of its API, and a session
        session, token = of_mallory(client.headers["User-Agent"])
        users, bearer = "/api/v1/security/users/", {"Authorization": f"Bearer {token}"}
        mallory = ISSUER.headers("mallory")
        assert client.get(users, headers=mallory).status_code == 200
        answer = client.post("/api/v1/security/api_keys/", json={"name": "k"}, headers=mallory)
        key = {"Authorization": f"Bearer {answer.json()['result']['key']}"}
        client.cookies.clear()
        for path in (users, me):
            assert client.get(path, headers={**key, **alice}).status_code == 401
        client.cookies.set("session", session)
        for headers in (alice, {**bearer, **alice}):
            assert client.get(me, headers=headers).json()["result"]["username"] == "alice"
            assert client.get(users, headers=headers).status_code in (401, 403)
        assert client.get(users, headers=bearer).status_code == 401
        assert client.get(me, headers=ISSUER.headers("Alice")).status_code == 401, "Superset finds alice by this name"


def of_mallory(user_agent: str) -> tuple[str, str]:
    app = Flask("superset")
    app.secret_key = SECRET
    JWTManager(app)
    signing = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signing is not None
    owner = sha512(f"127.0.0.1|{user_agent}".encode()).hexdigest()
    with app.app_context():
        return str(signing.dumps({"_user_id": "1", "_fresh": True, "_id": owner})), create_access_token("1")


# Superset's keys for its API, which are off unless asked for; to make one without a page
KEYS = """
FAB_API_KEY_ENABLED = True
FAB_ADD_SECURITY_API = True
WTF_CSRF_ENABLED = False
"""
SECRET = "a secret of this test alone, which is long enough"
USER = [
    "--username",
    "mallory",
    "--firstname",
    "M",
    "--lastname",
    "M",
    "--email",
    "m@example.com",
    "--password",
    "x",
    "--role",
    "Admin",
]

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        test_superset(Path(folder))
    print("ok Superset")
