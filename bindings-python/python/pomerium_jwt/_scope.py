"""The facts of a request in an ASGI scope, whose values are the server's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from ._environ import IDENTITY, PLAIN, VERIFIED
from ._integration import Facts, Integration
from ._native import Identity, is_upgrade

__all__ = ["IDENTITY", "VERIFIED", "admit", "admit_async", "facts", "joined", "sent_path"]


def facts(integration: Integration, scope: Mapping[str, Any]) -> Facts:
    """The facts of this request or WebSocket."""
    upgrade = scope["type"] == "websocket" or is_upgrade(joined(scope["headers"], "upgrade"))
    return Facts(
        joined(scope["headers"], integration.header_name),
        sent_path(scope, integration.root_path),
        upgrade,
        scope["path"],
    )


async def admit_async(integration: Integration, scope: Mapping[str, Any]) -> Identity | None:
    """As Integration.admit_async, with the facts of this request or WebSocket."""
    return await integration.admit_async(facts(integration, scope))


def admit(integration: Integration, scope: Mapping[str, Any]) -> Identity | None:
    """The same for code that runs in a thread of its own."""
    return integration.admit(facts(integration, scope))


def joined(headers: Iterable[tuple[bytes, bytes]], name: str) -> bytes:
    """All values of a header, joined by commas."""
    wanted = name.lower().encode()
    return b",".join(value for name, value in headers if name.lower() == wanted)


def sent_path(scope: Mapping[str, Any], prefix: str = "") -> str:
    """The path as the client sent it, with the prefix, which is what `root_path` is configured to be. "" if there is
    none, or if it is not what the application will route by: `path`, from which servers and mounts may or may not have
    cut the prefix."""
    decoded = scope["path"]
    # Daphne takes root_path from a header of any client, other middleware from X-Forwarded-Prefix: clients would choose
    # which part of the path is routed
    if scope.get("root_path", "") != prefix:
        return ""
    inside = decoded == prefix or decoded.startswith(prefix + "/")
    whole = decoded if inside else prefix + decoded
    if scope.get("method") == "CONNECT" or not decoded.startswith("/"):
        return ""
    sent = scope.get("raw_path")
    if sent is None:
        return whole if PLAIN.issuperset(whole) else ""
    if not isinstance(sent, bytes) or not sent.isascii():
        return ""
    path = sent.decode("ascii").partition("?")[0]
    if unquote(path) == whole:
        return path
    # The proxy in front has cut the prefix: it is in neither of the two
    return prefix + path if unquote(path) == decoded and PLAIN.issuperset(prefix) else ""
