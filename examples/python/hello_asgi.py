from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pomerium_jwt.asgi import Pomerium


async def hello(request):
    return PlainTextResponse(f"Hello {request.scope['pomerium'].email}")


application = Pomerium(Starlette(routes=[Route("/", hello)]))  # the name that the server is told
