"""The hub's half: who signs in is who Pomerium says, and so is the user of every later request of that browser.

JupyterHub sends some things to anybody: its static files, its version, /hub/health. API tokens of users are credentials of
their own, and do not come through Pomerium when a user's server calls the hub.
"""

from functools import cache

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.auth import Authenticator
from tornado.web import Finish

from pomerium_jwt import Verifier, VerifyError, require_user


@cache
def verifier():
    return Verifier.from_env()


async def caller(handler):
    """The name of the user for this request. Raises VerifyError."""
    tokens = handler.request.headers.get_list(verifier().header_name)
    identity = require_user(await verifier().verify_async(",".join(tokens)))
    return identity.subject


def refuse(handler, error):
    """Ends this request."""
    handler.log.warning("refused %a: %s", handler.request.path, error)
    handler.clear()
    handler.set_status(error.status)
    for name, value in error.headers.items():
        handler.set_header(name, value)
    raise Finish(error.body)


class PomeriumAuthenticator(Authenticator):
    auto_login = True
    auth_refresh_age = -1  # refresh_user is asked about every request, whatever age a session has

    def __init__(self, **settings):
        super().__init__(**settings)
        verifier()  # a wrong option ends the hub at start

    async def authenticate(self, handler, data=None):
        if isinstance(handler, APIHandler):
            return None  # without a session the API would ask nobody for an XSRF token
        try:
            return await caller(handler)
        except VerifyError as error:
            refuse(handler, error)

    async def refresh_user(self, user, handler=None, **_):
        # JupyterHub 6.1 itself reads this of every handler, but sets it for some only
        if vars(handler).setdefault("_token_authenticated", False):
            return True
        try:
            return await caller(handler) == user.name
        except VerifyError:
            return False  # back to the login page, which refuses

    def normalize_username(self, username):
        return username  # Alice is not alice
