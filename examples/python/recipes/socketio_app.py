"""Flask-SocketIO: the identity of a connection is that of the request that opened it.

POMERIUM_JWT_ROUTE=https://app.example.com python -m recipes.socketio_app
"""

import os

from flask import Flask
from flask_socketio import SocketIO, emit

from pomerium_jwt.flask import Pomerium, current_identity

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading")
Pomerium(app)  # after SocketIO(app), or the long-polling and WebSocket requests would not be verified


@socketio.on("hello")
def hello():
    emit("hello", current_identity.subject)


if __name__ == "__main__":
    socketio.run(app, port=int(os.environ.get("PORT", "8000")), allow_unsafe_werkzeug=True)
