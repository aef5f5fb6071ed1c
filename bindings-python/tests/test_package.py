"""The package as strangers meet it: built, installed into fresh environments outside the repository, documented."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, TARGET, Issuer

PACKAGE = ROOT / "bindings-python"
README = (PACKAGE / "README.md").read_text()

# The profile whose dependencies `make` has built: what is shipped differs in speed only
PROFILE = ["--profile", "dev"]

IMPORT = """
import sys, time
start = time.perf_counter()
import pomerium_jwt
print(f"import pomerium_jwt: {(time.perf_counter() - start) * 1000:.1f} ms from {pomerium_jwt.__file__}")
assert not {"asyncio", "flask", "django", "pytest", "concurrent.futures"} & sys.modules.keys(), "what is not used costs nothing"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dist")
    command(sys.executable, "-m", "maturin", "build", "-q", *PROFILE, "--out", str(folder), cwd=PACKAGE)
    command(sys.executable, "-m", "maturin", "sdist", "--out", str(folder), cwd=PACKAGE)
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


@pytest.mark.parametrize("kind", ["wheel", "sdist", "repository"])
def test_install_as_a_stranger_would(
    built: dict[str, Path], kind: str, tmp_path: Path, issuer: Issuer, capfd: pytest.CaptureFixture[str]
) -> None:
    """Source distribution and repository are compiled, in an environment of its own that pip makes."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    # Dependencies from the registry are compiled once for all builds
    variables = {"MATURIN_PEP517_ARGS": " ".join(PROFILE), "CARGO_TARGET_DIR": str(TARGET)}
    if kind == "repository":
        (tmp_path / "pomerium-jwt").symlink_to(ROOT)  # in place of `git clone`
        clone, install = commands(README)
        assert clone.startswith("git clone https://github.com/pomerium-jwt/pomerium-jwt")
        variables["PATH"] = f"{tmp_path}/venv/bin:{os.environ['PATH']}"
        command("sh", "-c", install, cwd=tmp_path, **variables)
    else:
        install = f"{built[kind]}[flask]"
        command(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", install, cwd=tmp_path, **variables)

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


def commands(document: str) -> list[str]:
    """What its shell blocks say."""
    return [line for block in re.findall(r"```sh\n(.*?)```", document, re.DOTALL) for line in block.splitlines()]


def test_the_examples_readme_s_commands(issuer: Issuer, tmp_path: Path) -> None:
    """Installing is tested above. `pip install` is answered by what is installed here already."""
    folder = ROOT / "examples" / "python"
    install, *others = commands((folder / "README.md").read_text())
    assert (
        install
        == "pip install '../../bindings-python[flask,django,fastapi,aiohttp]' flask-cors gunicorn hypercorn quart uvicorn"
    )
    servers, [verify] = others[:-1], others[-1:]
    (tmp_path / "token").write_text(issuer.mint())
    variables = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PORT": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    wrong = {"POMERIUM_JWT_MISSPELT": "x"}  # so that a server stops at once
    assert len(servers) == 9, "the HTTP suite runs all of them"
    for line in servers:
        run = shell(line.replace("https://app.example.com", issuer.url), folder, **variables, **wrong)
        assert run.returncode != 0 and "POMERIUM_JWT_MISSPELT" in run.stderr, line
    line = verify.replace("https://app.example.com", issuer.url).replace("< token", f"< {tmp_path}/token")
    assert shell(line, folder, **variables).stdout == "alice -\n"


def test_the_project_s_readme_without_pomerium() -> None:
    """Its commands as they stand, but for the ports."""
    readme = (ROOT / "README.md").read_text()
    [block] = re.findall(r"## Try it without Pomerium\n.*?```sh\n(.*?)```", readme, re.DOTALL)
    ports = {"8443": free_port(), "8000": free_port()}
    block = re.sub("8443|8000", lambda found: str(ports[found.group()]), block)
    dev, application, *requests = block.splitlines()
    with running(dev, ports["8443"]), running(application, ports["8000"]):
        printed = shell("\n".join(requests), ROOT, no_proxy="127.0.0.1,localhost").stdout
    for answer in re.findall(r"^curl .*# (.*)$", block, re.MULTILINE):
        assert answer in printed, printed


@contextlib.contextmanager
def running(command: str, port: int) -> Iterator[None]:
    """A server, from when it accepts connections."""
    path = f"{TARGET}/debug:{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    folder = ROOT / "examples" / "python"
    server = subprocess.Popen(["sh", "-c", f"exec env {command}"], cwd=folder, env=variables, stderr=subprocess.PIPE)
    try:
        while server.poll() is None:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def shell(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line], cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True
    )


def test_the_wheel_holds_what_it_should(built: dict[str, Path]) -> None:
    assert "-cp310-abi3-" in built["wheel"].name
    names = set(zipfile.ZipFile(built["wheel"]).namelist())
    root = PACKAGE / "python"
    sources = {str(path.relative_to(root)) for path in (root / "pomerium_jwt").rglob("*.py*") if path.suffix != ".pyc"}
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


def test_style() -> None:
    """The examples stand in a folder without settings, and are written for readers of any editor."""
    settings = ["--no-cache", "--config", str(PACKAGE / "pyproject.toml")]
    paths = ["python", "tests", "../examples/python", "../bench/python"]
    command(sys.executable, "-m", "ruff", "check", *settings, *paths, cwd=PACKAGE)
    command(sys.executable, "-m", "ruff", "format", "--check", *settings, *paths, cwd=PACKAGE)


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
    assert len(quoted) == 7
    for path, text in quoted.items():
        assert text == (ROOT / path).read_text(), f"run `make conformance`, which copies {path}"


def test_the_readme_s_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The files are run by test_servers.py, and the test by test_testing.py."""
    use, *files, test = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(files) == len(list(quotations())) and "pomerium_issuer" in test
    names: dict[str, object] = {"headers": {}}
    exec(compile(use, "README.md", "exec"), names)
    assert "verifier" in names and "identity" not in names, "a request without a token is refused"


def command(*words: str, cwd: Path, **variables: str) -> str:
    run = subprocess.run(words, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True)
    assert run.returncode == 0, f"{' '.join(words)}\n{run.stdout}\n{run.stderr}"
    return run.stdout
