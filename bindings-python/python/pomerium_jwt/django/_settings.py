"""settings.POMERIUM_JWT: the options of the verifier, and how a verified user becomes a user of Django."""

from __future__ import annotations

import functools
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

from .. import _environ, _scope
from .._integration import Integration
from .._native import Identity, invalid_options

NAME = "POMERIUM_JWT"

SIGNED_IN = "_pomerium_user"
"""Where a request has the user whom PomeriumUserMiddleware has found."""

_HOOKS = ("verifier", "error_handler", "on_refused", "root_path")


@dataclass(frozen=True)
class Accounts:
    """The settings of accounts. The names are those that Grafana's and Jenkins's users know."""

    username_claim: str = "sub"
    """The claim that is the username. Choose none that users can change themselves: it decides who somebody is."""
    email_claim: str = "email"
    name_claim: str = "name"
    """Copied into first_name and last_name, cut at the first blank."""
    groups_claim: str = "groups"
    auto_sign_up: bool = True
    """Make an account for a user who has none."""
    sync_groups: bool = False
    """Make the user's groups in Django those of the token, at each change. Without it they are left alone."""
    group_map: Mapping[str, str] | None = None
    """Group in the token -> group in Django; what is not named is dropped. Without it the names are the same."""
    default_groups: Sequence[str] = ()
    """Groups in Django that each new account is in; with sync_groups each account."""
    staff_groups: Sequence[str] | None = None
    """Who may use the admin: is_staff follows from these groups of the token. None leaves it alone."""
    superuser_groups: Sequence[str] | None = None
    """The same for is_superuser."""

    def __post_init__(self) -> None:
        for name in ("username_claim", "email_claim", "name_claim", "groups_claim"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise invalid_options(f"{name} takes the name of a claim")
        for name in ("auto_sign_up", "sync_groups"):
            if not isinstance(getattr(self, name), bool):
                raise invalid_options(f"{name} takes True or False")
        for name in ("default_groups", "staff_groups", "superuser_groups"):
            if getattr(self, name) is not None and not _is_names(getattr(self, name)):
                raise invalid_options(f"{name} takes a list of groups")
        if self.group_map is not None and not (
            isinstance(self.group_map, Mapping) and _is_names([*self.group_map, *self.group_map.values()])
        ):
            raise invalid_options("group_map takes a dict: group in the token -> group in Django")


@dataclass(frozen=True)
class Configured:
    """What the settings say."""

    integration: Integration
    accounts: Accounts


@functools.cache
def configured() -> Configured:
    """Made once for the process. Raises OptionsError."""
    accounts, others = split()
    hooks = {name: others.pop(name, None) for name in _HOOKS}
    return Configured(Integration(others, **hooks), accounts)


def split() -> tuple[Accounts, dict[str, Any]]:
    """The settings of accounts, and the options. Raises OptionsError."""
    given = getattr(settings, NAME, {})
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise invalid_options(f'{NAME} takes a dict, such as {{"route": "https://app.example.com"}}')
    known = {field.name for field in fields(Accounts)}
    accounts = Accounts(**{name: given[name] for name in given if name in known})
    return accounts, {name: given[name] for name in given if name not in known}


def verified(request: Any) -> Identity | None:
    """Whom this request was verified to be; None if it passed without an identity. Raises LookupError if neither
    protect_wsgi, protect_asgi nor PomeriumMiddleware has seen it: another Pomerium around the project has other
    demands, and what `environ` holds under a name may come from anywhere."""
    found = facts_of(request).get(_environ.VERIFIED)
    if not isinstance(found, tuple) or found[0] is not configured().integration:
        raise LookupError("nothing has verified this request: add PomeriumMiddleware to MIDDLEWARE")
    identity: Identity | None = found[1]
    return identity


def facts_of(request: Any) -> MutableMapping[str, Any]:
    """The ASGI scope or the WSGI environment."""
    found: MutableMapping[str, Any] = request.scope if hasattr(request, "scope") else request.environ
    return found


def admit(request: Any) -> Identity | None:
    """Verifies a request that nothing in front has verified."""
    module: Any = _scope if hasattr(request, "scope") else _environ
    integration = configured().integration
    return _keep(request, integration, module.admit(integration, facts_of(request)))


async def admit_async(request: Any) -> Identity | None:
    """As admit, without blocking the event loop."""
    module: Any = _scope if hasattr(request, "scope") else _environ
    integration = configured().integration
    return _keep(request, integration, await integration.admit_async(module.facts(integration, facts_of(request))))


def _keep(request: Any, integration: Integration, identity: Identity | None) -> Identity | None:
    facts = facts_of(request)
    facts[_environ.IDENTITY] = identity
    facts[_environ.VERIFIED] = integration, identity
    return identity


def _is_names(value: object) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(name, str) for name in value)


def _forget(*, setting: str, **_: object) -> None:
    """A test has changed the settings."""
    if setting == NAME:
        configured.cache_clear()


setting_changed.connect(_forget, dispatch_uid="pomerium_jwt")
