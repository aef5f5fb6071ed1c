"""The facts of a request in a WSGI environment (PEP 3333), whose names and values are the server's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ._integration import Facts, Integration
from ._native import Identity, is_upgrade

IDENTITY = "pomerium"
"""Where the identity is: in the environment that the application gets."""

VERIFIED = "pomerium_jwt.verified"
"""Where the integration that has verified a request is, and the identity: for other parts of that integration."""

# What stays the same encoded and decoded
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-/")


def facts(integration: Integration, environ: Mapping[str, Any]) -> Facts:
    """The facts of this request."""
    name = "HTTP_" + integration.header_name.upper().replace("-", "_")
    upgrade = is_upgrade(environ.get("HTTP_UPGRADE", "")) or environ.get("wsgi.websocket") is not None
    return Facts(environ.get(name, ""), sent_path(environ), upgrade, shown_path(environ))


def admit(integration: Integration, environ: Mapping[str, Any]) -> Identity | None:
    """As Integration.admit, with the facts of this request."""
    return integration.admit(facts(integration, environ))


def sent_path(environ: Mapping[str, Any]) -> str:
    """The path as the client sent it. PEP 3333 has a decoded one only, from which the application routes; servers give
    the sent one by two names. "" if there is none, or if it is not what the application will route by."""
    decoded = _decoded(environ)
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if environ.get("REQUEST_METHOD") == "CONNECT" or decoded == "*":
        return ""
    # gunicorn takes SCRIPT_NAME from a header of the same name: clients would choose which part of the path is routed
    if "HTTP_SCRIPT_NAME" in environ:
        return ""
    if not isinstance(sent, str):
        # Middleware takes SCRIPT_NAME from X-Forwarded-Prefix, and here nothing can tell
        if environ.get("SCRIPT_NAME"):
            return ""
        return decoded if PLAIN.issuperset(decoded) else ""
    path = path_of(sent)
    return path if path == decoded or unquote(path, "latin-1") == decoded else ""


def shown_path(environ: Mapping[str, Any]) -> str:
    """The path for people to read."""
    return _decoded(environ).encode("latin-1", "replace").decode("utf-8", "replace")


def _decoded(environ: Mapping[str, Any]) -> str:
    return f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"


def path_of(target: str) -> str:
    """The path of a request target without its query; of an absolute one what follows the authority."""
    path, _, _ = target.partition("?")
    if path.startswith("/"):
        return path
    _, scheme, rest = path.partition("://")
    _, slash, path = rest.partition("/")
    return slash + path if scheme else ""
