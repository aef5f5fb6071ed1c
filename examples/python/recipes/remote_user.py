"""An application that knows REMOTE_USER only.

POMERIUM_JWT_ROUTE=https://app.example.com gunicorn recipes.remote_user:application
"""

from pomerium_jwt.wsgi import Pomerium


def legacy(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ.get("REMOTE_USER", "nobody").encode()]


application = Pomerium(legacy, remote_user="email")
