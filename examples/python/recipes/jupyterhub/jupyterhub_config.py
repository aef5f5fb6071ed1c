"""JupyterHub: the user is Pomerium's, in the hub and in each user's own server, whose WebSockets are verified too.

POMERIUM_JWT_ROUTE=https://hub.example.com jupyterhub -f recipes/jupyterhub/jupyterhub_config.py

Pomerium has two routes to the hub's proxy: https://hub.example.com and https://*.hub.example.com, both with
preserve_host_header. Users' servers need pomerium_server.py and pomerium_hub.py on their PYTHONPATH, the package, and the
variables below. Close the hub's own port to everything else.
"""

import os
import sys
from hashlib import sha256

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, folder)


def host_of(name, domain, kind):
    """Any subject, and Alice is not alice."""
    return f"{kind}-{sha256(name.encode()).hexdigest()[:40]}.{domain}"


c = get_config()  # noqa: F821 - JupyterHub's
c.JupyterHub.authenticator_class = "pomerium_hub.PomeriumAuthenticator"
c.Authenticator.allow_all = True  # all whom Pomerium's policy and POMERIUM_JWT_REQUIRE_GROUP let in

# All servers run as the hub's own account here, which is for trying it. Names are subjects, not accounts of this machine:
# take a spawner that keeps users apart, such as DockerSpawner or KubeSpawner
c.JupyterHub.spawner_class = "simple"
c.Spawner.args = ["--ServerApp.identity_provider_class=pomerium_server.PomeriumIdentityProvider"]
c.Spawner.environment = {name: value for name, value in os.environ.items() if name.startswith("POMERIUM_JWT_")}
c.Spawner.environment["PYTHONPATH"] = folder

# A user's server gets the tokens of all who visit it. With a host, and so an audience, of its own, they are worth nothing
# at the hub and at other servers
c.JupyterHub.subdomain_host = os.environ["POMERIUM_JWT_ROUTE"]
c.JupyterHub.subdomain_hook = host_of
c.Spawner.environment["POMERIUM_JWT_ROUTE"] = lambda spawner: spawner.user.host
