"""What test_servers.py runs under real servers beside examples/python/app.py: plain WSGI, behind the middleware with
the option `optional`."""

from __future__ import annotations

from typing import Any

from pomerium_jwt.wsgi import Pomerium


def whoami(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    identity = environ["pomerium"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [(identity.subject if identity else "nobody").encode()]


application = Pomerium(whoami, optional=True)

if __name__ == "__main__":
    from wsgiref.simple_server import make_server

    server = make_server("127.0.0.1", 0, application)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
