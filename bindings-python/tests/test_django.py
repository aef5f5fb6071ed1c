"""Django: who gets in, whose account it is, and two users on one browser. The HTTP suite has the example."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django_project import BACKEND, ISSUER, USER_MIDDLEWARE  # first: the settings

from django.conf import settings  # isort: skip
from django.contrib import auth
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware, PersistentRemoteUserMiddleware
from django.contrib.auth.models import Group, User
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import AsyncClient, Client, RequestFactory
from django.test.utils import override_settings
from whitenoise import WhiteNoise

from pomerium_jwt import OptionsError, asgi, wsgi
from pomerium_jwt.django import health, protect_asgi, protect_wsgi, verified
from pomerium_jwt.django.backends import PomeriumBackend
from pomerium_jwt.django.checks import check_settings
from pomerium_jwt.django.middleware import PomeriumUserMiddleware

NAME = "HTTP_X_POMERIUM_JWT_ASSERTION"
AUTHENTICATION_OF_OURS = "test_django.Authentication"
UPDATE_CACHE = "django.middleware.cache.UpdateCacheMiddleware"
HTML = {"HTTP_ACCEPT": "text/html,*/*"}


class Authentication(AuthenticationMiddleware):
    pass


class BelievesAHeader(PersistentRemoteUserMiddleware):
    header = "HTTP_X_FORWARDED_USER"


@pytest.fixture(scope="module", autouse=True)
def _database() -> Iterator[None]:
    call_command("migrate", verbosity=0)
    yield
    connections.close_all()


@pytest.fixture(autouse=True)
def _empty() -> None:
    for model in (User, Group, Session):
        model.objects.all().delete()
    for name in ("everybody", "editors", "secret"):
        Group.objects.create(name=name)


def token(sub: str = "alice", **claims: Any) -> dict[str, Any]:
    return {NAME: ISSUER.token(sub, **claims)}


def configured(**changes: Any) -> Any:
    return override_settings(POMERIUM_JWT={**settings.POMERIUM_JWT, **changes})


def groups(username: str = "alice") -> set[str]:
    return {group.name for group in User.objects.get(username=username).groups.all()}


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


def test_accounts() -> None:
    Client().get("/", **token(groups=["staff", "writers@example.com", "secret"], name="Alice van Dyke"))
    alice = User.objects.get(username="alice")
    assert (alice.email, alice.first_name, alice.last_name) == ("alice@example.com", "Alice", "van Dyke")
    assert (alice.is_staff, alice.is_superuser, alice.has_usable_password()) == (True, False, False)
    assert groups() == {"editors", "everybody"}, "mapped, and none that the map does not name"
    Client().get("/", **token(groups=["owners"]))
    alice.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser, groups()) == (False, True, {"everybody"})


def test_account_settings() -> None:
    with configured(sync_groups=False, staff_groups=None, superuser_groups=None):
        Client().get("/", **token(groups=["staff", "writers@example.com"]))
        assert groups() == {"everybody"}, "of a new account"
        User.objects.filter(username="alice").update(is_staff=True)
        User.objects.get(username="alice").groups.clear()
        Client().get("/", **token())
        assert User.objects.get(username="alice").is_staff and groups() == set(), "left alone"
    with configured(group_map=None, default_groups=[], groups_claim="roles"):
        Client().get("/", **token("bob", groups=["editors"], roles=["secret", 7, "nowhere"]))
        assert groups("bob") == {"secret"}
    with configured(username_claim="email", email_claim="mail", name_claim="nick"):
        Client().get("/", **token("carol", email="c@example.com", mail="m@example.com", nick="C"))
        carol = User.objects.get(username="c@example.com")
        assert (carol.email, carol.first_name, carol.last_name) == ("m@example.com", "C", "")
    with configured(auto_sign_up=False):
        assert Client().get("/", **token("dave")).json() == {"subject": "dave", "user": ""}
        assert Client().get("/", **token("bob")).json()["user"] == "bob"
    assert not User.objects.filter(username="dave").exists()


@pytest.mark.parametrize("sub", ["x" * 151, "a\0b"])
def test_what_cannot_be_a_username_is_nobody(sub: str) -> None:
    assert Client().get("/", **token(sub, email="", name="")).json()["user"] == ""
    assert User.objects.count() == 0


def test_a_database_that_takes_alice_for_Alice(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create(username="Alice", is_superuser=True)
    manager = type(User._default_manager)
    monkeypatch.setattr(manager, "get_by_natural_key", lambda self, name: self.get(username__iexact=name))
    assert Client().get("/", **token("alice")).json()["user"] == ""
    assert Client().get("/", **token("Alice")).json()["user"] == "Alice"


def test_two_users_on_one_browser() -> None:
    """Bob gets nothing of Alice: neither her rights nor what her session holds."""
    browser = Client()
    assert browser.get("/admin/", **HTML, **token("alice", groups=["staff", "owners"])).status_code == 200
    session = browser.session
    session["basket"] = "of Alice"
    session.save()
    first = browser.cookies["sessionid"].value

    assert browser.get("/admin/", **HTML, **token("bob")).status_code == 302, "to the login page of the admin"
    assert browser.get("/", **token("bob")).json()["user"] == "bob"
    second = browser.cookies["sessionid"].value
    assert second != first and "basket" not in browser.session
    assert not Session.objects.filter(session_key=first).exists()

    assert browser.get("/", **token("alice")).json()["user"] == "alice"
    assert browser.cookies["sessionid"].value not in (first, second)


def test_a_session_without_its_user() -> None:
    browser = Client()
    browser.get("/", **HTML, **token())
    assert browser.get("/").status_code == 401
    assert browser.get("/open").json() == {"subject": None, "user": ""}, "whatever the session says"
    with configured(allow_anonymous=True):
        assert browser.get("/", **token("")).json() == {"subject": "", "user": ""}
    with configured(auto_sign_up=False):
        assert browser.get("/", **token("nobody")).json()["user"] == ""
        assert auth.SESSION_KEY not in browser.session


def test_a_session_of_another_login_ends() -> None:
    """A password of Django's own makes nobody somebody else."""
    User.objects.create_superuser("root", password="secret")
    browser = Client()
    assert browser.login(username="root", password="secret")
    assert browser.get("/", **token()).json()["user"] == "alice"
    form = {"username": "root", "password": "secret", "next": "/admin/"}
    browser.post("/admin/login/", form, **token())
    assert browser.get("/", **token()).json()["user"] == "alice"


