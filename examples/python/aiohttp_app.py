"""An aiohttp application behind Pomerium. The environment says which one:
POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health python aiohttp_app.py
"""

import asyncio
import logging
import os

from aiohttp import web

from pomerium_jwt import require_group
from pomerium_jwt.aiohttp import IDENTITY, Pomerium

logging.basicConfig(level=logging.INFO)  # the start line, and a warning for each kind of refusal


async def index(request):
    return web.json_response(request[IDENTITY] and request[IDENTITY].to_dict())


async def admin(request):
    return web.json_response(require_group(request[IDENTITY], "admins").to_dict())


async def health(request):
    return web.json_response(pomerium.health())


async def ws(request):
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    await socket.send_str(request[IDENTITY].subject if request[IDENTITY] else "")
    await socket.close()
    return socket


@web.middleware
async def anything_else(request, handler):
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return web.json_response({"reached": True, "subject": request[IDENTITY] and request[IDENTITY].subject})


app = web.Application(middlewares=[anything_else])
pomerium = Pomerium(app)  # in front of all other middleware: from now on no request gets in unverified
app.add_routes([web.get("/", index), web.get("/admin", admin), web.get("/health", health)])
app.add_routes([web.get("/ws", ws, allow_head=False)])


async def main():
    # A user in many groups has a long token; aiohttp's own limit for a header is 8,190 bytes
    runner = web.AppRunner(app, max_field_size=131072, access_log=None, handle_signals=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(os.environ.get("PORT", "8000")))
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except web.GracefulExit:
        pass
