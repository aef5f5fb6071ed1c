"""From a verified identity to a user of Django."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model, load_backend
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import router, transaction

from .._native import Identity
from ._settings import Accounts, configured

log = logging.getLogger("pomerium_jwt")


class PomeriumBackend(ModelBackend):
    """Finds the account of a verified identity, or makes one, and keeps it as the token says.

    The account is the one with the username of the setting username_claim: one that exists already becomes the user's.
    It accepts nothing but an identity, so no password and no header signs anybody in by it. The hooks are those of
    RemoteUserBackend: create_unknown_user, clean_username, configure_user.
    """

    @property
    def create_unknown_user(self) -> bool:
        """Make an account for a user who has none? The setting auto_sign_up, unless a subclass knows better."""
        return configured().accounts.auto_sign_up

    def authenticate(self, request: Any, pomerium: Identity | None = None) -> Any:
        """The user; None for somebody without an account, or with one that is not active."""
        if not isinstance(pomerium, Identity) or not pomerium.is_user:
            return None
        accounts = configured().accounts
        username = self._username(pomerium, accounts)
        if username is None:
            return None
        # An account that is made, but not with all that a new one has, would never get it
        with transaction.atomic(using=router.db_for_write(get_user_model())):
            user, created = self._account(username)
            if user is None or not self.user_can_authenticate(user):
                return None
            _synchronise(user, pomerium, accounts, created)
            return self.configure_user(request, user, created)

    async def aauthenticate(self, request: Any, pomerium: Identity | None = None) -> Any:
        return await sync_to_async(self.authenticate)(request, pomerium)

    def clean_username(self, username: str) -> str:
        """The username in Django for this value of the claim."""
        return username

    def configure_user(self, request: Any, user: Any, created: bool = True) -> Any:
        """Called for each user who signs in, after the account was synchronised. Returns the user."""
        return user

    def _username(self, identity: Identity, accounts: Accounts) -> str | None:
        value = identity.claims.get(accounts.username_claim)
        username = self.clean_username(value) if isinstance(value, str) and value else ""
        model = get_user_model()
        longest = model._meta.get_field(model.USERNAME_FIELD).max_length
        if username and "\0" not in username and (longest is None or len(username) <= longest):
            return username
        log.warning("the claim %s is missing, or cannot be a username in Django", accounts.username_claim)
        return None

    def _account(self, username: str) -> tuple[Any, bool]:
        model = get_user_model()
        try:
            user, created = model._default_manager.get_by_natural_key(username), False
        except model.DoesNotExist:
            if not self.create_unknown_user:
                return None, False
            user, created = model._default_manager.get_or_create(**{model.USERNAME_FIELD: username})
            if created:
                user.set_unusable_password()
                user.save()
        # Some databases take alice for Alice
        return (user, created) if user.get_username() == username else (None, False)


def authenticate(request: Any, identity: Identity) -> Any:
    """As django.contrib.auth.authenticate, but by PomeriumBackends alone: others may accept any argument."""
    for path in settings.AUTHENTICATION_BACKENDS:
        backend = load_backend(path)
        if not isinstance(backend, PomeriumBackend):
            continue
        try:
            user = backend.authenticate(request, pomerium=identity)
        except PermissionDenied:
            return None
        if user is not None:
            user.backend = path
            return user
    return None


def has_the_rights(user: Any, identity: Identity) -> bool:
    """Whether an account still has the rights that this token gives: another browser's token or a person may have
    changed them."""
    accounts = configured().accounts
    if _changes(user, _flags(groups_of(identity, accounts), accounts)):
        return False
    if not accounts.sync_groups:
        return True
    wanted, has = _wanted_groups(identity, accounts), set(user.groups.values_list("name", flat=True))
    return has == wanted or has == {group.name for group in _existing(wanted)}


def _synchronise(user: Any, identity: Identity, accounts: Accounts, created: bool) -> None:
    wanted = _flags(groups_of(identity, accounts), accounts)
    email, name = identity.claims.get(accounts.email_claim), identity.claims.get(accounts.name_claim)
    if isinstance(email, str) and email:
        wanted[user.get_email_field_name()] = email
    if isinstance(name, str) and name:
        wanted["first_name"], _, wanted["last_name"] = name.partition(" ")
    changes = _changes(user, wanted)
    for field, value in changes.items():
        setattr(user, field, value)
    if changes:
        user.save(update_fields=[*changes])
    if accounts.sync_groups:
        user.groups.set(_existing(_wanted_groups(identity, accounts)))
    elif created and accounts.default_groups:
        user.groups.add(*_existing({*accounts.default_groups}))


def _flags(groups: set[str], accounts: Accounts) -> dict[str, Any]:
    named = {"is_staff": accounts.staff_groups, "is_superuser": accounts.superuser_groups}
    return {flag: not groups.isdisjoint(names) for flag, names in named.items() if names is not None}


def _changes(user: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """What is not so yet. A user model of the project's own may not have all of it."""
    has, changes = {field.name for field in user._meta.get_fields()}, {}
    for name, value in wanted.items():
        if name == user.USERNAME_FIELD or name not in has:
            continue
        if isinstance(value, str):
            value = value.replace("\0", "")[: user._meta.get_field(name).max_length]
        if getattr(user, name) != value:
            changes[name] = value
    return changes


def _wanted_groups(identity: Identity, accounts: Accounts) -> set[str]:
    groups, mapped = groups_of(identity, accounts), accounts.group_map
    named = groups if mapped is None else {mapped[group] for group in groups if group in mapped}
    return {*named, *accounts.default_groups}


def groups_of(identity: Identity, accounts: Accounts) -> set[str]:
    """The groups that the token names."""
    if accounts.groups_claim == "groups":
        return set(identity.groups)
    value = identity.claims.get(accounts.groups_claim)
    return {group for group in value if isinstance(group, str)} if isinstance(value, list) else set()


def _existing(names: set[str]) -> list[Any]:
    """A group that Django does not have is not made: it would have no permissions."""
    # Some databases take editors for Editors
    return [group for group in Group.objects.filter(name__in=names) if group.name in names]
