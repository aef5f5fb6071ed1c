"""What stands in front of Pomerium in the ASGI applications here: the environment's CORS_ORIGIN and REWRITE are for tests."""

import os

from starlette.middleware.cors import CORSMiddleware


def in_front(application):
    """Pure ASGI middleware around an application, whatever framework that is of."""
    if rewrite := os.environ.get("REWRITE"):
        application = Rewriting(application, *rewrite.split("="))
    if origin := os.environ.get("CORS_ORIGIN"):  # in front of Pomerium: a refusal has its headers too
        application = CORSMiddleware(application, [origin], allow_methods=["*"], allow_headers=["Authorization"])
    return application


class Rewriting:
    """A middleware in front that changes paths: what it makes exempt is not."""

    def __init__(self, app, before, after):
        self.app = app
        self.before, self.after = before, after

    async def __call__(self, scope, receive, send):
        await self.app({**scope, "path": self.after} if scope.get("path") == self.before else scope, receive, send)