def test_a_session_that_something_has_changed() -> None:
    """Packages that impersonate write the user into the session by themselves."""
    root = User.objects.create_superuser("root", password="secret")
    browser = Client()
    browser.get("/", **HTML, **token())
    session = browser.session
    session[auth.SESSION_KEY], session[auth.HASH_SESSION_KEY] = str(root.pk), root.get_session_auth_hash()
    session.save()
    assert browser.get("/", **token()).json()["user"] == "alice"


def test_groups_change_within_a_session() -> None:
    browser = Client()
    assert browser.get("/admin/", **HTML, **token(groups=["staff"])).status_code == 200
    key = browser.cookies["sessionid"].value
    assert browser.get("/admin/", **token(groups=["staff"])).status_code == 200
    assert browser.cookies["sessionid"].value == key, "nothing has changed"
    assert browser.get("/admin/", **token(groups=[])).status_code == 302
    User.objects.filter(username="alice").update(is_active=False)
    assert browser.get("/", **token(groups=[])).json()["user"] == ""
    assert auth.SESSION_KEY not in browser.session


def test_rights_are_those_of_each_request() -> None:
    """Whatever another browser, whose token is older, or a person has made of the account."""
    first, second = Client(), Client()
    rights = ["staff", "owners", "writers@example.com"]
    for _ in range(2):
        assert first.get("/admin/", **HTML, **token(groups=rights)).status_code == 200
        assert second.get("/admin/", **HTML, **token(groups=[])).status_code == 302
        assert groups() == {"everybody"}
    User.objects.update(is_staff=True, is_superuser=True)
    User.objects.get(username="alice").groups.set(Group.objects.all())
    assert not second.get("/", **token(groups=[])).cookies, "the same session and the same CSRF token"
    alice = User.objects.get(username="alice")
    assert (alice.is_staff, alice.is_superuser, groups()) == (False, False, {"everybody"})


def test_the_order_of_groups_means_nothing() -> None:
    """A new login would change the token that forms are sent with."""
    browser = Client()
    browser.get("/", **HTML, **token(groups=["a", "b"]))
    assert not browser.get("/", **token(groups=["b", "a"])).cookies
    assert "csrftoken" in browser.get("/", **token(groups=["b"])).cookies


