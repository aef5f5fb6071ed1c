"""A Flask application behind Pomerium. The environment says which one:
POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health gunicorn app:app
"""

import logging
import os

from flask import Flask, jsonify

from pomerium_jwt.flask import Pomerium, current_identity, require_group

logging.basicConfig(level=logging.INFO)  # the start line, and a warning for each kind of refusal
app = Flask(__name__, static_folder=None)
app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
app.url_map.merge_slashes = False
origin = os.environ.get("CORS_ORIGIN")
if origin:
    from flask_cors import CORS

    CORS(app, origins=[origin], methods=["GET", "DELETE"], allow_headers=["Authorization"])
pomerium = Pomerium(app, answer_preflight=bool(origin))  # from now on no request gets in unverified


@app.get("/")
def index():
    return jsonify(current_identity)


@app.get("/admin")
@require_group("admins")
def admin():
    return jsonify(current_identity)


@app.get("/health")
def health():
    return pomerium.health()


@app.errorhandler(404)
@app.errorhandler(405)
def anything_else(_):
    return jsonify(reached=True, subject=current_identity.subject if current_identity else None), 200


if rewrite := os.environ.get("REWRITE"):  # a middleware in front that changes paths: what it makes exempt is not
    before, after = rewrite.split("=")
    inside = app.wsgi_app

    def rewriting(environ, start_response):
        if environ["PATH_INFO"] == before:
            environ["PATH_INFO"] = after
        return inside(environ, start_response)

    app.wsgi_app = rewriting
