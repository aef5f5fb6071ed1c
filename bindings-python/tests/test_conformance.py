"""Every case of conformance/, and the lists that Python repeats compared with those that the core prints."""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

import pytest
from conftest import CONFORMANCE, read_json

import pomerium_jwt
from pomerium_jwt import Code, Identity, Options, OptionsError, Verifier, VerifyError
from pomerium_jwt import _options as types

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


def differs(case: dict[str, Any]) -> str | None:
    expected = case["expect"]
    try:
        got = shown(run(case))
    except VerifyError as error:
        got = {"code": error.code}
        if expected.get("message", "") not in error.message:
            return f"{error} does not say {expected['message']!r}"
    wanted = {name: value for name, value in expected.items() if name != "message"}
    # Comparing texts tells 1 from 1.0 and True
    if json.dumps(got, sort_keys=True) == json.dumps(wanted, sort_keys=True):
        return None
    return f"expected {wanted}, got {got}"


def run(case: dict[str, Any]) -> Identity:
    verifier = Verifier(**case["options"])
    token = case["token"]
    if isinstance(token, list):
        token = "".join(part if isinstance(part, str) else part[0] * part[1] for part in token)
    return verifier.verify_at(token, case["now"])


def shown(identity: Identity) -> dict[str, Any]:
    return {"identity": {name: getattr(identity, name) for name in FIELDS}, "claims": identity.claims}


def test_codes_are_the_published_ones() -> None:
    published = [row["code"] for row in read_json("codes.json")]
    missing = [f'    "{code}",' for code in published if code not in get_args(Code)]
    assert not missing, "add to Code in _errors.py:\n" + "\n".join(missing)
    assert list(get_args(Code)) == published, "Code in _errors.py has other codes, or another order"


@pytest.mark.parametrize("row", read_json("codes.json"), ids=lambda row: row["code"])
def test_numbers_kinds_and_classes_follow_from_the_code(row: dict[str, Any]) -> None:
    from pomerium_jwt import _errors

    error = _errors.make(row["code"], row["number"], row["kind"], "why", row["status"], None)
    classes = {"options": "OptionsError", "token": "TokenError", "access": "AccessDenied", "keys": "KeysUnavailable"}
    assert type(error) is getattr(pomerium_jwt, classes.get(row["kind"], "VerifyError"))
    if row["code"] == "invalid_options":
        made = _errors.invalid_options("why")
        assert (made.code, made.number, made.kind, made.status) == (
            error.code, error.number, error.kind, error.status,
        )  # fmt: skip


TYPES = {
    "list": "List",
    "string": "str",
    "jwks": "Jwks",
    "claims": "Claims",
    "boolean": "bool",
    "seconds": "Seconds",
    "integer": "int",
}


def test_options_are_the_published_ones() -> None:
    rows = read_json("options.json")
    annotations = {name: text.__forward_arg__ for name, text in Options.__annotations__.items()}
    expected = {row["name"]: "Path" if row["name"].endswith("_file") else TYPES[row["type"]] for row in rows}
    missing = [f"    {name}: {kind}" for name, kind in expected.items() if annotations.get(name) != kind]
    assert not missing, "write in Options in _options.py:\n" + "\n".join(missing)
    assert list(annotations) == list(expected), "Options in _options.py has other options, or another order"
    assert set(get_type_hints(Options, vars(types))) == set(expected)


def test_a_case_about_options_needs_no_token() -> None:
    with pytest.raises(OptionsError) as refused:
        Verifier()
    assert (refused.value.code, refused.value.status) == ("invalid_options", 500)
