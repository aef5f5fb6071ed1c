"""JupyterHub: the user is Pomerium's, in the hub and in each user's own server, whose WebSockets are verified too.

POMERIUM_JWT_ROUTE=https://hub.example.com jupyterhub -f recipes/jupyterhub/jupyterhub_config.py

As it stands it is for trying it: every user's server runs as the hub's own account, which may read the hub's database, so
nothing keeps users apart. As root, add --allow-root to Spawner.args.

Pomerium has two routes to the proxy (port 8000): https://hub.example.com and https://*.hub.example.com, both with
preserve_host_header. POMERIUM_JWT_ROUTE is the first alone. Let only Pomerium reach the proxy, and only users' servers the hub
(port 8081). These need pomerium_server.py and pomerium_hub.py on their PYTHONPATH, the package, the variables below, and their
own host's keys: https://user-...hub.example.com/.well-known/pomerium/jwks.json.
"""

import os
import sys
from hashlib import sha256

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, folder)


def host_of(name, domain, kind):
    """Any subject, and Alice is not alice."""
    return f"{kind}-{sha256(name.encode()).hexdigest()[:40]}.{domain}"


route = os.environ["POMERIUM_JWT_ROUTE"]
if "," in route or "*" in route or os.environ.keys() & {"POMERIUM_JWT_ISSUER", "POMERIUM_JWT_AUDIENCE"}:
    # Or the hub would accept the tokens that users' servers are shown
    raise ValueError(
        "POMERIUM_JWT_ROUTE: the hub's host alone, and neither POMERIUM_JWT_ISSUER nor POMERIUM_JWT_AUDIENCE"
    )

c = get_config()  # noqa: F821 - JupyterHub's
c.JupyterHub.authenticator_class = "pomerium_hub.PomeriumAuthenticator"
c.Authenticator.allow_all = True  # all whom Pomerium's policy and POMERIUM_JWT_REQUIRE_GROUP let in

# Names are subjects, not accounts of this machine. For real users take a spawner that keeps them apart from each other and
# from the hub, such as DockerSpawner or KubeSpawner
c.JupyterHub.spawner_class = "simple"
c.Spawner.args = ["--ServerApp.identity_provider_class=pomerium_server.PomeriumIdentityProvider"]
c.Spawner.environment = {name: value for name, value in os.environ.items() if name.startswith("POMERIUM_JWT_")}
c.Spawner.environment["PYTHONPATH"] = folder

# A user's server gets the tokens of all who visit it. With a host, and so an audience, of its own, they are worth nothing
# at the hub and at other servers
c.JupyterHub.subdomain_host = route
c.JupyterHub.subdomain_hook = host_of
c.JupyterHub.cookie_host_prefix_enabled = True  # nor can it set the hub's cookies
c.Spawner.environment["POMERIUM_JWT_ROUTE"] = lambda spawner: spawner.user.host
