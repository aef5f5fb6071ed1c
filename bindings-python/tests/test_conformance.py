"""Every case of conformance/, and the lists that Python repeats compared with those that the core prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import pytest
from conftest import CONFORMANCE, read_json

import pomerium_jwt
from pomerium_jwt import (
    Code,
    Identity,
    Kind,
    Options,
    OptionsError,
    RequestOptions,
    Verifier,
    VerifyError,
    _errors,
    _native,
    require_group,
    require_user,
)

FIELDS = [
    "subject", "user", "email", "name", "groups", "session_id", "token_id", "issuer", "audience", "issued_at",
    "expires_at", "anonymous",
]  # fmt: skip


def test_every_case_has_its_outcome(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(CONFORMANCE)
    cases = read_json("cases.json") + read_json("genuine.json")
    failures = [f"{case['id']}: {why}" for case in cases if (why := differs(case))]
    assert not failures, f"{len(failures)} cases differ:\n" + "\n".join(failures)
    with capfd.disabled():
        print(f"\nconformance: {len(cases)} cases", flush=True)


def test_every_request_has_its_outcome(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(CONFORMANCE)
    cases = read_json("requests.json")
    assert len(cases) >= 280
    failures = [f"{case['id']}: {why}" for case in cases if (why := request_differs(case))]
    assert not failures, f"{len(failures)} cases differ:\n" + "\n".join(failures)
    with capfd.disabled():
        print(f"\nrequests: {len(cases)} cases", flush=True)


def differs(case: dict[str, Any]) -> str | None:
    expected = case["expect"]
    try:
        got = shown(run(case))
    except VerifyError as error:
        got = {"code": error.code}
        if expected.get("message", "") not in error.message:
            return f"{error} does not say {expected['message']!r}"
    return compared(got, {name: value for name, value in expected.items() if name != "message"})


def compared(got: object, wanted: object) -> str | None:
    # Comparing texts tells 1 from 1.0 and True
    if json.dumps(got, sort_keys=True) == json.dumps(wanted, sort_keys=True):
        return None
    return f"expected {wanted}, got {got}"


def run(case: dict[str, Any]) -> Identity:
    return Verifier(**case["options"]).verify_at(token(case["token"]), case["now"])


def token(parts: str | list[Any]) -> str:
    if isinstance(parts, str):
        return parts
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)


def shown(identity: Identity) -> dict[str, Any]:
    assert list(identity.to_dict()) == FIELDS
    assert all(tuple(value) == getattr(identity, name) if isinstance(value, list) else value == getattr(identity, name)
               for name, value in identity.to_dict().items())  # fmt: skip
    return {"identity": identity.to_dict(), "claims": identity.claims}


def request_differs(case: dict[str, Any]) -> str | None:
    expected = case["expect"]
    try:
        verifier = Verifier(**case["options"])
        if isinstance(case.get("with"), dict):
            verifier = verifier.with_options(**case["with"])
        elif "with" in case:  # what keyword arguments cannot say
            _native.Verifier(json.dumps(case["with"]), verifier)
    except OptionsError as error:
        if "request" in case or error.code != expected["code"] or expected["message"] not in error.message:
            return f"expected {expected}, got {error}"
        return None
    if "request" not in case:
        return "the options were accepted"
    facts = dict(case["request"])
    sent = (token(facts.pop("token")), facts.pop("path"))
    return compared(answer(lambda: verifier.admit(*sent, **facts), case), expected) or compared(
        # never waits, and here nothing has to be fetched
        answer(lambda: verifier.admit_cached(*sent, **facts), case), expected
    )  # fmt: skip


def answer(admit: Callable[[], Any], case: dict[str, Any]) -> dict[str, Any]:
    demand = case.get("demand", {})
    try:
        identity = admit()
        if "user" in demand:
            assert require_user(identity) is identity
        if "groups" in demand:
            assert require_group(identity, *demand["groups"]) is identity
    except VerifyError as error:
        return {
            "code": error.code, "status": error.status, "headers": error.headers, "body": error.body.decode(),
        }  # fmt: skip
    return {"passed": True} if identity is None else {"identity": identity.to_dict()}


def test_codes_are_the_published_ones() -> None:
    published = [row["code"] for row in read_json("codes.json")]
    missing = [f'    "{code}",' for code in published if code not in get_args(Code)]
    assert not missing, "add to Code in _errors.py:\n" + "\n".join(missing)
    assert list(get_args(Code)) == published, "Code in _errors.py has other codes, or another order"


@pytest.mark.parametrize("row", read_json("codes.json"), ids=lambda row: row["code"])
def test_numbers_kinds_and_classes_follow_from_the_code(row: dict[str, Any]) -> None:
    error = _errors.make(row["code"], row["number"], row["kind"], "why", row["status"], None, {}, b"")
    classes = {"options": "OptionsError", "token": "TokenError", "access": "AccessDenied", "keys": "KeysUnavailable"}
    assert type(error) is getattr(pomerium_jwt, classes.get(row["kind"], "VerifyError"))
    assert row["kind"] in get_args(Kind)


def test_options_are_the_published_ones() -> None:
    """_option_types.py is printed from the core; options.json is compared with it by the Rust tests."""
    rows = read_json("options.json")
    assert set(get_type_hints(Options)) == {row["name"] for row in rows}
    assert set(get_type_hints(RequestOptions)) == {row["name"] for row in rows if row["group"] == "request"}


def test_a_case_about_options_needs_no_token() -> None:
    with pytest.raises(OptionsError) as refused:
        Verifier()
    assert (refused.value.code, refused.value.number, refused.value.status) == ("invalid_options", 1, 500)
    assert refused.value.body == b'{"error":"invalid_options"}'
