"""A Starlette application behind Pomerium. The environment says which one:
POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health python serve.py starlette_app
"""

import logging

from front import in_front
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from pomerium_jwt import VerifyError, require_group
from pomerium_jwt.asgi import Pomerium

logging.basicConfig(level=logging.INFO)  # the start line, and a warning for each kind of refusal


async def index(request):
    identity = request.scope["pomerium"]
    return JSONResponse(identity and identity.to_dict())


async def admin(request):
    return JSONResponse(require_group(request.scope["pomerium"], "admins").to_dict())


async def health(_):
    return JSONResponse(pomerium.health())


async def ws(websocket):
    identity = websocket.scope["pomerium"]
    await websocket.accept()
    await websocket.send_text(identity.subject if identity else "")
    await websocket.close()


async def refused(_, error):  # what require_group raises
    return Response(error.body, error.status, error.headers)


async def anything_else(request, _):
    identity = request.scope["pomerium"]
    return JSONResponse({"reached": True, "subject": identity and identity.subject})


app = Starlette(
    routes=[Route("/", index), Route("/admin", admin), Route("/health", health), WebSocketRoute("/ws", ws)],
    exception_handlers={VerifyError: refused, 404: anything_else, 405: anything_else},
)
app.router.redirect_slashes = False
pomerium = Pomerium(app)  # from now on no request gets in unverified
application = in_front(pomerium)
