"""A JupyterHub with its proxy, and users' own servers as it starts them. `make test-more` calls it, in an environment of its own."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from other_servers import FORGED, ISSUER, MISSING, RECIPES, ends_with_a_wrong_option, environment, free_port, running

HOST = "app.example.com"
ALICES = f"user-{sha256(b'alice').hexdigest()[:40]}.{HOST}"
HEADER = "X-Pomerium-Jwt-Assertion"


class Here(httpx.HTTPTransport):
    """Every name leads to JupyterHub's proxy, as if by https."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self.port)
        return super().handle_request(
            httpx.Request(
                request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
            )
        )


class Browser(httpx.Client):
    """It keeps cookies. In front of it is Pomerium, which signs each request for the host that it is for, or nobody."""

    def __init__(self, port: int) -> None:
        hooks: Any = {"request": [self.sign]}
        super().__init__(
            base_url=f"https://{HOST}",
            transport=Here(port),
            trust_env=False,
            event_hooks=hooks,
            follow_redirects=True,
            timeout=300,
        )
        self.port = port
        self.user: str | None = None
        self.groups = ["jupyter"]
        self.instead: dict[str, str] = {}

    def sign(self, request: httpx.Request) -> None:
        request.headers.update({"X-Forwarded-Proto": "https", **self.instead})
        if self.user:
            request.headers[HEADER] = ISSUER.token(self.user, host=request.url.host, groups=self.groups)

    def own(self, path: str) -> str:
        """Of alice's server."""
        return f"https://{ALICES}/user/alice/{path}"

    def upgrade(self, url: str) -> int:
        """The status of a WebSocket with this browser's cookies."""
        request = self.build_request("GET", url)
        self.sign(request)
        asked = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
            connection.request("GET", request.url.raw_path.decode(), headers={**request.headers, **asked})
            return connection.getresponse().status


def test_jupyterhub(folder: Path) -> None:
    port, hub_port = free_port(), free_port()
    config = folder / "jupyterhub_config.py"
    config.write_text(f"""
load_subconfig({str(RECIPES / "jupyterhub" / "jupyterhub_config.py")!r})
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.args.append("--allow-root")
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{free_port()}"
""")
    command = ["jupyterhub", "-f", str(config)]
    ends_with_a_wrong_option(command, folder, environment(HOME=str(folder)))
    for name, value in {
        "ROUTE": f"https://{HOST},https://*.{HOST}",
        "ISSUER": f"*.{HOST}",
        "AUDIENCE": f"*.{HOST}",
    }.items():
        variables = environment(**{"HOME": str(folder), f"POMERIUM_JWT_{name}": value})
        run = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
        assert run.returncode != 0 and "the hub's host alone" in run.stderr, run.stderr
    variables = environment(
        HOME=str(folder), POMERIUM_JWT_REQUIRE_GROUP="jupyter", POMERIUM_JWT_EXEMPT_PATHS="/hub/home"
    )
    with running(command, port, folder, variables), Browser(port) as client:
        while client.get("/hub/health").status_code != 200:  # the proxy is there before the hub
            time.sleep(0.1)
        nobody_gets_in(client)

        client.user = "alice"
        assert client.get("/hub/home").status_code == 200
        assert client.get("/hub/api/user").json()["name"] == "alice"
        client.get("/hub/spawn/alice")
        while "/hub/" in str((page := client.get(client.own("lab"))).url) or page.status_code != 200:
            assert page.status_code == 200, page.text
            time.sleep(0.2)
        assert client.get(client.own("api/me")).json()["identity"]["username"] == "alice"
        assert client.upgrade(client.own("api/events/subscribe")) == 101

        others_with_her_cookies(client)
        what_her_server_was_shown(client, hub_port)


def nobody_gets_in(client: Browser) -> None:
    for forged in FORGED:
        client.instead = forged
        for path in ("/", "/hub/home", "/hub/spawn", client.own("lab")):
            answer = client.get(path)
            assert answer.status_code == 401 and '"error":' in answer.text, (path, forged, answer.text)
        assert client.get("/hub/api/user").status_code == 403
    client.instead = {}
    assert "hub/login" in str(answer.url) and answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    client.user, client.groups = "alice", ["others"]
    answer = client.get("/hub/home")
    assert answer.status_code == 403 and "group_required" in answer.text, answer.text
    client.user, client.groups = None, ["jupyter"]


def others_with_her_cookies(client: Browser) -> None:
    me, events = client.own("api/me"), client.own("api/events/subscribe")
    client.user = None
    for forged in FORGED:
        client.instead = forged
        assert client.upgrade(events) == client.get(me).status_code == 401, forged
    client.instead = {}
    for path in (me, "/hub/home", client.own("lab"), client.own("static/favicons/favicon.ico")):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == MISSING, path
    assert client.get("/hub/api/user").status_code == 403

    client.user = "bob"
    assert client.upgrade(events) == client.get(me).status_code == 403
    client.user = "alice"
    assert client.get("/hub/api/user").json()["name"] == "alice"
    client.user = "bob"
    assert client.get(client.own("lab")).status_code == 403
    assert client.get("/hub/api/user").json()["name"] == "bob"
    client.user = "alice"
    assert client.get("/hub/api/user").status_code == 403, "the session is bob's now"


def what_her_server_was_shown(client: Browser, hub_port: int) -> None:
    """The token of bob, who has visited it: alice can use it nowhere. And without a session nobody makes a token of the API."""
    hub = f"http://127.0.0.1:{hub_port}/hub"
    shown = {HEADER: ISSUER.token("bob", host=ALICES, groups=["jupyter"])}
    assert httpx.post(f"{hub}/api/users/bob/tokens", headers=shown, json={}).status_code == 403
    assert httpx.get(f"{hub}/login", headers=shown).status_code == 401
    hubs = ISSUER.headers("alice", groups=["jupyter"])
    answer = httpx.get(f"http://127.0.0.1:{client.port}/user/alice/api/me", headers={"Host": ALICES, **hubs})
    assert answer.status_code == 401, "a token for the hub is none for her server"

    client.user = "bob"
    client.get("/hub/home")
    names = {cookie.name for cookie in client.cookies.jar}
    assert "__Host-jupyterhub-hub-login" in names, "a host below can set the hub's cookie for it"
    bobs = ISSUER.headers("bob", groups=["jupyter"])
    session = client.build_request("GET", "/hub/home").headers["Cookie"]
    for kind in ("application/json", "text/plain"):
        for cookies in ({}, {"Cookie": session}):
            foreign = {
                "Host": HOST,
                "Content-Type": kind,
                "Origin": "https://evil.example",
                **cookies,
            }
            answer = httpx.post(f"{hub}/api/users/bob/tokens", headers={**bobs, **foreign}, content="{}")
            assert answer.status_code == 403, (kind, cookies, answer.text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        test_jupyterhub(Path(folder))
    print("ok JupyterHub")