def test_what_a_session_keeps_is_the_same_in_each_process() -> None:
    """Sets are ordered by the seed of the process."""
    program = (
        "from django_project import *; from django.test import override_settings;"
        "from pomerium_jwt.django.middleware import _state;"
        "identity = ISSUER.verifier().verify(ISSUER.token());"
        "user = type('User', (), {'pk': 1});"
        "settings.POMERIUM_JWT['staff_groups'] = {'a', 'b', 'c', 'd'}; print(_state(identity, user))"
    )
    states = {
        subprocess.check_output(
            [sys.executable, "-c", program], cwd=Path(__file__).parent, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2", "3")
    }
    assert len(states) == 1


class SessionByHeader(SessionMiddleware):
    def process_request(self, request: Any) -> None:
        request.session = self.SessionStore(request.headers.get("X-Session"))


def test_a_session_that_did_not_come_by_a_cookie() -> None:
    browser = Client()
    browser.get("/", **HTML, **token())
    key = browser.cookies["sessionid"].value
    assert Session.objects.filter(session_key=key).exists()
    with override_settings(MIDDLEWARE=["test_django.SessionByHeader", *settings.MIDDLEWARE[1:]]):
        assert Client().get("/", HTTP_X_SESSION=key, **token("bob")).json()["user"] == "bob"
    assert not Session.objects.filter(session_key=key).exists(), "nothing of Alice's session is left for Bob"


def test_an_account_is_made_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second attempt would take it for an old one, without the groups of a new one."""
    with configured(sync_groups=False):
        monkeypatch.setattr(PomeriumBackend, "configure_user", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Client().get("/", **token())
        assert not User.objects.exists()
        monkeypatch.undo()
        Client().get("/", **token())
    assert groups() == {"everybody"}


def test_a_database_that_takes_editors_for_Editors(monkeypatch: pytest.MonkeyPatch) -> None:
    Group.objects.create(name="EDITORS")
    found = Group.objects.filter(name__iexact="editors")
    monkeypatch.setattr(type(Group.objects), "filter", lambda self, **_: found)
    Client().get("/", **token(groups=["writers@example.com"]))
    assert groups() == {"editors"}


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


def test_a_call_without_cookies_opens_no_session() -> None:
    client = Client()
    client.get("/", **token())
    client.post("/api", **token())
    assert Session.objects.count() == 0 and not client.cookies
    client.get("/", **HTML, **token())
    assert Session.objects.count() == 1


def test_the_backend_accepts_nothing_but_an_identity() -> None:
    User.objects.create(username="alice")
    request = RequestFactory().get("/", REMOTE_USER="alice")
    backend = PomeriumBackend()
    for forged in (None, "alice", {"subject": "alice"}, ISSUER.token()):
        assert backend.authenticate(request, forged) is None  # type: ignore[arg-type]
    with override_settings(AUTHENTICATION_BACKENDS=[BACKEND]):
        assert auth.authenticate(request, remote_user="alice") is None
        assert auth.authenticate(request, username="alice", password="") is None


class Lenient(ModelBackend):
    def authenticate(self, request: Any, **credentials: Any) -> Any:
        return User.objects.get(username="root")


class Denying(PomeriumBackend):
    def authenticate(self, request: Any, pomerium: Any = None) -> Any:
        raise PermissionDenied


def test_no_other_backend_signs_in() -> None:
    """Not even one that takes any arguments; and PermissionDenied ends the search, as in Django."""
    User.objects.create_superuser("root")
    with override_settings(AUTHENTICATION_BACKENDS=["test_django.Lenient", BACKEND]):
        assert Client().get("/", **token()).json()["user"] == "alice"
        assert Client().get("/api", **token("bob")).json()["user"] == "bob"
    with override_settings(AUTHENTICATION_BACKENDS=["test_django.Denying", BACKEND]):
        assert Client().get("/", **token()).json()["user"] == ""


class Hooked(PomeriumBackend):
    create_unknown_user = True

    def clean_username(self, username: str) -> str:
        return username.partition("|")[2]

    def configure_user(self, request: Any, user: Any, created: bool = True) -> Any:
        user.last_name = f"created={created}"
        user.save()
        return user


def test_the_hooks_of_remote_user_backend() -> None:
    with override_settings(AUTHENTICATION_BACKENDS=["test_django.Hooked"]), configured(auto_sign_up=False):
        assert Client().get("/", **token("auth0|alice")).json()["user"] == "alice"
    assert User.objects.get(username="alice").last_name == "created=True"


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
