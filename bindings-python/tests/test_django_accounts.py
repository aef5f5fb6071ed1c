"""Django's accounts, their groups and rights, its sessions, and two users on one browser."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django_project import BACKEND, ISSUER, _database, _empty, configured, token  # first: the settings

from django.conf import settings  # isort: skip
from django.contrib import auth
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, User
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.test.utils import override_settings

from pomerium_jwt.django.backends import PomeriumBackend

__all__ = ["_database", "_empty"]  # fixtures

HTML = {"HTTP_ACCEPT": "text/html,*/*"}


def groups(username: str = "alice") -> set[str]:
    return {group.name for group in User.objects.get(username=username).groups.all()}


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
    with override_settings(MIDDLEWARE=["test_django_accounts.SessionByHeader", *settings.MIDDLEWARE[1:]]):
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
    with override_settings(AUTHENTICATION_BACKENDS=["test_django_accounts.Lenient", BACKEND]):
        assert Client().get("/", **token()).json()["user"] == "alice"
        assert Client().get("/api", **token("bob")).json()["user"] == "bob"
    with override_settings(AUTHENTICATION_BACKENDS=["test_django_accounts.Denying", BACKEND]):
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
    with override_settings(AUTHENTICATION_BACKENDS=["test_django_accounts.Hooked"]), configured(auto_sign_up=False):
        assert Client().get("/", **token("auth0|alice")).json()["user"] == "alice"
    assert User.objects.get(username="alice").last_name == "created=True"
