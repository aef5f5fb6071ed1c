"""Flask-SocketIO: the identity of a connection is that of the request that opened it.

POMERIUM_JWT_ROUTE=https://app.example.com python -m recipes.socketio_app
"""

import os
from urllib.parse import parse_qs

from flask import Flask
from flask_socketio import SocketIO, emit

from pomerium_jwt.flask import Pomerium, current_identity

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading")


class SameUser:
    """A connection goes by its sid: nobody but who opened it may continue it."""

    def __init__(self, inside):
        self.inside = inside

    def __call__(self, environ, start_response):
        [sid, *_] = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [None])
        opened = socketio.server.environ.get(sid)
        if opened is not None and subject(opened) != subject(environ):
            start_response("403 Forbidden", [("Content-Length", "0")])
            return []
        return self.inside(environ, start_response)


def subject(environ):
    return environ["pomerium"] and environ["pomerium"].subject


app.wsgi_app = SameUser(app.wsgi_app)
Pomerium(app)  # after SocketIO(app), or the long-polling and WebSocket requests would not be verified


@socketio.on("hello")
def hello():
    emit("hello", current_identity.subject)


if __name__ == "__main__":
    socketio.run(app, port=int(os.environ.get("PORT", "8000")), allow_unsafe_werkzeug=True)
