"""FastAPI and Starlette; Quart and Litestar under the ASGI middleware."""

from __future__ import annotations

import threading
from typing import Annotated, Any, cast

import anyio
import httpx
import pytest
from conftest import PatientIssuer
from fastapi import APIRouter, Depends, FastAPI, HTTPException, WebSocket
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse

from pomerium_jwt import Identity, OptionsError
from pomerium_jwt import asgi as plain
from pomerium_jwt.fastapi import Pomerium, identity, identity_or_none, require_group, require_user

ISSUER = PatientIssuer()
ALICE = ISSUER.headers(groups=["admins"])
BOB = ISSUER.headers(sub="bob")
ANONYMOUS = ISSUER.headers(sub="")


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/user")
    def user(caller: Annotated[Identity, Depends(identity)]) -> str:
        return caller.subject

    @router.get("/maybe")
    async def maybe(caller: Annotated[Identity | None, Depends(identity_or_none)]) -> str | None:
        return caller and caller.subject

    @router.get("/signed-in")
    def signed_in(caller: Annotated[Identity, Depends(require_user)]) -> str:
        return caller.subject

    @router.get("/admin", dependencies=[Depends(require_group("admins", "owners"))])
    def admin() -> str:
        return "in"

    @router.websocket("/ws")
    async def ws(websocket: WebSocket, caller: Annotated[Identity, Depends(require_group("admins"))]) -> None:
        await websocket.accept()
        await websocket.send_text(caller.subject)
        await websocket.close()

    return router


def protected(**options: Any) -> FastAPI:
    app = FastAPI()
    Pomerium(app, **{**ISSUER.options, **options})
    app.include_router(routes())

    @app.exception_handler(HTTPException)
    async def own(request: Any, error: Any) -> JSONResponse:
        return JSONResponse({"handler": "of the application"}, 418)

    return app


@pytest.mark.parametrize(
    ("path", "headers", "status", "body"),
    [
        ("/user", ALICE, 200, "alice"),
        ("/user", {}, 401, {"error": "token_missing"}),
        ("/user", ANONYMOUS, 200, ""),
        ("/maybe", {}, 200, None),
        ("/maybe", BOB, 200, "bob"),
        ("/maybe", {"X-Pomerium-Jwt-Assertion": "x"}, 401, {"error": "token_malformed"}),
        ("/signed-in", BOB, 200, "bob"),
        ("/signed-in", ANONYMOUS, 401, {"error": "subject_missing"}),
        ("/admin", ALICE, 200, "in"),
        ("/admin", BOB, 403, {"error": "group_required"}),
        ("/admin", {}, 401, {"error": "token_missing"}),
    ],
)
def test_dependencies(path: str, headers: dict[str, str], status: int, body: Any) -> None:
    answer = TestClient(protected(optional=True, allow_anonymous=True)).get(path, headers=headers)
    assert (answer.status_code, answer.json()) == (status, body)
    if status != 200:
        assert answer.headers["cache-control"] == "no-store"
        assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/nowhere", "/user", "/admin/"])
def test_everything_is_covered(path: str) -> None:
    assert TestClient(protected()).get(path).json() == {"error": "token_missing"}


