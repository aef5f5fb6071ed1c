"""manage.py check: what would stop the start, and what would let the wrong user in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from .._errors import OptionsError
from ._settings import configured, split
from .middleware import PomeriumMiddleware, PomeriumUserMiddleware

_AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
_REMOTE_USER = (
    "django.contrib.auth.middleware.RemoteUserMiddleware",
    "django.contrib.auth.middleware.PersistentRemoteUserMiddleware",
)


def check_settings(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    try:
        accounts, _options = split()
        configured()
    except OptionsError as error:
        return [Error(error.message, hint="Correct POMERIUM_JWT or the environment.", id="pomerium_jwt.E001")]
    ours = [path for path in settings.MIDDLEWARE if _is(path, PomeriumMiddleware)]
    signing_in = [path for path in ours if _is(path, PomeriumUserMiddleware)]
    if not ours:
        found.append(
            Error(
                "MIDDLEWARE names no PomeriumMiddleware",
                hint='Add "pomerium_jwt.django.middleware.PomeriumMiddleware".',
                id="pomerium_jwt.E002",
            )
        )
    for path in signing_in:
        if _AUTHENTICATION not in settings.MIDDLEWARE[: settings.MIDDLEWARE.index(path)]:
            found.append(Error(f"{path} belongs after AuthenticationMiddleware in MIDDLEWARE", id="pomerium_jwt.E003"))
    if signing_in and not _signs_in():
        found.append(
            Error(
                "PomeriumUserMiddleware signs nobody in: AUTHENTICATION_BACKENDS names no PomeriumBackend",
                hint='Add "pomerium_jwt.django.backends.PomeriumBackend".',
                id="pomerium_jwt.E004",
            )
        )
    if any(path in settings.MIDDLEWARE for path in _REMOTE_USER):
        found.append(
            Error(
                "RemoteUserMiddleware believes a header that nobody has verified",
                hint="Replace it by PomeriumUserMiddleware.",
                id="pomerium_jwt.E005",
            )
        )
    if signing_in and accounts.username_claim not in ("sub", "user", "email"):
        found.append(
            Warning(
                f"username_claim is {accounts.username_claim}",
                hint="Whoever can change this claim at the identity provider can become any user of this project.",
                id="pomerium_jwt.W001",
            )
        )
    return found


def _signs_in() -> bool:
    from .backends import PomeriumBackend  # it needs django.contrib.auth, which not every project has

    return any(_is(path, PomeriumBackend) for path in settings.AUTHENTICATION_BACKENDS)


def _is(path: str, kind: type) -> bool:
    """Whether a setting names this class, or a subclass of it."""
    try:
        named = import_string(path)
    except ImportError:
        return False  # Django says so
    return isinstance(named, type) and issubclass(named, kind)
