from aiohttp import web

from pomerium_jwt import require_group
from pomerium_jwt.aiohttp import IDENTITY, Pomerium


async def hello(request):
    return web.Response(text=f"Hello {request[IDENTITY].email}")


async def admin(request):
    return web.Response(text=f"Hello {require_group(request[IDENTITY], 'admins').email}")  # 403 for others


app = web.Application()
Pomerium(app)  # in front of all other middleware: from now on every request is verified
app.add_routes([web.get("/", hello), web.get("/admin", admin)])

if __name__ == "__main__":
    web.run_app(app, max_field_size=131072)
