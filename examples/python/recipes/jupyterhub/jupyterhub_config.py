"""JupyterHub: the user is Pomerium's, in the hub and in each user's own server, whose WebSockets are verified too.

POMERIUM_JWT_ROUTE=https://hub.example.com jupyterhub -f recipes/jupyterhub/jupyterhub_config.py

Users' servers need pomerium_server.py and pomerium_hub.py on their PYTHONPATH, the package, and these variables.
"""

import os
import sys

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, folder)

c = get_config()  # noqa: F821 - JupyterHub's
c.JupyterHub.authenticator_class = "pomerium_hub.PomeriumAuthenticator"
c.Authenticator.allow_all = True  # all whom Pomerium's policy and POMERIUM_JWT_REQUIRE_GROUP let in
c.Spawner.args = ["--ServerApp.identity_provider_class=pomerium_server.PomeriumIdentityProvider"]
c.Spawner.environment = {name: value for name, value in os.environ.items() if name.startswith("POMERIUM_JWT_")}
c.Spawner.environment["PYTHONPATH"] = folder
