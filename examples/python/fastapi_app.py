"""A FastAPI application behind Pomerium. The environment says which one:
POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health python serve.py fastapi_app
"""

import logging
import os
from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from front import Rewriting

from pomerium_jwt import Identity
from pomerium_jwt.fastapi import Pomerium, identity_or_none, require_group

logging.basicConfig(level=logging.INFO)  # the start line, and a warning for each kind of refusal
app = application = FastAPI(redirect_slashes=False)
pomerium = Pomerium(app)  # from now on no request gets in unverified
if origin := os.environ.get("CORS_ORIGIN"):  # later means in front: a refusal has its headers too
    app.add_middleware(CORSMiddleware, allow_origins=[origin], allow_methods=["*"], allow_headers=["Authorization"])

Caller = Annotated[Identity | None, Depends(identity_or_none)]
Admin = Annotated[Identity, Depends(require_group("admins"))]


@app.api_route("/", methods=["GET", "HEAD"])
def index(caller: Caller):
    return caller and caller.to_dict()


@app.api_route("/admin", methods=["GET", "HEAD"])
def admin(caller: Admin):
    return caller.to_dict()


@app.api_route("/health", methods=["GET", "HEAD"])
def health():
    return pomerium.health()


@app.websocket("/ws")
async def ws(websocket: WebSocket, caller: Caller):
    await websocket.accept()
    await websocket.send_text(caller.subject if caller else "")
    await websocket.close()


@app.exception_handler(404)
@app.exception_handler(405)
async def anything_else(request, _):
    return JSONResponse({"reached": True, "subject": request.scope["pomerium"] and request.scope["pomerium"].subject})


if rewrite := os.environ.get("REWRITE"):
    app.add_middleware(Rewriting, *rewrite.split("="))