def test_the_demands_are_in_the_openapi_document() -> None:
    document = TestClient(protected()).get("/openapi.json", headers=ALICE).json()
    scheme = document["components"]["securitySchemes"]["Pomerium"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-Pomerium-Jwt-Assertion")
    for path in ("/user", "/maybe", "/signed-in", "/admin"):
        assert document["paths"][path]["get"]["security"] == [{"Pomerium": []}]


def test_websockets() -> None:
    client = TestClient(protected())
    with client.websocket_connect("/ws", headers=ALICE) as websocket:
        assert websocket.receive_text() == "alice"
    for headers, status, code in (({}, 401, "token_missing"), (BOB, 403, "group_required")):
        with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/ws", headers=headers):
            pass
        assert (denied.value.status_code, denied.value.json()) == (status, {"error": code})


def test_an_application_that_nobody_protects_says_so() -> None:
    app = FastAPI()
    app.include_router(routes())
    with pytest.raises(RuntimeError, match="nothing has been verified"):
        TestClient(app).get("/user", headers=ALICE)
    inside = FastAPI()
    inside.include_router(routes())
    outer = plain.Pomerium(inside, **ISSUER.options)
    with pytest.raises(RuntimeError, match=r"pomerium_jwt\.fastapi"):
        TestClient(outer).get("/user", headers=ALICE)


def test_a_mounted_application_tells_no_more_than_the_code() -> None:
    app, inner = protected(), FastAPI()
    inner.include_router(routes())
    app.mount("/inner", inner)
    client = TestClient(app)
    assert client.get("/inner/user").json() == {"error": "token_missing"}
    assert client.get("/inner/admin", headers=ALICE).json() == "in"
    answer = client.get("/inner/admin", headers=BOB)
    assert (answer.status_code, answer.json()) == (403, {"detail": "group_required"})


def test_mistakes() -> None:
    with pytest.raises(OptionsError, match="a Pomerium already"):
        Pomerium(protected(), **ISSUER.options)
    with pytest.raises(OptionsError, match="audience"):
        Pomerium(FastAPI())
    with pytest.raises(OptionsError, match="names of groups"):
        require_group()


def test_refusals_of_dependencies_are_told() -> None:
    seen: list[str] = []
    client = TestClient(protected(on_refused=lambda code, message, path: seen.append(f"{code} {path}")))
    client.get("/admin", headers=BOB)
    client.get("/user")
    assert seen == ["group_required /admin", "token_missing /user"]


def test_a_websocket_that_a_dependency_has_accepted_already() -> None:
    async def early(websocket: WebSocket) -> None:
        await websocket.accept()

    app = FastAPI()
    Pomerium(app, **ISSUER.options)

    @app.websocket("/ws", dependencies=[Depends(early), Depends(require_group("admins"))])
    async def ws(websocket: WebSocket) -> None:
        await websocket.send_text("in")

    client = TestClient(app)
    with client.websocket_connect("/ws", headers=ALICE) as websocket:
        assert websocket.receive_text() == "in"
    with client.websocket_connect("/ws", headers=BOB) as websocket:
        websocket.send_text("hello")
        assert websocket.receive() == {"type": "websocket.close", "code": 1008, "reason": "group_required"}


def test_dependencies_need_no_thread() -> None:
    """Slow views, which have one each, let others be verified."""

    async def main() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        transport = httpx.ASGITransport(protected())
        async with httpx.AsyncClient(transport=transport, base_url="https://app.example.com") as client:
            answers: dict[str, httpx.Response] = {}

            async def slow() -> None:
                await anyio.to_thread.run_sync(done.wait)

            async def ask() -> None:
                with anyio.move_on_after(10):
                    answers["/maybe"] = await client.get("/maybe", headers=ALICE)
                done.set()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(slow)
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(ask)
            assert answers["/maybe"].json() == "alice"

    done = threading.Event()
    anyio.run(main)


def test_starlette_with_mounts_and_cors_in_front() -> None:
    async def show(request: Any) -> PlainTextResponse:
        return PlainTextResponse(request.scope["pomerium"].subject)

    async def ws(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.scope["pomerium"].subject)
        await websocket.close()

    inner = Starlette(routes=[Route("/x", show), WebSocketRoute("/ws", ws)])
    app = Starlette(routes=[Mount("/mount", inner)])
    Pomerium(app, verifier=ISSUER.verifier(exempt_paths="/open"))
    app.add_middleware(CORSMiddleware, allow_origins=["https://front.example.com"])
    client = TestClient(app)
    assert client.get("/mount/x", headers=ALICE).text == "alice"
    refused = client.get("/mount/x", headers={"Origin": "https://front.example.com"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://front.example.com"
    assert client.get("/open").status_code == 404
    with client.websocket_connect("/mount/ws", headers=ALICE) as websocket:
        assert websocket.receive_text() == "alice"


def quart() -> Any:
    from quart import Quart, request

    app = Quart("example")

    @app.get("/x")
    async def show() -> str:
        return str(cast(Any, request.scope)["pomerium"].subject)

    return app


def litestar() -> Any:
    from litestar import Litestar, Request, get

    @get("/x", media_type="text/plain")
    async def show(request: Request[Any, Any, Any]) -> str:
        scope: Any = request.scope
        return str(scope["pomerium"].subject)

    return Litestar([show], logging_config=None)


@pytest.mark.parametrize("make", [quart, litestar])
def test_other_frameworks(make: Any) -> None:
    """Through httpx.ASGITransport, as their users test."""

    async def main() -> None:
        transport = httpx.ASGITransport(plain.Pomerium(make(), **ISSUER.options))
        async with httpx.AsyncClient(transport=transport, base_url="https://app.example.com") as client:
            assert (await client.get("/x", headers=ALICE)).text == "alice"
            for path in ("/x", "/nowhere"):
                assert (await client.get(path)).json() == {"error": "token_missing"}

    anyio.run(main)
