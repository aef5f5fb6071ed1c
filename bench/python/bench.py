"""Times pomerium_jwt next to the libraries that a Python program would otherwise use, in one process.

Each verifies the same 2,000 distinct tokens under one key with the same checks (algorithm, signature, exp, nbf, iss,
aud), and `email` and `groups` are read. The libraries take turns in short rounds and the medians are printed, so
that a change of the machine's speed meets all of them: read the ratios. The table goes to bench/python.json in Cargo's
target directory too.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import authlib.jose
import jose.jwt
import joserfc.jwk
import joserfc.jwt
import jwt

from pomerium_jwt.testing import TestIssuer

HOST = "app.example.com"
TOKENS = 2000
ROUNDS = 15

# Gives the e-mail address and the groups of a token, or raises
Verify = Callable[[str], tuple[str, list[str]]]


def subjects(issuer: TestIssuer) -> dict[str, tuple[str, Verify]]:
    """Name -> version and verification. Each has its key ready, as it would have in an application."""
    jwks = issuer.options["jwks"]
    jwk = jwks["keys"][0]
    return {
        "pomerium-jwt": (version("pomerium-jwt"), ours(issuer)),
        "PyJWT": (version("pyjwt"), pyjwt(jwk)),
        "joserfc": (version("joserfc"), with_joserfc(jwks)),
        "Authlib": (version("authlib"), with_authlib(jwks)),
        "python-jose": (version("python-jose"), python_jose(jwk)),
    }


def ours(issuer: TestIssuer) -> Verify:
    verifier = issuer.verifier()

    def verify(token: str) -> tuple[str, list[str]]:
        identity = verifier.verify(token)
        return identity.email, identity.groups

    return verify


def pyjwt(jwk: dict) -> Verify:
    key = jwt.PyJWK(jwk)

    def verify(token: str) -> tuple[str, list[str]]:
        claims = jwt.decode(
            token, key, algorithms=["ES256"], audience=HOST, issuer=HOST, leeway=60, options={"require": ["exp"]}
        )
        return claims["email"], claims["groups"]

    return verify


def with_joserfc(jwks: dict) -> Verify:
    keys = joserfc.jwk.KeySet.import_key_set(jwks)
    registry = joserfc.jwt.JWTClaimsRegistry(
        leeway=60,
        iss={"essential": True, "value": HOST},
        aud={"essential": True, "value": HOST},
        exp={"essential": True},
    )

    def verify(token: str) -> tuple[str, list[str]]:
        claims = joserfc.jwt.decode(token, keys, algorithms=["ES256"]).claims
        registry.validate(claims)
        return claims["email"], claims["groups"]

    return verify


def with_authlib(jwks: dict) -> Verify:
    keys = authlib.jose.JsonWebKey.import_key_set(jwks)
    decoder = authlib.jose.JsonWebToken(["ES256"])
    options = {
        "iss": {"essential": True, "value": HOST},
        "aud": {"essential": True, "value": HOST},
        "exp": {"essential": True},
    }

    def verify(token: str) -> tuple[str, list[str]]:
        claims = decoder.decode(token, keys, claims_options=options)
        claims.validate(leeway=60)
        return claims["email"], claims["groups"]

    return verify


def python_jose(jwk: dict) -> Verify:
    key = jose.jwk.construct(jwk)
    options = {"leeway": 60, "require_exp": True, "require_iss": True, "require_aud": True}

    def verify(token: str) -> tuple[str, list[str]]:
        claims = jose.jwt.decode(token, key, algorithms=["ES256"], audience=HOST, issuer=HOST, options=options)
        return claims["email"], claims["groups"]

    return verify


def check(name: str, verify: Verify, issuer: TestIssuer) -> None:
    """A library that lets one of these pass is not compared for the same work."""
    email, groups = verify(issuer.token(groups=["admins", "staff"]))
    assert (email, list(groups)) == ("alice@example.com", ["admins", "staff"]), name
    good = issuer.token()
    wrong = [
        issuer.expired(),
        issuer.wrong_audience(),
        issuer.token(iss="other.example.com"),
        issuer.token(nbf=int(time.time()) + 1000),
        TestIssuer(HOST).token(),
        good[:-8] + ("AAAAAAAA" if good[-8:] != "AAAAAAAA" else "BBBBBBBB"),
    ]
    for number, token in enumerate(wrong):
        try:
            verify(token)
        except Exception:  # noqa: BLE001, S112 - each library has its own
            continue
        sys.exit(f"{name} accepts the wrong token number {number}")


def main() -> None:
    issuer = TestIssuer(HOST)
    # The claims of a token that Pomerium usually sends
    tokens = [
        issuer.token(
            sub=f"google-oauth2|{number:09}",
            email="alice@example.com",
            name="Alice Example",
            groups=["admins", "staff"],
            sid="7f2b7e0c-3f0d-4d2c-9e0e-0d5a3c1b9a11",
            exp=4_000_000_000,
        )
        for number in range(TOKENS)
    ]
    compared = subjects(issuer)
    for name, (_, verify) in compared.items():
        check(name, verify, issuer)
    times: dict[str, list[float]] = {name: [] for name in compared}
    share = TOKENS // 5
    for turn in range(ROUNDS):
        start = turn * share % TOKENS
        for name, (_, verify) in compared.items():
            batch = tokens[start : start + share]
            began = time.perf_counter()
            for token in batch:
                verify(token)
            times[name].append((time.perf_counter() - began) / len(batch))
    report({name: (release, statistics.median(times[name]) * 1e6) for name, (release, _) in compared.items()})


def report(measured: dict[str, tuple[str, float]]) -> None:
    fastest = measured["pomerium-jwt"][1]
    rows = [
        {"name": name, "version": release, "us": us, "ratio": us / fastest} for name, (release, us) in measured.items()
    ]
    print(f"{'':14} {'version':10} {'µs':>8} {'to ours':>8}")
    for row in rows:
        print(f"{row['name']:14} {row['version']:10} {row['us']:8.1f} {row['ratio']:8.2f}")
    folder = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target")) / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "python.json"
    path.write_text(json.dumps(rows, indent=2) + "\n")
    print(f"\nAlso in {path}.")


if __name__ == "__main__":
    main()
