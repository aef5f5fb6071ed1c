"""Options in Python's own types, as the document that the core judges."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta

from ._native import invalid_options


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
