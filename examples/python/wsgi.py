"""A WSGI application without a framework, behind Pomerium. The environment says which one:
POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health gunicorn wsgi
"""

import json
import logging

from pomerium_jwt import VerifyError, require_group
from pomerium_jwt.wsgi import Pomerium

logging.basicConfig(level=logging.INFO)  # the start line, and a warning for each kind of refusal


def app(environ, start_response):
    status, headers, body = answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["pomerium"])
    start_response(status, [*headers.items(), ("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def answer(method, path, identity):
    json_of = {
        "/": lambda: identity and identity.to_dict(),
        "/admin": lambda: require_group(identity, "admins").to_dict(),
        "/health": application.health,
    }
    shown = json_of.get(path) if method in ("GET", "HEAD") else None
    try:
        content = shown() if shown else {"reached": True, "subject": identity and identity.subject}
    except VerifyError as refused:
        return f"{refused.status} Refused", refused.headers, refused.body
    return "200 OK", {"Content-Type": "application/json"}, json.dumps(content).encode()


application = Pomerium(app)  # from now on no request gets in unverified
