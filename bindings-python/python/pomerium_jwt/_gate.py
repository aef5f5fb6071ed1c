"""What all framework integrations share: their own options, who gets in, and what the others are told."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from ._errors import VerifyError, invalid_options
from ._native import Identity
from ._verifier import Verifier

log = logging.getLogger("pomerium_jwt")


_OWN = {"header_name", "optional", "exempt_paths", "require_group", "error_handler", "on_refused"}


class GateOptions(TypedDict, total=False):
    """Options of an integration, beside those of the Verifier."""

    error_handler: Callable[[Refusal], Any]
    """Renders a refusal. Its status stays the refusal's, whatever the handler makes of it."""
    on_refused: Callable[[str, str, str], object]
    """Called with code, message and path of each refusal, instead of a warning in the log."""


@dataclass(eq=False)
class Refusal(Exception):
    """A request that is answered without the application. The code is for the client, the message for the log."""

    code: str
    status: int
    message: str
    retry_after: int | None = None

    @property
    def body(self) -> bytes:
        """All that the client is told."""
        return b'{"error":"%s"}' % self.code.encode()

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After where another attempt can succeed."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class Gate:
    """Decides who gets in. Raises OptionsError for options that are none, so that the application stops at start."""

    def __init__(self, verifier: Verifier | None, options: Mapping[str, Any]) -> None:
        own = {name: value for name, value in options.items() if name in _OWN}
        others = {name: value for name, value in options.items() if name not in own}
        if verifier is not None and others:
            raise invalid_options(f"a verifier of your own already has its options: leave out {', '.join(others)}")
        for name, value in own.items():
            _check(name, value)

        self.header_name: str = own.get("header_name", "X-Pomerium-Jwt-Assertion")
        self.error_handler: Callable[[Refusal], Any] | None = own.get("error_handler")
        self._optional: bool = own.get("optional", False)
        self._exempt_paths = frozenset(own.get("exempt_paths", ()))
        self._on_refused: Callable[[str, str, str], object] = own.get("on_refused", _warn)
        groups = own.get("require_group", ())
        self._groups: tuple[str, ...] = (groups,) if isinstance(groups, str) else tuple(groups)
        self.verifier = verifier or (Verifier(**others) if others else Verifier.from_env())
        self._announce()

    def admit(self, token: str, path: str, *, preflight: bool = False) -> Identity | None:
        """The identity of a request; None where it passes without one.

        token: the raw text of the header, "" if there is none, several values joined by commas.
        preflight: OPTIONS with Access-Control-Request-Method, for which browsers send no credentials.
        Raises Refusal.
        """
        if preflight or path in self._exempt_paths:
            return None
        try:
            identity = self.verifier.verify(token)
        except VerifyError as error:
            if self._optional and error.code == "token_missing":
                return None
            raise self.refuse(error.code, error.status, error.message, path, error.retry_after) from error
        if self._groups:
            self.check_group(identity, self._groups, path)
        return identity

    def check_user(self, identity: Identity | None, path: str) -> Identity:
        """Raises Refusal where nobody is signed in."""
        if identity is None:
            raise self.refuse("token_missing", 401, "the request passed without an identity, this needs one", path)
        if identity.anonymous:
            raise self.refuse("subject_missing", 401, "nobody is signed in, this needs a user", path)
        return identity

    def check_group(self, identity: Identity | None, groups: tuple[str, ...], path: str) -> None:
        """Raises Refusal where nobody is signed in, or where the user is in none of these groups."""
        if not self.check_user(identity, path).in_any_group(*groups):
            raise self.refuse("group_required", 403, f"the user is in none of {', '.join(groups)}", path)

    def refuse(self, code: str, status: int, message: str, path: str, retry_after: int | None = None) -> Refusal:
        self._on_refused(code, message, path)
        return Refusal(code, status, message, retry_after)

    def _announce(self) -> None:
        options, source = self.verifier.options, self.verifier.status()["source"]
        route = options.get("route", "of the first token")
        issuer, audience = options.get("issuer", route), options.get("audience", route)
        log.info("issuer %s, audience %s, keys from %s, header %s", issuer, audience, source, self.header_name)


def _warn(code: str, message: str, path: str) -> None:
    # %a: whoever sends the path writes no lines of their own into the log
    log.warning("refused %a: %s: %s", path, code, message)


def _check(name: str, value: object) -> None:
    if name == "header_name":
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]+", value):
            raise invalid_options("header_name takes a name of letters, digits and hyphens")
    elif name == "optional":
        if not isinstance(value, bool):
            raise invalid_options(f"optional takes True or False, not {value!r}")
    elif name in ("error_handler", "on_refused"):
        if not callable(value):
            raise invalid_options(f"{name} takes a function, not {value!r}")
    elif not _is_names(value, or_one=name == "require_group"):
        raise invalid_options(f"{name} takes a list of strings, not {value!r}")
    elif name == "require_group" and not value:
        raise invalid_options("require_group takes one group at least: demanding none of them would let everybody in")


def _is_names(value: object, or_one: bool) -> bool:
    if isinstance(value, str):
        return or_one and value != ""
    return (
        isinstance(value, Collection)
        and not isinstance(value, (bytes, Mapping))
        and all(isinstance(entry, str) for entry in value)
    )
