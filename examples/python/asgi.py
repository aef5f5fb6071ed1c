"""An ASGI application without a framework, behind Pomerium. The environment says which one:
POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health python serve.py asgi
"""

import json
import logging

from pomerium_jwt import VerifyError, require_group
from pomerium_jwt.asgi import Pomerium

logging.basicConfig(level=logging.INFO)  # the start line, and a warning for each kind of refusal


async def app(scope, receive, send):
    if scope["type"] == "http":
        status, headers, body = answer(scope["method"], scope["path"], scope["pomerium"])
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        raw.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["pomerium"].subject if scope["pomerium"] else ""})
        await send({"type": "websocket.close"})
    elif scope["type"] == "lifespan":
        for _ in ("startup", "shutdown"):
            await send({"type": (await receive())["type"] + ".complete"})


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
        return refused.status, refused.headers, refused.body
    return 200, {"Content-Type": "application/json"}, json.dumps(content).encode()


application = Pomerium(app)  # from now on no request gets in unverified
