"""What is Python's own: types of arguments, threads, memory, pickling. The rules are in test_conformance.py."""

from __future__ import annotations

import copy
import json
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from importlib import import_module
from importlib.metadata import version
from inspect import isfunction
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_type_hints

import pytest
from conftest import read_json

import pomerium_jwt
from pomerium_jwt import (
    AccessDenied,
    Identity,
    KeysUnavailable,
    Options,
    OptionsError,
    TokenError,
    Verifier,
    VerifyError,
    is_upgrade,
    logout_url,
    require_group,
    require_user,
)
from pomerium_jwt.testing import TestIssuer

ISSUER = TestIssuer()


def test_the_clock_is_the_system_s() -> None:
    verifier = ISSUER.verifier()
    assert verifier.verify(ISSUER.token(exp=4_102_444_800)).subject == "alice", "a token of the year 2100"
    with pytest.raises(TokenError, match="^token_expired: "):
        verifier.verify(ISSUER.token(exp=1))


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "token_missing"),
        (b"", "token_missing"),
        ("a\0b", "token_malformed"),
        (b"\xff\xfe", "token_malformed"),
        ("\udcff.\ud800.\udfff", "token_malformed"),
        ("é.ü.ö", "token_malformed"),
        ("x" * 131_073, "token_too_large"),
        (ISSUER.token() + "," + ISSUER.token(), "token_repeated"),
        (ISSUER.token()[:-6] + "AAAAAA", "signature_invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("token_") else "",
)
def test_hostile_tokens(token: str | bytes, code: str) -> None:
    with pytest.raises(TokenError) as refused:
        ISSUER.verifier().verify(token)
    assert (refused.value.code, refused.value.status, refused.value.retry_after) == (code, 401, None)


VERIFIER: Any = ISSUER.verifier()  # Any: the point is what type checkers would not let pass
IDENTITY: Any = VERIFIER.verify(ISSUER.token(groups=["admins", "staff"]))


@pytest.mark.parametrize(
    "call",
    [
        lambda: VERIFIER.verify(None),
        lambda: VERIFIER.verify(["token"]),
        lambda: VERIFIER.verify(bytearray(b"token")),
        lambda: VERIFIER.verify_at(None, 0),
        lambda: VERIFIER.verify_at("", "0"),
        lambda: VERIFIER.verify_at("", 0.5),
        lambda: VERIFIER.verify_at("", -1),
        lambda: VERIFIER.verify_at("", 2**53),
        lambda: VERIFIER.verify_at("", 2**64),
        lambda: VERIFIER.verify_cached("", "ticket"),
        lambda: VERIFIER.admit(None, "/"),
        lambda: VERIFIER.admit("", None),
        lambda: VERIFIER.admit("", "/", upgrade="websocket"),
        lambda: VERIFIER.admit("", "/", marked_public=1),
        lambda: VERIFIER.admit_cached("", "/", ticket="ticket"),
        lambda: VERIFIER.admit_async(None, "/").send(None),
        lambda: is_upgrade(None),  # type: ignore[arg-type]
        lambda: require_group(IDENTITY),
        lambda: require_group(IDENTITY, ["admins"]),  # type: ignore[arg-type]
        lambda: require_group("admins", "admins"),  # type: ignore[arg-type]
        lambda: require_user(print),  # type: ignore[arg-type]
        lambda: VERIFIER.refresh(1),
        lambda: VERIFIER.refresh("yes"),
        lambda: VERIFIER.verify_async(None).send(None),
        lambda: IDENTITY.in_group(7),
        lambda: IDENTITY.in_any_group(["admins"]),
        lambda: IDENTITY.in_all_groups("admins", None),
    ],
)
def test_arguments_of_a_wrong_type(call: Callable[[], object]) -> None:
    with pytest.raises(OptionsError) as refused:
        call()
    assert (refused.value.code, refused.value.kind, refused.value.status) == ("invalid_argument", "options", 500)


