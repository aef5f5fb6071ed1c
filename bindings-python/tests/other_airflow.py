"""Airflow's API server with its pages, and a database of its own. `make test-more` calls it, in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from other_servers import FORGED, ISSUER, RECIPES, browser, ends_with_a_wrong_option, environment, free_port, running

BIN = Path(sys.executable).parent


def test_airflow(folder: Path) -> None:
    port = free_port()
    variables = environment(
        HOME=str(folder),
        AIRFLOW_HOME=str(folder),
        AIRFLOW__CORE__AUTH_MANAGER="airflow_pomerium.PomeriumAuthManager",
        AIRFLOW__CORE__LOAD_EXAMPLES="false",
        PYTHONPATH=str(RECIPES),
        POMERIUM_JWT_EXEMPT_PATHS="/execution/*",
    )
    run = subprocess.run([BIN / "airflow", "db", "migrate"], env=variables, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    command = [str(BIN / "airflow"), "api-server", "--host", "127.0.0.1", "--port", str(port)]
    alice, admin = ISSUER.headers("alice"), ISSUER.headers("bob", groups=["airflow-admins"])
    me, variable = "/ui/auth/me", {"key": "a", "value": "b"}
    ends_with_a_wrong_option(command, folder, variables)
    with running(command, port, folder, variables), browser(port) as client:
        for forged in FORGED:
            for path in (
                "/",
                "/api/v2/dags",
                "/api/v2/monitor/health",
                "/ui/config",
                me,
                "/docs",
                "/static/x",
                "/auth/login",
            ):
                answer = client.get(path, headers=forged)
                assert answer.status_code == 401 and '{"error":' in answer.text, (path, forged, answer.text)
            assert (
                client.post("/auth/token", json={"username": "alice", "password": "x"}, headers=forged).status_code
                == 401
            )
            assert client.post("/api/v2/variables", json=variable, headers=forged).status_code == 401

        assert client.get(me, headers=alice).json()["username"] == "alice"
        assert client.get("/", headers=alice).status_code == 200
        assert client.get("/api/v2/dags", headers=alice).status_code == 200
        assert client.post("/api/v2/variables", json=variable, headers=alice).status_code == 403, "a viewer"
        assert client.post("/api/v2/variables", json=variable, headers=admin).status_code == 201

        # What Airflow itself would take for a session of the other one
        session = subprocess.run([BIN / "python", "-c", SESSION], env=variables, capture_output=True, text=True)
        token = session.stdout.split()[-1]
        client.cookies.set("_token", token)
        for headers in (alice, {"Authorization": f"Bearer {token}", **alice}):
            assert client.get(me, headers=headers).json()["username"] == "alice"
            assert client.delete("/api/v2/variables/a", headers=headers).status_code == 403
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            assert client.get(me, headers=headers).status_code == 401
        answer = client.get("/execution/health")
        assert answer.status_code == 200 and "error" not in answer.text, "workers do not come through Pomerium"


SESSION = """
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
print(create_auth_manager().generate_jwt(SimpleAuthManagerUser(username="bob", role="admin")))
"""

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        test_airflow(Path(folder))
    print("ok Airflow")
