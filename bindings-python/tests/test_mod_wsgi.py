"""Apache with mod_wsgi, which gives each application a sub-interpreter of its own unless told otherwise."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import pomerium_jwt

MODULES = Path("/usr/lib/apache2/modules")
SCRIPT = """
from pomerium_jwt.testing import TestIssuer
from pomerium_jwt.wsgi import Pomerium

issuer = TestIssuer()

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["pomerium"].subject.encode() if environ["pomerium"] else issuer.token().encode()]

application = Pomerium(app, exempt_paths=["/one/token", "/two/token"], **issuer.options)
"""


@contextlib.contextmanager
def apache(more: str) -> Iterator[tuple[int, Path]]:
    """Its port and its log. The folder is one that the user of its workers may read."""
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as free:
        folder, port = Path(name), free.getsockname()[1]
        folder.chmod(0o755)
        shutil.copytree(Path(pomerium_jwt.__file__).parent, folder / "pomerium_jwt")
        (folder / "app.wsgi").write_text(SCRIPT)
        modules = ("mpm_event", "authz_core", "wsgi")
        (folder / "conf").write_text(
            "\n".join(f"LoadModule {module}_module {MODULES}/mod_{module}.so" for module in modules)
            + f"""
ServerName app.example.com
PidFile {folder}/pid
ErrorLog {folder}/log
WSGISocketPrefix {folder}/socket
Listen 127.0.0.1:{port}
WSGIDaemonProcess app threads=4 python-path={folder}
WSGIProcessGroup app
WSGIScriptAlias /one {folder}/app.wsgi
WSGIScriptAlias /two {folder}/app.wsgi
{more}
<Directory {folder}>
Require all granted
</Directory>
"""
            + ("User www-data\nGroup www-data\n" if os.geteuid() == 0 else "")
        )
        free.close()
        process = subprocess.Popen(["/usr/sbin/apache2", "-f", folder / "conf", "-DFOREGROUND"])
        try:
            until_it_listens(process, port)
            yield port, folder / "log"
        finally:
            process.terminate()
            process.wait()


def until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.02)
    pytest.fail("apache2 did not start")


def ask(port: int, path: str, token: str = "", **headers: str) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", path, headers={**({"X-Pomerium-Jwt-Assertion": token} if token else {}), **headers})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_the_second_application_says_what_to_set() -> None:
    with apache("") as (port, log):
        assert ask(port, "/one/x") == (401, '{"error":"token_missing"}')
        assert ask(port, "/two/x")[0] == 500
        assert "ImportError: pomerium_jwt is in use in another interpreter" in log.read_text()
        assert "WSGIApplicationGroup %{GLOBAL}" in log.read_text()
        assert ask(port, "/one/x", ask(port, "/one/token")[1]) == (200, "alice"), "the first one is not disturbed"


def test_in_the_main_interpreter_both_work() -> None:
    with apache("WSGIApplicationGroup %{GLOBAL}") as (port, _):
        for mount in ("/one", "/two"):
            status, token = ask(port, f"{mount}/token")
            assert status == 200
            assert ask(port, f"{mount}/x", token) == (200, "alice")
            for path in ("/x", "/token/", "//token", "/%74oken", "/token?x=/", "/x/../token"):
                sent = ask(port, mount + path)
                assert sent == (401, '{"error":"token_missing"}') or path == "/token?x=/", path
            assert json.loads(ask(port, f"{mount}/token", Upgrade="websocket")[1]) == {"error": "token_missing"}
