"""A JupyterHub with its proxy, and users' own servers as it starts them. `make test-more` calls it, in an environment of its own."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from other_servers import (
    FORGED,
    ISSUER,
    MISSING,
    RECIPES,
    browser,
    ends_with_a_wrong_option,
    environment,
    free_port,
    running,
    upgrade,
)

EVENTS = "/user/alice/api/events/subscribe"


def test_jupyterhub(folder: Path) -> None:
    port = free_port()
    config = folder / "jupyterhub_config.py"
    config.write_text(f"""
load_subconfig({str(RECIPES / "jupyterhub" / "jupyterhub_config.py")!r})
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.args.append("--allow-root")
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {free_port()}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{free_port()}"
""")
    command = ["jupyterhub", "-f", str(config)]
    alice, bob = (ISSUER.headers(name, groups=["jupyter"]) for name in ("alice", "bob"))
    ends_with_a_wrong_option(command, folder, environment(HOME=str(folder)))
    variables = environment(
        HOME=str(folder), POMERIUM_JWT_REQUIRE_GROUP="jupyter", POMERIUM_JWT_EXEMPT_PATHS="/hub/home"
    )
    with running(command, port, folder, variables), browser(port) as client:
        while client.get("/hub/health").status_code != 200:  # the proxy is there before the hub
            time.sleep(0.1)
        for forged in FORGED:
            for path in ("/", "/hub/home", "/hub/spawn", "/user/alice/lab"):
                answer = client.get(path, headers=forged)
                assert answer.status_code == 401 and '"error":' in answer.text, (path, forged, answer.text)
            assert client.get("/hub/api/user", headers=forged).status_code == 403
        assert "hub/login" in str(answer.url) and answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'

        answer = client.get("/hub/home", headers=ISSUER.headers("alice", groups=["others"]))
        assert answer.status_code == 403 and "group_required" in answer.text, answer.text

        assert client.get("/hub/home", headers=alice).status_code == 200
        assert client.get("/hub/api/user", headers=alice).json()["name"] == "alice"
        client.get("/hub/spawn/alice", headers=alice)
        while "/hub/" in str((page := client.get("/user/alice/lab", headers=alice)).url) or page.status_code != 200:
            assert page.status_code == 200, page.text
            time.sleep(0.2)
        me = "/user/alice/api/me"
        assert client.get(me, headers=alice).json()["identity"]["username"] == "alice"
        assert upgrade(client, EVENTS, alice) == 101

        # The cookies are alice's from here on
        for headers, status in [*((forged, 401) for forged in FORGED), (bob, 403)]:
            assert upgrade(client, EVENTS, headers) == status, headers
            assert client.get(me, headers=headers).status_code == status, headers
        for path in (me, "/hub/home", "/user/alice/lab", "/user/alice/static/favicons/favicon.ico"):
            answer = client.get(path)
            assert (answer.status_code, answer.text) == MISSING, path
        assert client.get("/hub/api/user").status_code == 403
        assert client.get("/hub/api/user", headers=alice).json()["name"] == "alice"
        assert client.get("/user/alice/lab", headers=bob).status_code == 403
        assert client.get("/hub/api/user", headers=bob).json()["name"] == "bob"
        assert client.get("/hub/api/user", headers=alice).status_code == 403, "the session is bob's now"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        test_jupyterhub(Path(folder))
    print("ok JupyterHub")
