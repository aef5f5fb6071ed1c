"""Airflow 3: the user of each request is Pomerium's, and groups in the token give the role.

export AIRFLOW__CORE__AUTH_MANAGER=airflow_pomerium.PomeriumAuthManager PYTHONPATH=$PWD/recipes
export POMERIUM_JWT_ROUTE=https://airflow.example.com POMERIUM_JWT_EXEMPT_PATHS='/execution/*'
airflow db migrate && airflow api-server

Workers call /execution/ without Pomerium, with tokens of Airflow's own: exempt it, or serve it apart from the rest with
`airflow api-server --apps execution`. If [api] base_url has a path, so has the exemption: /airflow/execution/*. Who is in none
of the groups below is a viewer. All processes of Airflow read AIRFLOW__CORE__AUTH_MANAGER, so all need these variables.
"""

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import USER_INJECTED_BY_TRUSTED_MIDDLEWARE

from pomerium_jwt import Verifier
from pomerium_jwt.asgi import Pomerium

ROLES = {"airflow-admins": "admin", "airflow-operators": "op", "airflow-users": "user"}  # the first that fits


def user_of(identity):
    role = next((role for group, role in ROLES.items() if identity.in_group(group)), "viewer")
    return SimpleAuthManagerUser(username=identity.subject, role=role)


class SignedIn:
    """Inside of Pomerium: neither Airflow's cookie nor a token of its API says who somebody is."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if identity := scope.get("pomerium"):
            headers = [(name, value) for name, value in scope["headers"] if name not in (b"cookie", b"authorization")]
            user = {"user": user_of(identity), "user_authenticated_via": USER_INJECTED_BY_TRUSTED_MIDDLEWARE}
            scope = {**scope, "headers": headers, "state": {**scope.get("state", {}), **user}}
        await self.app(scope, receive, send)


class PomeriumAuthManager(SimpleAuthManager):
    """The roles of the simple auth manager, without its users and passwords."""

    def init(self):
        super(SimpleAuthManager, self).init()  # that of SimpleAuthManager would make passwords
        self.verifier = Verifier.from_env()  # a wrong option ends the server at start

    def get_fastapi_middlewares(self):
        from airflow.api_fastapi.app import API_ROOT_PATH  # which imports this file

        settings = {"verifier": self.verifier, "root_path": API_ROOT_PATH.removesuffix("/")}
        return [(SignedIn, {}), (Pomerium, settings)]  # the last one is in front

    def get_fastapi_app(self):
        return None  # no page asks for a password
