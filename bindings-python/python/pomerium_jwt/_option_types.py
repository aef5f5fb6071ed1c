"""The options' names, types and meaning, printed from the core: `make conformance` writes this file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

List = str | Sequence[str]
Path = str | os.PathLike[str]
Jwks = Mapping[str, Any]
Claims = Mapping[str, List]
Seconds = int | timedelta


class RequestOptions(TypedDict, total=False):
    """Which requests get in: what Verifier.with_options can replace."""

    header_name: str
    """The request header that carries the token. Default: "X-Pomerium-Jwt-Assertion"."""

    optional: bool
    """Let requests without a token pass, without an identity. A token that does not verify is refused all the same.
    Default: False."""

    exempt_paths: List
    """Paths that need no token: `/health`, or `/public/*` for everything below `/public/`."""

    require_group: List
    """The user must be in one of these groups."""


class Options(RequestOptions, total=False):
    """What Verifier takes. Durations are whole seconds or a timedelta; an option that is left out has its default."""

    route: List
    """Pomerium's own `from:` URL, or a list of them: `https://host[:port]` without a path. Gives `issuer` and
    `audience` (the host without its port, which Pomerium never writes) and `jwks_url` (of the first one without
    `*`). One value protects an application; explicit options override what it gives."""

    issuer: List
    """Accepted `iss`, a string or a list. `host` accepts `host` and `https://host/`, an entry with a scheme only
    itself, `*.suffix` one or more labels before the suffix. Required unless `route` or `trust_on_first_use`."""

    audience: List
    """Accepted `aud`, any of them, written as `issuer`. Required unless `route` or `trust_on_first_use`: one key
    signs every route, so without it a token for one application opens another."""

    jwks_url: str
    """URL of the JWK Set. Default: derived from `route` or `issuer`."""

    jwks: Jwks
    """The JWK Set itself, an object in JSON."""

    jwks_file: Path
    """A file that holds the JWK Set. A change is picked up within a second."""

    public_key: str
    """One public key: PEM of the key or of a certificate, or that PEM in base64, as Pomerium's settings are."""

    public_key_file: Path
    """A file that holds what `public_key` takes."""

    trust_on_first_use: bool
    """Pin the issuer and audience of the first verified token if they are not configured. For development; needs a
    key source of its own. Default: False."""

    algorithms: List
    """Accepted `alg`: ES256, RS256. Pomerium signs RS256 only if its signing key is RSA. Default: ["ES256"]."""

    expect_claims: Claims
    """Claims to demand: name -> string or list. The claim must equal one of them or, if it is a list, contain one."""

    pin_kids: List
    """RFC 7638 thumbprints in lower-case hex (Pomerium's `kid`): all other keys are skipped."""

    leeway: Seconds
    """Seconds of tolerance on `exp`, `nbf` and `iat`. Takes 0 to 3600. Default: 60."""

    max_token_age: Seconds
    """Seconds since `iat` after which a token is refused. Takes 1 to 2147483648."""

    allow_anonymous: bool
    """Accept a token whose `sub` is empty: public routes are signed too, with no user. Default: False."""

    max_token_bytes: int
    """The longest token accepted, in bytes. Envoy limits all headers together to 128 KiB. Takes 1024 to 1048576.
    Default: 131072."""

    jwks_initial: Jwks
    """A JWK Set to start with when keys are fetched, as if fetched one ttl before construction: for cold starts."""

    ca_file: Path
    """A file of CA certificates in PEM to trust for the fetch, in addition to the system's. Read at each fetch."""

    ca_pem: str
    """CA certificates in PEM to trust for the fetch, in addition to the system's."""

    connect_to: str
    """Connect to this `host:port` to fetch keys. The Host header, SNI and certificate check still use the host of
    `jwks_url`."""

    timeout: Seconds
    """Seconds for one whole fetch, and the bound of every wait for it. Takes 1 to 60. Default: 3."""

    allow_http: bool
    """Fetch keys over plain http from addresses other than loopback. Default: False."""

    cache_ttl: Seconds
    """Seconds for which a fetched set is fresh. Default: the response's Cache-Control within 60 to 3600, else 300.
    Takes 1 to 86400."""

    max_stale: Seconds
    """Seconds beyond twice the ttl for which the last good keys are used while the source fails. Takes 0 to 604800.
    Default: 3600."""

    refetch_cooldown: Seconds
    """The longest pause in seconds between fetches that unknown key ids cause. Takes 1 to 3600. Default: 10."""