def nested(depth: int) -> list[Any]:
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "audience"),
        ({"jwks_uri": "https://app.example.com"}, "write jwks_url"),
        ({"routes": "https://app.example.com"}, '"routes" is unknown'),
        ({"route": None}, "leave the option out"),
        ({"route": b"https://app.example.com"}, "route: takes no bytes"),
        ({"route": {"https://app.example.com"}}, "route: takes no set"),
        ({"route": "https://\udcff.example.com"}, "strict JSON"),
        ({"leeway": timedelta(seconds=1.5)}, "leeway: takes whole seconds, not 0:00:01.500000"),
        ({"leeway": timedelta(seconds=-1)}, "leeway"),
        ({"leeway": 1.5}, "leeway takes whole seconds"),
        ({"leeway": float("nan")}, "leeway: "),
        ({"leeway": 10**400}, "strict JSON"),
        ({"leeway": 10**5000}, "leeway: "),
        ({"leeway": "60"}, "leeway takes whole seconds"),
        ({"leeway": True}, "leeway takes whole seconds"),
        ({"jwks": []}, "jwks takes a JWK Set"),
        ({"jwks": {"keys": nested(500)}}, ""),
        ({"jwks_file": "/no/such/file"}, "/no/such/file"),
        ({"jwks_file": Path("/no/such/file")}, "/no/such/file"),
        ({"expect_claims": {"department": object()}}, "expect_claims: takes no object"),
        ({"allow_anonymous": "yes"}, "allow_anonymous takes true or false"),
    ],
)
def test_wrong_options(options: dict[str, Any], part: str) -> None:
    with pytest.raises(OptionsError) as refused:
        Verifier(**({"route": "https://app.example.com", **options} if options else {}))
    assert refused.value.code == "invalid_options"
    assert part in refused.value.message


def test_options_in_python_s_own_types(tmp_path: Path) -> None:
    key_set = tmp_path / "jwks.json"
    key_set.write_text(json.dumps(ISSUER.options["jwks"]))
    verifier = Verifier(
        issuer=("app.example.com",),
        audience=["app.example.com"],
        jwks_file=key_set,
        leeway=timedelta(minutes=2),
        expect_claims=MappingProxyType({"department": ("R&D", "IT")}),
    )
    assert verifier.verify(ISSUER.token(department="IT")).claims["department"] == "IT"
    leeway = "leeway=datetime.timedelta(seconds=120)"
    shown = f"audience=['app.example.com'], jwks_file={key_set!r}, {leeway}, expect_claims=...)"
    assert repr(verifier) == f"Verifier(issuer=('app.example.com',), {shown}"
    with pytest.raises(TypeError):
        verifier.options["leeway"] = 1  # type: ignore[index]


def test_from_env(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("POMERIUM_JWT_")]:
        monkeypatch.delenv(name)
    with pytest.raises(OptionsError, match="audience"):
        Verifier.from_env()
    monkeypatch.setenv("POMERIUM_JWT_ROUTE", "https://app.example.com")
    monkeypatch.setenv("POMERIUM_JWT_JWKS", json.dumps(ISSUER.options["jwks"]))
    monkeypatch.setenv("POMERIUM_JWT_SERVICE_PORT", "tcp://10.0.0.1:80")
    assert Verifier.from_env().verify(ISSUER.token()).email == "alice@example.com"
    monkeypatch.setenv("POMERIUM_JWT_LEEWAY", "a minute")
    with pytest.raises(OptionsError, match="POMERIUM_JWT_LEEWAY"):
        Verifier.from_env()


def test_identity() -> None:
    identity = ISSUER.verifier().verify(ISSUER.token(groups=["admins", "staff"], exp=4_102_444_800, n=2**60))
    assert (identity.subject, identity.email, identity.name) == ("alice", "alice@example.com", "Alice")
    assert identity.groups == ("admins", "staff")
    assert (identity.is_user, identity.anonymous, identity.session_id) == (True, False, None)
    assert identity.expires_at_datetime == datetime(2100, 1, 1, tzinfo=timezone.utc)
    assert identity.claims["n"] == 2**60
    identity.claims["sub"] = "mallory"
    identity.claims["groups"].append("owners")
    assert (identity.claims["sub"], identity.claims["groups"]) == ("alice", ["admins", "staff"]), "each has its own"
    assert json.loads(identity.claims_text) == identity.claims
    assert json.dumps(identity.to_dict()) and identity.to_dict()["groups"] == ["admins", "staff"]
    assert (identity.in_group("staff"), identity.in_group("dev"), identity.in_group("\udcff")) == (True, False, False)
    assert (identity.in_any_group("dev", "staff"), identity.in_any_group("dev"), identity.in_any_group()) == (
        True, False, False,
    )  # fmt: skip
    assert (identity.in_all_groups("admins", "staff"), identity.in_all_groups("dev", "staff")) == (True, False)
    assert "alice" not in repr(identity) + str(identity)


def test_identity_is_frozen_and_a_value() -> None:
    verifier, token = ISSUER.verifier(), ISSUER.token()
    identity = verifier.verify(token)
    for name in ("subject", "anything"):
        with pytest.raises(AttributeError):
            setattr(identity, name, "mallory")
    with pytest.raises(TypeError):
        Identity()
    same, other = verifier.verify(token), verifier.verify(ISSUER.token())
    assert identity == same and hash(identity) == hash(same)
    assert identity != other and identity != "alice", "the other has its own jti"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(identity, protocol)) == identity
    assert copy.deepcopy(identity).claims == identity.claims


