"""The package as strangers meet it: built, installed into fresh environments outside the repository, documented."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, TARGET, Issuer, read_json

PACKAGE = ROOT / "bindings-python"
README = (PACKAGE / "README.md").read_text()

# The profile whose dependencies `make` has built: what is shipped differs in speed only
PROFILE = ["--profile", "dev"]

IMPORT = """
import sys, time
start = time.perf_counter()
import pomerium_jwt
print(f"import pomerium_jwt: {(time.perf_counter() - start) * 1000:.1f} ms from {pomerium_jwt.__file__}")
assert not {"asyncio", "flask", "pytest", "concurrent.futures"} & sys.modules.keys(), "what is not used costs nothing"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dist")
    command(sys.executable, "-m", "maturin", "build", "-q", *PROFILE, "--out", str(folder), cwd=PACKAGE)
    command(sys.executable, "-m", "maturin", "sdist", "--out", str(folder), cwd=PACKAGE)
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_install_as_a_stranger_would(
    built: dict[str, Path], kind: str, tmp_path: Path, issuer: Issuer, capfd: pytest.CaptureFixture[str]
) -> None:
    """The source distribution is compiled, in an environment of its own that pip makes."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    # Dependencies from the registry are compiled once for all builds
    variables = {"MATURIN_PEP517_ARGS": " ".join(PROFILE), "CARGO_TARGET_DIR": str(TARGET)}
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    command(*install, f"{built[kind]}[flask]", cwd=tmp_path, **variables)

    printed = command(python, "-c", IMPORT, cwd=tmp_path)
    assert str(tmp_path / "venv") in printed
    with capfd.disabled():
        print(f"\n{kind}: {printed.split(' from ')[0]}", flush=True)

    route = {"POMERIUM_JWT_ROUTE": issuer.url}
    token = issuer.mint(email="a@example.com")
    script = f"from pomerium_jwt import Verifier; print(Verifier.from_env().verify({token!r}).email)"
    assert command(python, "-c", script, cwd=tmp_path, **route) == "a@example.com\n"
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import app; print(app.app.test_client().get('/').status_code)"
    )
    assert command(python, "-B", "-c", script, str(ROOT / "examples" / "python"), cwd=tmp_path, **route) == "401\n"


def test_the_wheel_holds_what_it_should(built: dict[str, Path]) -> None:
    assert "-cp310-abi3-" in built["wheel"].name
    names = set(zipfile.ZipFile(built["wheel"]).namelist())
    sources = {f"pomerium_jwt/{path.name}" for path in (PACKAGE / "python" / "pomerium_jwt").glob("*.py*")}
    assert sources | {"pomerium_jwt/py.typed", "pomerium_jwt/_native.abi3.so"} <= names
    assert any(name.endswith("dist-info/entry_points.txt") for name in names)


def test_types() -> None:
    """mypy --strict over the package and its tests, and the stub compared with the native module."""
    cache = ["--cache-dir", str(TARGET / "mypy")]
    command(sys.executable, "-m", "mypy", *cache, "python", "tests", cwd=PACKAGE)
    command(
        sys.executable,
        "-m",
        "mypy.stubtest",
        "pomerium_jwt._native",
        "--mypy-config-file",
        "pyproject.toml",
        cwd=PACKAGE,
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("Verifier(route='https://app.example.com', leeway=30).verify('').email", None),
        ("Verifier(rout='https://app.example.com')", 'Unexpected keyword argument "rout"'),
        ("Verifier(leeway='30')", "incompatible type"),
        ("Verifier().verify(None)", "incompatible type"),
        ("Verifier().verify('').mail", 'has no attribute "mail"'),
        ("Verifier().verify('').email.upper()", 'Item "None"'),
        ("Verifier().verify('').groups.append('admins')", "has no attribute"),
    ],
)
def test_types_that_users_meet(line: str, complaint: str | None, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"from pomerium_jwt import Verifier\n{line}\n")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(TARGET / "mypy-users"), "app.py"]
    run = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode == 0) == (complaint is None), run.stdout
    assert (complaint or "") in run.stdout


def quotations() -> Iterator[tuple[str, str]]:
    return iter(re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", README, re.DOTALL))


def test_the_readme_quotes_the_examples_as_they_are() -> None:
    quoted = dict(quotations())
    assert set(quoted) == {"examples/python/app.py"}
    for path, text in quoted.items():
        assert text == (ROOT / path).read_text(), f"copy {path} into bindings-python/README.md again"


def test_the_readme_names_every_error_class_and_status() -> None:
    for row in read_json("codes.json"):
        cell = rf"^\| .*`{row['code']}`.* \| {row['status']} \|"
        assert re.search(cell, README, re.MULTILINE), f"add {row['code']} with {row['status']} to the table of errors"


def test_the_readme_s_python_is_python() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        compile(block, "README.md", "exec")


def command(*words: str, cwd: Path, **variables: str) -> str:
    run = subprocess.run(words, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True)
    assert run.returncode == 0, f"{' '.join(words)}\n{run.stdout}\n{run.stderr}"
    return run.stdout
