"""manage.py check: what would stop the start, and what would let the wrong user in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from .._errors import OptionsError
from ._settings import Accounts, configured, split
from .middleware import PomeriumMiddleware, PomeriumUserMiddleware

_AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
_REMOTE_USER = "django.contrib.auth.middleware.RemoteUserMiddleware"
_CACHE = "django.middleware.cache.UpdateCacheMiddleware"


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
        before = settings.MIDDLEWARE[: settings.MIDDLEWARE.index(path)]
        if not any(_descends(other, _AUTHENTICATION) for other in before):
            found.append(Error(f"{path} belongs after AuthenticationMiddleware in MIDDLEWARE", id="pomerium_jwt.E003"))
    if signing_in and not _signs_in():
        found.append(
            Error(
                "PomeriumUserMiddleware signs nobody in: AUTHENTICATION_BACKENDS names no PomeriumBackend",
                hint='Add "pomerium_jwt.django.backends.PomeriumBackend".',
                id="pomerium_jwt.E004",
            )
        )
    if any(_descends(path, _REMOTE_USER) for path in settings.MIDDLEWARE):
        found.append(
            Error(
                "RemoteUserMiddleware believes a header that nobody has verified",
                hint="Replace it by PomeriumUserMiddleware.",
                id="pomerium_jwt.E005",
            )
        )
    if signing_in:
        found.extend(_fields_that_are_missing(accounts))
    for path in ours:
        after = settings.MIDDLEWARE[settings.MIDDLEWARE.index(path) :]
        if any(_descends(other, _CACHE) for other in after):
            found.append(
                Error(
                    f"UpdateCacheMiddleware belongs before {path} in MIDDLEWARE",
                    hint="Otherwise the cache gives one user's page to another.",
                    id="pomerium_jwt.E007",
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


def _fields_that_are_missing(accounts: Accounts) -> Iterator[Error]:
    from django.contrib.auth import get_user_model

    fields = {field.name for field in get_user_model()._meta.get_fields()}
    for setting, field in (("staff_groups", "is_staff"), ("superuser_groups", "is_superuser")):
        if getattr(accounts, setting) is not None and field not in fields:
            yield Error(
                f"{setting} is without effect: {field} is not a field of the user model",
                hint=f"Leave out {setting}, and set what {field} follows from in configure_user of a PomeriumBackend.",
                id="pomerium_jwt.E006",
            )


def _is(path: str, kind: type) -> bool:
    """Whether a setting names this class, or a subclass of it."""
    return _descends(path, f"{kind.__module__}.{kind.__qualname__}")


def _descends(path: str, kind: str) -> bool:
    """The same for a class of Django's, which not every project can import."""
    try:
        named = import_string(path)
    except ImportError:
        return False  # Django says so
    kinds = named.__mro__ if isinstance(named, type) else ()
    return any(f"{each.__module__}.{each.__qualname__}" == kind for each in kinds)
