"""A Flask application behind Pomerium. The environment says which one:
POMERIUM_JWT_ROUTE=https://app.example.com gunicorn app:app
"""

from flask import Flask, jsonify

from pomerium_jwt import logout_url
from pomerium_jwt.flask import Pomerium, current_identity, public, require_group

app = Flask(__name__)
pomerium = Pomerium(app)  # from now on every request is verified


@app.get("/")
def index():
    return jsonify(subject=current_identity.subject, email=current_identity.email, groups=current_identity.groups)


@app.get("/admin")
@require_group("admins")
def admin():
    return jsonify(department=current_identity.claims.get("department"), sign_out=logout_url())


@app.get("/healthz")
@public
def health():
    return pomerium.health()


if __name__ == "__main__":  # the standard library's server, for a first look
    import os
    from wsgiref.simple_server import make_server

    server = make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), app)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
