"""Django: who gets in, its caches and checks, REST framework. The HTTP suite has the example."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from django_project import ISSUER, USER_MIDDLEWARE, _database, _empty, configured, token  # first: the settings

from django.conf import settings  # isort: skip
from django.contrib.auth.middleware import AuthenticationMiddleware, PersistentRemoteUserMiddleware
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.test import AsyncClient, Client, RequestFactory
from django.test.utils import override_settings
from whitenoise import WhiteNoise

from pomerium_jwt import OptionsError, asgi, wsgi
from pomerium_jwt.django import health, protect_asgi, protect_wsgi, verified
from pomerium_jwt.django.checks import check_settings
from pomerium_jwt.django.middleware import PomeriumUserMiddleware

__all__ = ["_database", "_empty"]  # fixtures

AUTHENTICATION_OF_OURS = "test_django.Authentication"
UPDATE_CACHE = "django.middleware.cache.UpdateCacheMiddleware"


class Authentication(AuthenticationMiddleware):
    pass


class BelievesAHeader(PersistentRemoteUserMiddleware):
    header = "HTTP_X_FORWARDED_USER"


def test_django_s_client_is_verified() -> None:
    client = Client()
    assert client.get("/", **token()).json() == {"subject": "alice", "user": "alice"}
    for path in ("/", "/nowhere", "/admin/"):
        refused = client.get(path)
        assert (refused.status_code, refused.content) == (401, b'{"error":"token_missing"}')
        assert refused["Cache-Control"] == "no-store" and "WWW-Authenticate" in refused
    assert client.get("/open").json() == {"subject": None, "user": ""}
    assert client.get("/open", HTTP_UPGRADE="websocket").status_code == 401
    refused = client.get("/owners", **token())
    assert (refused.content, refused["Cache-Control"]) == (b'{"error":"group_required"}', "no-store")
    assert client.get("/owners", **token(groups=["owners"])).status_code == 200
    assert health()["keys_loaded"]


def test_caches() -> None:
    """The cache of the whole site gives nobody the page of another, whatever cookies they have."""
    fetch = "django.middleware.cache.FetchFromCacheMiddleware"
    plain = "pomerium_jwt.django.middleware.PomeriumMiddleware"
    with_users = [UPDATE_CACHE, *settings.MIDDLEWARE, fetch]
    with override_settings(MIDDLEWARE=with_users), configured(exempt_paths=["/open"]):
        client = Client()
        client.cookies["lang"] = "de"
        for user in ("alice", "bob"):
            answer = client.get("/", **token(user))
            assert answer.json()["user"] == user
        assert answer["Cache-Control"] == "private" and "X-Pomerium-Jwt-Assertion" in answer["Vary"]
        assert client.get("/").status_code == 401
        nobody = client.get("/open")
        assert "private" not in nobody["Cache-Control"] and "X-Pomerium-Jwt-Assertion" in nobody["Vary"]
    for middleware in ([UPDATE_CACHE, plain, fetch], [UPDATE_CACHE, fetch, plain]):
        with override_settings(MIDDLEWARE=middleware):
            for user in ("alice", "bob"):
                assert Client().get("/me", **token(user)).json() == {"subject": user}
            public = Client().get("/public", **token())
            assert "private" not in public["Cache-Control"] and "X-Pomerium-Jwt-Assertion" in public["Vary"]


def test_asynchronously() -> None:
    async def main() -> None:
        client = AsyncClient()
        headers = {"X-Pomerium-Jwt-Assertion": ISSUER.token()}
        answer = await client.get("/async", headers=headers)
        assert answer.json() == {"subject": "alice", "user": "alice"}
        assert (await client.get("/async")).status_code == 401
        transport = httpx.ASGITransport(protect_asgi(get_asgi_application()))
        async with httpx.AsyncClient(transport=transport, base_url="https://app.example.com") as browser:
            assert (await browser.get("/async", headers=headers)).json()["user"] == "alice"
            assert (await browser.get("/", headers=headers)).json()["user"] == "alice"
            for path in ("/async", "/nowhere", "/static/x"):
                assert (await browser.get(path)).json() == {"error": "token_missing"}

    asyncio.run(main())


def test_what_others_have_verified_is_verified_again() -> None:
    """Another Pomerium around the project has other demands, and runserver's environ has the process's variables."""
    around = wsgi.Pomerium(get_wsgi_application(), verifier=ISSUER.verifier(optional=True))
    with httpx.Client(transport=httpx.WSGITransport(around), base_url="https://app.example.com") as client:
        assert client.get("/").json() == {"error": "token_missing"}
        assert client.get("/", headers=ISSUER.headers()).json()["user"] == "alice"
    identity = ISSUER.verifier().verify(ISSUER.token())
    for forged in ("x", identity, None, (None, identity)):
        for name in ("pomerium", "pomerium_jwt.verified"):
            assert Client().get("/", **{name: forged}).status_code == 401

    async def main() -> None:
        outer = asgi.Pomerium(get_asgi_application(), verifier=ISSUER.verifier(optional=True))
        transport = httpx.ASGITransport(outer)
        async with httpx.AsyncClient(transport=transport, base_url="https://app.example.com") as client:
            assert (await client.get("/async")).json() == {"error": "token_missing"}

    asyncio.run(main())


def test_the_workers_of_channels() -> None:
    async def consumers(scope: Any, receive: Any, send: Any) -> None:
        received.append(scope["type"])

    received: list[str] = []
    asyncio.run(protect_asgi(consumers)({"type": "channel", "channel": "thumbnails"}, None, None))
    with pytest.raises(RuntimeError, match="cannot verify"):
        asyncio.run(protect_asgi(consumers)({"type": "telnet"}, None, None))
    assert received == ["channel"]


def test_around_whitenoise(tmp_path: Any) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    application = protect_wsgi(WhiteNoise(get_wsgi_application(), root=tmp_path))
    with httpx.Client(transport=httpx.WSGITransport(application), base_url="https://app.example.com") as client:
        assert client.get("/secret.txt").json() == {"error": "token_missing"}
        assert client.get("/secret.txt", headers=ISSUER.headers()).text == "secret"
        assert client.get("/", headers=ISSUER.headers("bob")).json() == {"subject": "bob", "user": "bob"}


def test_rest_framework() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get("/api", **token()).json() == {"user": "alice", "email": "alice@example.com"}
    assert client.get("/api").content == b'{"error":"token_missing"}'
    with configured(exempt_paths=["/api"]):
        anonymous = client.get("/api")
        assert (anonymous.status_code, anonymous["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert client.get("/api/admin", **token()).status_code == 403
    assert client.get("/api/admin", **token(groups=["staff"])).status_code == 200
    with configured(auto_sign_up=False):
        assert client.get("/api", **token("stranger")).status_code == 403
    assert client.post("/api", **token()).status_code == 200, "a program"
    for browser in ({"HTTP_ORIGIN": "https://evil.example.com"}, {"HTTP_SEC_FETCH_SITE": "cross-site"}):
        assert client.post("/api", **browser, **token()).status_code == 403


def test_the_rest_framework_alone() -> None:
    """Without PomeriumUserMiddleware it finds the account by itself; without anything it says that nothing is verified."""
    plain = [name for name in settings.MIDDLEWARE if name != USER_MIDDLEWARE]
    with override_settings(MIDDLEWARE=[*plain, "pomerium_jwt.django.middleware.PomeriumMiddleware"]):
        assert Client().get("/api", **token()).json()["user"] == "alice"
    with override_settings(MIDDLEWARE=plain), pytest.raises(LookupError, match="nothing has verified"):
        Client().get("/api", **token())
    with pytest.raises(LookupError, match="nothing has verified"):
        verified(RequestFactory().get("/"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"POMERIUM_JWT": {"routes": "x"}}, "E001"),
        ({"POMERIUM_JWT": "x"}, "E001"),
        ({"POMERIUM_JWT": {}}, "E001"),
        ({"POMERIUM_JWT": {**ISSUER.options, "staff_groups": "staff"}}, "E001"),
        ({"POMERIUM_JWT": {**ISSUER.options, "auto_sign_up": "no"}}, "E001"),
        ({"POMERIUM_JWT": {**ISSUER.options, "username_claim": None}}, "E001"),
        ({"POMERIUM_JWT": {**ISSUER.options, "group_map": ["a"]}}, "E001"),
        ({"MIDDLEWARE": []}, "E002"),
        ({"MIDDLEWARE": settings.MIDDLEWARE[::-1]}, "E003"),
        ({"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]}, "E004"),
        (
            {"MIDDLEWARE": [*settings.MIDDLEWARE, "django.contrib.auth.middleware.RemoteUserMiddleware"]},
            "E005",
        ),
        ({"MIDDLEWARE": [*settings.MIDDLEWARE, "test_django.BelievesAHeader"]}, "E005"),
        ({"MIDDLEWARE": [AUTHENTICATION_OF_OURS if "Auth" in name else name for name in settings.MIDDLEWARE]}, None),
        ({"MIDDLEWARE": [UPDATE_CACHE, *settings.MIDDLEWARE]}, None),
        ({"MIDDLEWARE": [*settings.MIDDLEWARE, UPDATE_CACHE]}, "E007"),
        ({"POMERIUM_JWT": {**ISSUER.options, "username_claim": "name"}}, "W001"),
    ],
)
def test_system_checks(changes: dict[str, Any], code: str | None) -> None:
    with override_settings(**changes):
        assert [check.id for check in check_settings()] == ([f"pomerium_jwt.{code}"] if code else [])


@pytest.mark.parametrize(("setting", "field"), [("staff_groups", "is_staff"), ("superuser_groups", "is_superuser")])
def test_rights_that_the_user_model_has_no_field_for(setting: str, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of the project's own may make a property of them."""
    others = [each for each in User._meta.get_fields() if each.name != field]
    monkeypatch.setattr(User._meta, "get_fields", lambda: others)
    with override_settings(POMERIUM_JWT={**ISSUER.options, setting: ["staff"]}):
        found = check_settings()
    assert [check.id for check in found] == ["pomerium_jwt.E006"] and setting in found[0].msg


def test_a_wrong_configuration_stops_the_start() -> None:
    with override_settings(POMERIUM_JWT={"routes": "x"}):
        for protect in (protect_wsgi, protect_asgi, PomeriumUserMiddleware):
            with pytest.raises(OptionsError, match="routes"):
                protect(lambda request: None)
    with pytest.raises(ImproperlyConfigured, match="belongs after"):
        PomeriumUserMiddleware(lambda request: None)(RequestFactory().get("/", **token()))