def test_the_last_datetime_stands_for_times_beyond_it() -> None:
    identity = ISSUER.verifier().verify(ISSUER.token(exp=2**53 - 1))
    assert identity.expires_at == 2**53 - 1
    assert identity.expires_at_datetime == datetime.max.replace(tzinfo=timezone.utc)


def test_errors_can_be_pickled_and_shown() -> None:
    with pytest.raises(VerifyError) as refused:
        ISSUER.verifier().verify(ISSUER.expired())
    copied = pickle.loads(pickle.dumps(refused.value))
    assert (type(copied), vars(copied), str(copied)) == (TokenError, vars(refused.value), str(refused.value))
    assert repr(copied) == f"TokenError({str(copied)!r})"
    assert copied.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert copied.body == b'{"error":"token_expired"}'


class Mine(Verifier):
    """A subclass stays one."""


def test_a_verifier_is_pickled_by_its_options() -> None:
    """found: it could not be, and said TypeError."""
    claims = MappingProxyType({"sub": ("alice",)})  # which pickle does not take
    options: Options = {**ISSUER.options, "leeway": timedelta(seconds=5), "expect_claims": claims}
    verifier = Mine(**options).with_options(require_group="admins")
    token = ISSUER.token(groups=["staff"])
    copied = pickle.loads(pickle.dumps(verifier))
    assert (type(copied), copied.options["leeway"], copied.summary) == (Mine, 5, verifier.summary)
    assert copied.options["expect_claims"] == {"sub": ["alice"]}
    with pytest.raises(AccessDenied):
        copied.verify(token)
    assert copied.status()["counts"]["group_required"] == 1
    assert verifier.status()["counts"]["group_required"] == 0, "the copy has keys, pins and counts of its own"
    assert copy.copy(verifier) is verifier and copy.deepcopy({"it": verifier})["it"] is verifier


def test_repr_shows_values_but_nothing_about_people() -> None:
    options: Options = {
        "route": "https://app.example.com",
        "leeway": 30,
        "expect_claims": {"email": "alice@example.com"},
        "jwks": ISSUER.options["jwks"],
    }
    shown = "route='https://app.example.com', leeway=30, expect_claims=..., jwks=..."
    assert repr(Verifier(**options)) == f"Verifier({shown})"


def test_with_options_shares_all_but_the_request_options() -> None:
    base = ISSUER.verifier(exempt_paths="/health")
    admins = base.with_options(require_group=["admins"])
    assert admins.admit("", "/health") is None, "what is not named stays"
    with pytest.raises(AccessDenied, match='"admins"'):
        admins.admit(ISSUER.token(), "/")
    assert base.admit(ISSUER.token(), "/").subject == "alice"  # type: ignore[union-attr]
    assert base.status()["counts"] == admins.status()["counts"], "counts are shared"
    assert (base.status()["require_group"], admins.status()["require_group"]) == ([], ["admins"])
    with pytest.raises(OptionsError, match="leeway"):
        base.with_options(leeway=1)  # type: ignore[call-arg]
    del base
    assert admins.verify(ISSUER.token(groups=["admins"])).subject == "alice"


def test_metrics_and_summary() -> None:
    verifier = ISSUER.verifier(header_name="X-Token")
    verifier.verify(ISSUER.token())
    lines = verifier.metrics().splitlines()
    assert 'pomerium_jwt_verifications_total{code="ok"} 1' in lines
    assert 'pomerium_jwt_verifications_total{code="token_expired"} 0' in lines
    assert lines[-1] == "# EOF" and "alice" not in verifier.metrics()
    assert verifier.summary == verifier.status()["summary"]
    assert verifier.header_name == "X-Token" and verifier.summary.endswith("header: X-Token")


def test_the_version_is_the_package_s() -> None:
    assert pomerium_jwt.__version__ == version("pomerium-jwt")


def public_things() -> Iterator[Any]:
    """Every class and function of the public modules, with its public methods."""
    for module in [pomerium_jwt, *(import_module(f"pomerium_jwt.{name}") for name in ("flask", "wsgi", "testing"))]:
        for name in set(getattr(module, "__all__", ["TestIssuer"])) - {"current_identity"}:
            thing = getattr(module, name)
            yield thing
            if isinstance(thing, type) and thing.__module__.startswith("pomerium_jwt"):
                yield from (member for name, member in vars(thing).items() if name[:1] != "_" and callable(member))
                yield from (vars(thing)[name] for name in ("__init__", "__new__") if name in vars(thing))


