"""The half of a user's own server: the hub's cookie outlives a user, so every request and WebSocket is compared."""

from jupyterhub.singleuser.extension import JupyterHubIdentityProvider
from pomerium_hub import caller, refuse

from pomerium_jwt import VerifyError


class PomeriumIdentityProvider(JupyterHubIdentityProvider):
    async def get_user(self, handler):
        try:
            name = await caller(handler)
        except VerifyError as error:
            refuse(handler, error)
        user = await super().get_user(handler)
        return user if user is not None and user.username == name else None  # None: the hub is asked who it is
