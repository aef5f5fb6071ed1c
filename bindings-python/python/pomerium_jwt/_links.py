"""Addresses of Pomerium itself, below the application's own host."""

from __future__ import annotations


def logout_url(return_to: str | None = None) -> str:
    """Where a user signs out of Pomerium, as a path of the application's own host.

    return_to: the URL to go to afterwards, which Pomerium must know as one of its routes.
    """
    path = "/.pomerium/sign_out"
    if return_to is None:
        return path
    from urllib.parse import quote  # a third of this package's import time, for a function that few call

    return f"{path}?pomerium_redirect_uri={quote(return_to, safe='')}"
