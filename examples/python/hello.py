from flask import Flask

from pomerium_jwt.flask import Pomerium, current_identity

app = Flask(__name__)
Pomerium(app)  # from now on every request is verified


@app.get("/")
def hello():
    return f"Hello {current_identity.email}"
