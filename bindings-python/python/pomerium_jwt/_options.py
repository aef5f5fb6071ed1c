"""The options' names and types in Python. Their defaults, ranges and meaning are the core's."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

from ._errors import invalid_options

List = str | Sequence[str]
Path = str | os.PathLike[str]
Jwks = Mapping[str, Any]
Claims = Mapping[str, List]
Seconds = int | timedelta


class Options(TypedDict, total=False):
    """What Verifier takes. Every option left out has its default; durations are whole seconds or a timedelta."""

    route: List
    issuer: List
    audience: List
    jwks_url: str
    jwks: Jwks
    jwks_file: Path
    public_key: str
    public_key_file: Path
    trust_on_first_use: bool
    algorithms: List
    expect_claims: Claims
    pin_kids: List
    leeway: Seconds
    max_token_age: Seconds
    allow_anonymous: bool
    max_token_bytes: int
    jwks_initial: Jwks
    ca_file: Path
    ca_pem: str
    connect_to: str
    timeout: Seconds
    allow_http: bool
    cache_ttl: Seconds
    max_stale: Seconds
    refetch_cooldown: Seconds
    header_name: str
    optional: bool
    exempt_paths: List
    require_group: List


def to_json(options: Mapping[str, object]) -> str:
    """The document that the core judges; raises OptionsError for what JSON cannot say."""
    return "{" + ",".join(f"{json.dumps(name)}:{_value(name, value)}" for name, value in options.items()) + "}"


def _value(name: str, value: object) -> str:
    try:
        return json.dumps(value, default=_translate, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise invalid_options(f"{name}: {error}") from None


def _translate(value: object) -> object:
    if isinstance(value, timedelta):
        if value % timedelta(seconds=1):
            raise TypeError(f"takes whole seconds, not {value}")
        return value // timedelta(seconds=1)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return list(value)
    raise TypeError(f"takes no {type(value).__name__}")
