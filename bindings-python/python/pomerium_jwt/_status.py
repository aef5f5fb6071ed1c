"""What operators see of a verifier: all that metrics and alerts need."""

from __future__ import annotations

from typing import Literal, TypedDict

State = Literal["static", "empty", "fresh", "aging", "old", "expired"]


class KeyStatus(TypedDict):
    """One key of the set in use, or one that was skipped."""

    kid: str | None
    alg: str | None
    thumbprint: str | None
    usable: bool
    reason: str | None
    """Why it is not usable."""


class LastError(TypedDict):
    """Why the keys could not be loaded."""

    code: Literal["dns", "connect", "tls", "timeout", "status", "body", "refused", "spawn"]
    message: str
    at: int
    """When, in Unix seconds."""


class Pinned(TypedDict):
    """What trust on first use has pinned."""

    issuer: str | None
    audience: list[str] | None


class Health(TypedDict):
    """Whether an instance can verify tokens. Ready is `keys_loaded or not asked`; `stale` is a warning. Never a reason to
    restart the application: that brings no key server back."""

    configured: bool
    """Always true: there is a verifier."""
    asked: bool
    """Whether the keys have been asked for; true for static sources."""
    keys_loaded: bool
    """Whether there is a usable key that has not expired."""
    stale: bool
    """Whether the keys are old and the last fetch failed."""


class Status(TypedDict):
    """A verifier's state at one moment. Alert if `last_error` stays for minutes, or `health` says that no keys are loaded:
    `state` alone says little, for the keys of an idle application are old and will be fetched before they are used."""

    source: str
    """The option the keys come from, with its address or path."""
    state: State
    age: int | None
    """Seconds since the set in use was asked for; None for static sources."""
    ttl: int | None
    """Seconds for which the set in use is fresh: 0.7 to 1.0 of what cache_ttl or Cache-Control asks for. None for static
    sources."""
    keys: list[KeyStatus]
    last_success: int | None
    """When the keys were last read or fetched, in Unix seconds."""
    last_error: LastError | None
    """The last failure since then."""
    next_attempt: int | None
    """Seconds until the next request can cause a fetch; None for static sources."""
    pinned: Pinned | None
    counts: dict[str, int]
    """How many answers had which code, every code, also at 0; "ok" counts the verified ones, "passed" the requests that
    passed without an identity."""
    fetches: int
    fetch_failures: int
    fetch_seconds: float | None
    """How long the last fetch took; None before the first has ended, and for static sources."""
    key_set: str | None
    """Equal if two processes have the same keys; None without any."""
    health: Health
    """What probes ask for."""
    summary: str
    """The line that an integration logs when it starts."""
    header_name: str
    optional: bool
    exempt_paths: list[str]
    require_group: list[str]
