#!/usr/bin/env python3
"""Runs nginx.conf and Caddyfile as they stand here, with other ports, and checks that the other examples can be read.

usage: test.py PATH-OF-POMERIUM-JWT
"""

import contextlib
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMAND = ""
IDENTITY = ("remote-user", "remote_user", "remote.user", "x-auth-request-user", "x_auth_request_user",
            "x-auth-request-groups", "x.auth.request.groups", "upgrade")
FORGED = {"Remote-User": "root", "remote_user": "root", "X-Auth-Request-User": "root", "X_Auth_Request_User": "root",
          "Remote.User": "root", "X.Auth.Request.Groups": "admins",
          "X-Auth-Request-Groups": "admins", "X-Original-URL": "/health", "X-Forwarded-Uri": "/health"}


class Application(http.server.BaseHTTPRequestHandler):
    """Answers with the path and the identity headers that it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        seen = {name.lower(): value for name, value in self.headers.items() if name.lower() in IDENTITY and value}
        body = json.dumps({"path": self.path, "seen": seen}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def wait_for(port, process):
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args} has ended")


class Proxy:
    """The application, `serve`, and a proxy in front of both, with the example file itself."""

    def __init__(self, proxy, stack, reachable=True):
        ports = {name: free_port() for name in ("8080", "3000")}
        application = http.server.ThreadingHTTPServer(("127.0.0.1", ports["3000"]), Application)
        threading.Thread(target=application.serve_forever, daemon=True).start()
        stack.callback(application.server_close)
        stack.callback(application.shutdown)
        issuer = stack.enter_context(running([COMMAND, "issuer"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        self.issuer = issuer.stdout.readline().decode().split()[1]
        stack.callback(issuer.stdout.close)
        route = self.issuer if reachable else "http://127.0.0.1:1"
        arguments = ["--proxy", proxy, "--set-header", "Remote-User=email", "--exempt-paths", "/health,/public/*"]
        names = ["--issuer", "127.0.0.1", "--audience", "127.0.0.1", "--expect-claims", '{"department":"it"}']
        serve = stack.enter_context(running(
            [COMMAND, "serve", "--listen", "127.0.0.1:0", "--route", route, *arguments, *names, "--require-group", "staff"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        ports["8000"] = serve.stdout.readline().decode().strip().rsplit(":", 1)[1]
        stack.callback(serve.stdout.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        text = (HERE / {"nginx": "nginx.conf", "caddy": "Caddyfile"}[proxy]).read_text()
        text = re.sub(r"(127\.0\.0\.1|//):(8080|3000|8000)\b", lambda match: f"{match[1]}:{ports[match[2]]}", text)
        if proxy == "nginx":
            paths = "".join(f"{name}_temp_path {folder}/{name};" for name in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            text = f"daemon off; pid {folder}/pid; error_log stderr crit; events {{}} http {{ access_log off; {paths} {text} }}"
            command = ["/usr/sbin/nginx", "-p", str(folder), "-c"]
        else:
            command = ["caddy", "run", "--adapter", "caddyfile", "--config"]
        (folder / "config").write_text(text)
        environment = {**os.environ, "HOME": str(folder)}
        process = stack.enter_context(running([*command, str(folder / "config")], env=environment, stderr=subprocess.DEVNULL))
        self.port = int(ports["8080"])
        wait_for(self.port, process)

    def token(self, parameters):
        with urllib.request.urlopen(f"{self.issuer}/mint?{parameters}&department=it") as answer:
            return answer.read().decode().strip()

    def ask(self, path, token=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for name, value in {**(headers or {}), **({"X-Pomerium-Jwt-Assertion": token} if token else {})}.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body, answer


class Proxies(unittest.TestCase):
    def each(self, **options):
        for name in ("nginx", "caddy"):
            with contextlib.ExitStack() as stack:
                yield name, Proxy(name, stack, **options)

    def test_the_application_sees_the_verified_user_alone(self):
        for name, proxy in self.each():
            alice = proxy.token("sub=alice&email=alice@example.com&groups=staff,ops")
            nobody = proxy.token("sub=bob&email=bob@example.com&groups=staff")
            nameless = proxy.token("sub=carol&groups=staff")
            foreign = proxy.token("sub=mallory&groups=staff&aud=other.example.com")
            outside = proxy.token("sub=mallory&groups=other")
            websocket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "AAAA", "Sec-WebSocket-Version": "13"}
            table = [
                ("/a?b=c", alice, FORGED, 200, {"remote-user": "alice@example.com", "x-auth-request-groups": "staff,ops"}),
                ("/a", nobody, {}, 200, {"remote-user": "bob@example.com", "x-auth-request-groups": "staff"}),
                ("/a", nameless, FORGED, 200, {"x-auth-request-groups": "staff"}),
                ("/a", alice, {"Connection": "close, Remote-User, X-Auth-Request-Groups"}, 200,
                 {"remote-user": "alice@example.com", "x-auth-request-groups": "staff,ops"}),
                ("/health", None, {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c"}, 200, {}),
                ("/a", None, FORGED, 401, None),
                ("/a", "x.y.z", FORGED, 401, None),
                ("/a", foreign, FORGED, 401, None),
                ("/a", outside, FORGED, 403, None),
                ("/health", None, FORGED, 200, {}),
                ("/health?a=b", None, {}, 200, {}),
                ("/public/a.css", None, FORGED, 200, {}),
                ("/public/../admin", None, {}, 401, None),
                ("/public/%2e%2e/admin", None, {}, 401, None),
                ("/public/..%2fadmin", None, {}, 401, None),
                ("//health", None, {}, 401, None),
                ("/health/", None, {}, 401, None),
                ("/admin?/health", None, {}, 401, None),
                ("/health", None, websocket, 401, None),
                ("/a", None, websocket, 401, None),
                ("/auth", None, {}, 401, None),
                ("/a", proxy.token("sub=alice&groups=staff," + ",".join(f"group-{n:04}" for n in range(2500))), {}, 200, None),
            ]
            for path, token, headers, status, seen in table:
                answered, body, _ = proxy.ask(path, token, headers)
                self.assertEqual(answered, status, f"{name} {path}: {body[:300]}")
                if seen is not None:
                    got = json.loads(body)["seen"]
                    # Set by the Caddyfile alone
                    self.assertIn(got.pop("x-auth-request-user", None), (None, "alice", "bob", "carol"), f"{name} {path}")
                    self.assertEqual(got, seen, f"{name} {path}")

    def test_without_keys_it_is_503(self):
        for name, proxy in self.each(reachable=False):
            status, body, answer = proxy.ask("/a", proxy.token("sub=alice&groups=staff"))
            self.assertEqual((status, json.loads(body)["error"]), (503, "keys_unavailable"), name)
            self.assertTrue(answer.getheader("Retry-After"), name)


class Others(unittest.TestCase):
    def test_every_other_example_says_what_was_validated(self):
        run = {"nginx.conf", "Caddyfile", "test.py", "README.md", "shots.mjs"}
        for file in sorted(HERE.iterdir()):
            if file.is_file() and file.name not in run:
                comment = "".join(line for line in file.read_text().splitlines(True)[:6] if line.startswith("#"))
                self.assertIn("Validated, not run", comment, file.name)

    def test_yaml_can_be_read(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not installed")
        for file in HERE.glob("*.yaml"):
            documents = list(yaml.safe_load_all(file.read_text()))
            self.assertTrue(all(isinstance(document, dict) for document in documents), file.name)

    def test_commands_in_containers_start(self):
        lists = re.findall(r"\[\s*\"?serve\"?,[^]]+\]", "".join(file.read_text() for file in sorted(HERE.glob("*.yaml"))))
        lists += re.findall(r"^CMD (\[.*\])", (HERE / "Dockerfile").read_text(), re.MULTILINE)
        self.assertGreaterEqual(len(lists), 3)
        for text in lists:
            arguments = [word.strip(" \"") for word in text.replace("\n", " ").strip("[]").split(",")]
            arguments = [re.sub(r"^0\.0\.0\.0:\d+$", "127.0.0.1:0", argument) for argument in arguments]
            environment = {"POMERIUM_JWT_ROUTE": "https://app.example.com", "ADDR": "127.0.0.1:0"}
            with running([COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as serve:
                self.assertRegex(serve.stdout.readline().decode(), r"^http://127\.0\.0\.1:\d+$", arguments)
                serve.stdout.close()

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_systemd_finds_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / "pomerium-jwt.service"
            text = (HERE / unit.name).read_text()
            unit.write_text(text.replace("/usr/local/bin/pomerium-jwt", COMMAND))
            output = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
            complaints = [line for line in output.stderr.splitlines() if "pomerium-jwt.service" in line]
            self.assertEqual(complaints, [])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    COMMAND = str(Path(sys.argv.pop()).resolve())
    unittest.main(verbosity=2)