def test_type_hints_can_be_read_at_run_time() -> None:
    """found: they named what only type checkers import. Frameworks that inject by type read them."""
    read = 0
    for thing in public_things():
        thing = getattr(thing, "__func__", thing)
        if isinstance(thing, type) or isfunction(thing):
            get_type_hints(thing)
            read += 1
    assert read > 40
    assert get_type_hints(Verifier.verify_async)["return"] is Identity


def test_keys_unavailable_says_when_to_come_again() -> None:
    verifier = Verifier(route="http://127.0.0.1:9")  # the discard port: nobody listens
    for _ in range(2):
        with pytest.raises(KeysUnavailable) as refused:
            verifier.verify(ISSUER.token())
        assert (refused.value.code, refused.value.status) == ("keys_unavailable", 503)
        assert refused.value.retry_after is not None and refused.value.retry_after >= 1
    assert verifier.health() == {"configured": True, "asked": True, "keys_loaded": False, "stale": False}
    with pytest.raises(KeysUnavailable):
        verifier.refresh(force=True)


def test_status() -> None:
    verifier = ISSUER.verifier()
    verifier.verify(ISSUER.token())
    status = verifier.status()
    assert (status["source"], status["state"], status["ttl"]) == ("jwks", "static", None)
    codes = [row["code"] for row in read_json("codes.json")]
    assert status["counts"] == {**dict.fromkeys([*codes, "passed"], 0), "ok": 1}
    assert (status["header_name"], status["optional"]) == ("X-Pomerium-Jwt-Assertion", False)
    assert (status["exempt_paths"], status["require_group"]) == ([], [])
    assert status["summary"].startswith("accepts issuer and audience app.example.com")
    assert status["keys"][0]["usable"]
    assert verifier.health()["keys_loaded"]


def test_sixteen_threads_share_one_verifier() -> None:
    verifier = ISSUER.verifier()
    tokens = {f"user-{number}": ISSUER.token(f"user-{number}") for number in range(16)}
    start, wrong = threading.Barrier(len(tokens)), []

    def work(subject: str, token: str) -> None:
        start.wait()
        for _ in range(200):
            if verifier.verify(token).subject != subject:
                wrong.append(subject)
            try:
                verifier.verify(token + "A")
                wrong.append(f"{subject} with a forged token")
            except TokenError:
                pass

    threads = [threading.Thread(target=work, args=pair) for pair in tokens.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    counts = verifier.status()["counts"]
    assert counts["ok"] == 16 * 200 and sum(counts.values()) == 2 * 16 * 200


def test_memory_stays_flat() -> None:
    rounds = int(os.environ.get("SOAK_ROUNDS", "100000"))
    verifier, good, bad = ISSUER.verifier(), ISSUER.token(groups=["admins"]), ISSUER.expired()

    def go(count: int) -> None:
        for number in range(count):
            identity = verifier.verify(good)
            assert identity.email and identity.groups
            if number % 10 == 0:  # what else allocates, more rarely: it is slow
                assert identity.claims and identity.expires_at_datetime and pickle.loads(pickle.dumps(identity))
                verifier.status()
                assert verifier.admit(good, "/") and verifier.metrics() and identity.to_dict()
            try:
                verifier.verify(bad)
                raise AssertionError("an expired token was accepted")
            except TokenError:
                pass

    go(rounds // 10)
    before = resident_bytes()
    go(rounds)
    grown = resident_bytes() - before
    # A leak of 64 bytes a round is 6.4 MB
    assert grown < 4 << 20, f"{rounds} rounds grew the process by {grown} bytes"


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_the_interpreter_goes_on_while_a_thread_waits_for_keys(issuer: Any) -> None:
    issuer.post("/fault?kind=hang")
    verifier, token = Verifier(route=issuer.url, timeout=60), issuer.mint()
    outcome: list[str] = []

    def wait() -> None:
        try:
            verifier.verify(token)
        except VerifyError as error:
            outcome.append(error.code)

    thread = threading.Thread(target=wait)
    thread.start()
    while issuer.fetches() == 0:  # reached only if the waiting thread has let go of the interpreter
        time.sleep(0.01)
    assert thread.is_alive()
    issuer.close()  # breaks the connection
    thread.join()
    assert outcome == ["keys_unavailable"]


@pytest.mark.parametrize(
    ("return_to", "expected"),
    [
        (None, "/.pomerium/sign_out"),
        (
            "https://app.example.com/a b?x=1&y=ü#top",
            "/.pomerium/sign_out?pomerium_redirect_uri=https%3A%2F%2Fapp.example.com%2Fa%20b%3Fx%3D1%26y%3D%C3%BC%23top",
        ),
    ],
)
def test_logout_url(return_to: str | None, expected: str) -> None:
    assert logout_url(return_to) == expected
