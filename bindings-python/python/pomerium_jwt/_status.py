"""What operators see of a verifier: all that metrics and alerts need."""

from __future__ import annotations

from typing import Literal, TypedDict

State = Literal["static", "empty", "fresh", "aging", "old", "expired"]


class KeyStatus(TypedDict):
    """One key of the set in use, or one that was passed over."""

    kid: str | None
    alg: str | None
    thumbprint: str | None
    usable: bool
    reason: str | None
    """Why it is not usable."""


class LastError(TypedDict):
    """Why keys could not be had."""

    code: Literal["dns", "connect", "tls", "timeout", "status", "body", "refused", "spawn"]
    message: str
    at: int
    """When, in Unix seconds."""


class Pinned(TypedDict):
    """What trust on first use holds on to."""

    issuer: str | None
    audience: list[str] | None


class _Soon(TypedDict, total=False):
    """What the key store does not report yet."""

    fetch_seconds: float
    key_set: str | None
    health: dict[str, bool]


class Status(_Soon):
    """A verifier's state at one moment. Alert when `state` is old or expired, or when `last_error` stays."""

    source: str
    """The option the keys come from, with its address or path."""
    state: State
    age: int | None
    """Seconds since the set in use was asked for; None for static sources."""
    ttl: int | None
    """Seconds for which the set in use is fresh; None for static sources."""
    keys: list[KeyStatus]
    last_success: int | None
    """When the keys were last read or fetched, in Unix seconds."""
    last_error: LastError | None
    """The last failure since then."""
    next_attempt: int | None
    """Seconds until the next fetch may start; None for static sources."""
    pinned: Pinned | None
    counts: dict[str, int]
    """How many answers had which code, every code, also at 0; "ok" counts the verified ones, "passed" the requests that
    passed without an identity."""
    fetches: int
    fetch_failures: int
    summary: str
    """The line that an integration logs when it starts."""
    header_name: str
    optional: bool
    exempt_paths: list[str]
    require_group: list[str]


class Health(TypedDict):
    """For a health page. Never a reason to restart the application: that brings no key server back."""

    configured: bool
    """Always true: a verifier that exists is configured."""
    keys_loaded: bool
    """Whether there are keys that tokens are judged with. They are fetched with the first token, or by refresh()."""
    stale: bool
    """Whether the keys are older than they should be, because the source fails or nobody has called for a while."""
    state: State


def health(status: Status) -> Health:
    state = status["state"]
    return {
        "configured": True,
        "keys_loaded": state not in ("empty", "expired"),
        "stale": state in ("old", "expired"),
        "state": state,
    }
