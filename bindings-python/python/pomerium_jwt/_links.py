"""Addresses of Pomerium itself, below the application's own host."""

from __future__ import annotations


def logout_url(return_to: str | None = None) -> str:
    """The path, on the application's own host, at which a user signs out of Pomerium.

    return_to: the URL to go to afterwards. Pomerium 0.33 and later follows it only if its runtime flag
    `allow_any_sign_out_redirect_uri` is set; otherwise `signout_redirect_url` in Pomerium's own settings decides.
    """
    path = "/.pomerium/sign_out"
    if return_to is None:
        return path
    from urllib.parse import quote  # a third of this package's import time, for a function that few call

    return f"{path}?pomerium_redirect_uri={quote(return_to, safe='')}"
