from typing import Annotated

from fastapi import Depends, FastAPI

from pomerium_jwt import Identity
from pomerium_jwt.fastapi import Pomerium, identity, require_group

app = FastAPI()
Pomerium(app)  # after all other middleware but CORSMiddleware: from now on every request is verified


@app.get("/")
def hello(caller: Annotated[Identity, Depends(identity)]):
    return f"Hello {caller.email}"


@app.get("/admin", dependencies=[Depends(require_group("admins"))])
def admin():
    return "Hello admin"
