"""A Quart application behind Pomerium. The environment says which one:
POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health python serve.py quart_app hypercorn
"""

import logging

from front import in_front
from quart import Quart, jsonify, request, websocket

from pomerium_jwt import VerifyError, require_group
from pomerium_jwt.asgi import Pomerium

logging.basicConfig(level=logging.INFO)  # the start line, and a warning for each kind of refusal
app = application = Quart(__name__, static_folder=None)
app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
app.url_map.merge_slashes = False
app.asgi_app = pomerium = Pomerium(app.asgi_app)  # from now on no request gets in unverified
app.asgi_app = in_front(pomerium)


@app.get("/")
async def index():
    identity = request.scope["pomerium"]
    return jsonify(identity and identity.to_dict())


@app.get("/admin")
async def admin():
    return require_group(request.scope["pomerium"], "admins").to_dict()


@app.get("/health")
async def health():
    return pomerium.health()


@app.websocket("/ws")
async def ws():
    identity = websocket.scope["pomerium"]
    await websocket.send(identity.subject if identity else "")


@app.errorhandler(VerifyError)
async def refused(error):  # what require_group raises
    return error.body, error.status, error.headers


@app.errorhandler(404)
@app.errorhandler(405)
async def anything_else(_):
    identity = request.scope["pomerium"]
    return {"reached": True, "subject": identity and identity.subject}
