#!/usr/bin/env python3
"""Tests the C library as its users have it: installed, outside the repository. `make test-c` calls it.

Installs into a scratch folder, compiles examples/c, README.md's lines and tests/c against that, and runs them. What
each C program tests it prints itself; each test of this file is a line here. All end with `c tests: N passed, M failed`.
"""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CRATE = ROOT / "ffi-c"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
ISSUER = TARGET / "debug/pomerium-jwt"
CONFORMANCE = ROOT / "conformance"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
HANGS = 600  # seconds after which a test that never ends is ended

# note, compiler and standard, name of the example's copy
COMPILERS = [
    ("gcc, C99", ["gcc", "-std=c99"], "verify.c"),
    ("clang, C99", ["clang", "-std=c99"], "verify.c"),
    ("g++, C++17", ["g++", "-std=c++17"], "verify.cc"),
    ("clang++, C++17", ["clang++", "-std=c++17"], "verify.cc"),
]
SCENARIOS = ["cold_start", "rotation", "withdrawn_key", "hanging_server", "outage"]

outcomes = []


def main():
    with tempfile.TemporaryDirectory(prefix="pomerium-jwt-c-") as scratch:
        scratch = Path(scratch)
        prefix = scratch / "installed"
        install(PREFIX=prefix)
        run("cargo", "build", "-q", "--locked", "-p", "pomerium-jwt-cli", cwd=ROOT)

        test("installed files", installed_files, prefix, scratch)
        test("exported symbols are exports.txt and the header's functions", exported_symbols, prefix)
        test("constants are those of codes.json and of the documentation", constants, prefix)
        test("SONAME and nodelete", dynamic_section, prefix)
        test("Libs.private is what the compiler says, without libgcc_s", static_libraries, prefix)
        test("the static library shows our functions alone", static_symbols, prefix)
        test("it links next to another Rust library, statically, and starts in an empty root", empty_root, prefix, scratch)
        test("CMake finds it", cmake, prefix, scratch)
        examples(prefix, scratch)
        for name, command in [("Python's cffi", ["/usr/bin/python3", "cffi_reads_the_header.py"]),
                              ("PHP's ext-ffi", ["php", "php_reads_the_header.php"])]:
            test(f"{name} reads the header and verifies", reader, command, prefix)
        c_programs(prefix, scratch)
    print(f"c tests: {outcomes.count(True)} passed, {outcomes.count(False)} failed")
    return 0 if all(outcomes) else 1


def test(name, work, *arguments):
    start = time.monotonic()
    try:
        work(*arguments)
        print(f"ok {name} ({time.monotonic() - start:.1f} s)", flush=True)
        outcomes.append(True)
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        failed(name, error)


def run(*command, env=None, **options):
    """Runs a command whose output, both kinds together, is the result. An exit code other than 0 is an error."""
    return subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=options.pop("stdin", subprocess.DEVNULL),
        timeout=HANGS,
        text=True,
        check=True,
        **options,
    ).stdout


def install(**variables):
    subprocess.run(
        ["make", "-s", "install", *(f"{name}={value}" for name, value in variables.items())], cwd=ROOT, check=True
    )


def installed_files(prefix, scratch):
    version = run("pkg-config", "--modversion", prefix / "lib/pkgconfig/pomerium_jwt.pc").strip()
    expected = {
        "include/pomerium_jwt.h",
        "lib/libpomerium_jwt.a",
        "lib/libpomerium_jwt.so",
        "lib/libpomerium_jwt.so.0",
        f"lib/libpomerium_jwt.so.{version}",
        "lib/pkgconfig/pomerium_jwt.pc",
        "lib/cmake/pomerium_jwt/pomerium_jwt-config.cmake",
        "lib/cmake/pomerium_jwt/pomerium_jwt-config-version.cmake",
    }
    install(PREFIX="/opt/pomerium", DESTDIR=scratch / "package")
    for folder in [prefix, scratch / "package/opt/pomerium"]:
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
        assert found == expected, f"differ from what is documented: {sorted(found ^ expected)}"
    description = (scratch / "package/opt/pomerium/lib/pkgconfig/pomerium_jwt.pc").read_text()
    assert description.startswith("prefix=/opt/pomerium\n") and str(scratch) not in description, description
    assert (prefix / "include/pomerium_jwt.h").read_text() == (ROOT / "include/pomerium_jwt.h").read_text()


def exported_symbols(prefix):
    lines = run("nm", "--dynamic", "--defined-only", "--format=posix", prefix / "lib/libpomerium_jwt.so").splitlines()
    exported = sorted(line.split()[0] for line in lines)
    listed = (CRATE / "exports.txt").read_text().split()
    assert exported == listed, f"ffi-c/exports.txt differs in {sorted(set(exported) ^ set(listed))}"
    declared = re.findall(r"^[a-z].*?(pomerium_jwt_\w+)\(", (prefix / "include/pomerium_jwt.h").read_text(), re.MULTILINE)
    assert sorted(declared) == listed, f"the header differs in {sorted(set(declared) ^ set(listed))}: make header"


def constants(prefix):
    header = (prefix / "include/pomerium_jwt.h").read_text()
    enums = dict(reversed(part.split("} ", 1)) for part in re.findall(r"^typedef enum \{\n(.+?\} \w+);", header, re.MULTILINE | re.DOTALL))
    written = {
        enum: {name: int(number) for name, number in re.findall(r"^ +(POMERIUM_JWT_\w+) = (-?\d+),$", body, re.MULTILINE)}
        for enum, body in enums.items()
    }
    codes = json.loads((CONFORMANCE / "codes.json").read_text())
    kinds = {"OK": 0, "OPTIONS": 1, "TOKEN": 2, "KEYS": 3, "INTERNAL": 4, "ACCESS": 5}
    expected = {
        "pomerium_jwt_code": {f"POMERIUM_JWT_{code['code'].upper()}": code["number"] for code in codes},
        "pomerium_jwt_kind": {f"POMERIUM_JWT_KIND_{name}": number for name, number in kinds.items()},
        "pomerium_jwt_admission": {"POMERIUM_JWT_PASSED": -1},
        "pomerium_jwt_flag": {"POMERIUM_JWT_UPGRADE": 1, "POMERIUM_JWT_MARKED_PUBLIC": 2},
    }
    assert written == expected, f"the header has {written}, expected {expected}: make header"


def dynamic_section(prefix):
    section = run("readelf", "--dynamic", "--wide", prefix / "lib/libpomerium_jwt.so")
    assert "Library soname: [libpomerium_jwt.so.0]" in section, section
    assert re.search(r"FLAGS_1.*NODELETE", section), section


def static_libraries(prefix):
    printed = run("cargo", "rustc", "--locked", "-p", "pomerium-jwt-ffi", "--lib", "--crate-type", "staticlib",
                  "--", "--print", "native-static-libs", cwd=ROOT)
    said = re.search(r"^note: native-static-libs: (.+)$", printed, re.MULTILINE).group(1).split()
    description = (prefix / "lib/pkgconfig/pomerium_jwt.pc").read_text()
    written = re.search(r"^Libs.private: (.+)$", description, re.MULTILINE).group(1).split()
    expected = ["-static-libgcc", *(library for library in said if library != "-lgcc_s")]
    assert written == expected, f"{written}, the compiler says {said}"


def static_symbols(prefix):
    archive = prefix / "lib/libpomerium_jwt.a"
    lines = run("nm", "--extern-only", "--defined-only", "--format=posix", archive).splitlines()
    symbols = sorted(line.split()[0] for line in lines if " " in line)
    assert symbols == (CRATE / "exports.txt").read_text().split(), symbols
    assert ".debug" not in run("readelf", "--sections", "--wide", archive), "it is not stripped"


# Of its own runtime, with a panic that is caught
OTHER_LIBRARY = """
#[unsafe(no_mangle)]
pub extern "C" fn other_library() -> i32 {
    std::panic::set_hook(Box::new(|_| {}));
    std::panic::catch_unwind(|| "x".parse::<i32>().unwrap()).map_or(42, |_| 0)
}
"""
OTHER_SOURCE = """
#include <stdlib.h>
int other_library(void);
__attribute__((constructor)) static void ask(void) {
    if (other_library() != 42)
        abort();
}
"""


def empty_root(prefix, scratch):
    """README.md's third line, with another Rust library in the same program."""
    folder = scratch / "empty"
    folder.mkdir()
    (folder / "other.rs").write_text(OTHER_LIBRARY)
    (folder / "other.c").write_text(OTHER_SOURCE)
    (folder / "verify.c").write_text((ROOT / "examples/c/verify.c").read_text())
    run("rustc", "--edition=2024", "--crate-type=staticlib", "-O", "other.rs", cwd=folder)
    line = re.search(r"^(cc -static verify\.c .+)$", (CRATE / "README.md").read_text(), re.MULTILINE).group(1)
    line = line.replace("verify.c", "verify.c other.c libother.a", 1)
    run("sh", "-ec", line, cwd=folder, env={"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")})
    root = folder / "root"
    root.mkdir()
    (folder / "verify").rename(root / "verify")
    own_user = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
    with issuer() as url, urllib.request.urlopen(f"{url}/mint?sub=alice&email=alice@example.com") as answer:
        result = subprocess.run([*own_user, "chroot", root, "/verify"], input=answer.read(), capture_output=True,
                                env={**os.environ, "POMERIUM_JWT_ROUTE": url}, timeout=HANGS)
    assert (result.returncode, result.stdout) == (0, b"alice alice@example.com\n"), result


def cmake(prefix, scratch):
    """README.md's lines, and which versions are taken."""
    folder = scratch / "cmake"
    folder.mkdir()
    (folder / "verify.c").write_text((ROOT / "examples/c/verify.c").read_text())
    lines = re.search(r"^```cmake\n(.+?)^```", (CRATE / "README.md").read_text(), re.MULTILINE | re.DOTALL).group(1)
    version = run("pkg-config", "--modversion", prefix / "lib/pkgconfig/pomerium_jwt.pc").strip()
    major, minor, *_ = map(int, re.findall(r"\d+", version))
    for kind, wanted, taken in [("pomerium_jwt", f"{major}.{minor}", True), ("static", version, True),
                                ("static", f"{major}.{minor + 1}", False), ("static", f"{major + 1}", False)]:
        project = re.sub(r"pomerium_jwt [\d.]+", f"pomerium_jwt {wanted}", lines).replace("::pomerium_jwt", f"::{kind}")
        (folder / "CMakeLists.txt").write_text(f"cmake_minimum_required(VERSION 3.16)\nproject(app C)\n{project}")
        built = folder / f"{kind}-{wanted}"
        configure = ["cmake", "-S", folder, "-B", built, f"-DCMAKE_PREFIX_PATH={prefix}"]
        if not taken:
            refused = subprocess.run(configure, capture_output=True, text=True)
            assert refused.returncode != 0 and f"version: {version}" in refused.stderr, refused
            continue
        run(*configure)
        run("cmake", "--build", built)
        result = subprocess.run([built / "verify"], env={**os.environ, "POMERIUM_JWT_ROUTE": "https://app.example.com"},
                                input="", capture_output=True, text=True)
        assert result.returncode == 1 and result.stderr.startswith("token_missing: "), result


def examples(prefix, scratch):
    """README.md's two lines, with each compiler."""
    readme = (CRATE / "README.md").read_text()
    lines = re.findall(r"^(cc verify\.c .+)$", readme, re.MULTILINE)
    assert len(lines) == 2, f"README.md should say how to link dynamically and how statically: {lines}"
    with issuer() as url, urllib.request.urlopen(f"{url}/mint?sub=alice&email=alice@example.com") as answer:
        token = answer.read().decode()
        for note, compiler, name in COMPILERS:
            for line, linked in zip(lines, ["dynamic", "static"]):
                folder = scratch / f"{compiler[0]}-{linked}"
                test(f"example, {note}, {linked}", example, line, compiler, name, folder, prefix, url, token)
    snippet = re.search(r"^```c\n(.+?)^```", readme, re.MULTILINE | re.DOTALL).group(1)
    test("README.md's lines compile", compile_snippet, snippet, scratch, prefix)


def example(line, compiler, name, folder, prefix, url, token):
    folder.mkdir()
    (folder / name).write_text((ROOT / "examples/c/verify.c").read_text())
    line = line.replace("cc verify.c", f"{shlex.join(compiler + WARNINGS)} {name}", 1)
    run("sh", "-ec", line, cwd=folder, env={"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")})
    needed = "libpomerium_jwt" in run("readelf", "--dynamic", folder / "verify")
    assert needed != folder.name.endswith("static"), f"{line}: is it linked as it says?"

    route = {"POMERIUM_JWT_ROUTE": url}
    nobody = {"POMERIUM_JWT_ROUTE": "http://127.0.0.1:1"}
    # options, token, exit code, what is printed
    for environment, text, code, printed in [
        (route, token, 0, "alice alice@example.com\n"),
        (route, token + "\n", 0, "alice alice@example.com\n"),
        (route, "", 1, "token_missing: "),
        (route, token[:-1], 1, "token_malformed: "),
        ({}, token, 2, "invalid_options: "),
        (nobody, token, 3, "keys_unavailable: "),
    ]:
        environment = {**os.environ, "LD_LIBRARY_PATH": str(prefix / "lib"), **environment}
        result = subprocess.run([folder / "verify"], env=environment, input=text, capture_output=True, text=True)
        got = (result.returncode, (result.stdout + result.stderr)[: len(printed)])
        assert got == (code, printed), f"{environment.get('POMERIUM_JWT_ROUTE')}, {text[:9]}: {got}, {result.stderr}"


def compile_snippet(snippet, scratch, prefix):
    source = scratch / "snippet.c"
    source.write_text(snippet)
    run("gcc", "-std=c99", *WARNINGS, f"-I{prefix}/include", "-c", source, "-o", scratch / "snippet.o")


@contextlib.contextmanager
def issuer():
    command = [ISSUER, "issuer", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        yield process.stdout.readline().removeprefix("ready ").strip()


def reader(command, prefix):
    files = [prefix / "include/pomerium_jwt.h", prefix / "lib/libpomerium_jwt.so.0", CONFORMANCE / "genuine.json"]
    run(command[0], CRATE / "tests/readers" / command[1], *files)


def c_programs(prefix, scratch):
    """tests/c: as it is, with gcc's sanitizers, under valgrind; then the scenarios, which sleep, all at once."""
    sources = [path for path in (CRATE / "tests/c").glob("*.c") if path.name != "unload.c"]
    unload = CRATE / "tests/c/unload.c"
    links = [f"-L{prefix}/lib", f"-Wl,-rpath,{prefix}/lib", "-lpomerium_jwt", "-ljansson", "-pthread"]

    def build(name, *flags, compiler="gcc"):
        run(compiler, "-std=c99", *WARNINGS, "-g", *flags, f"-I{prefix}/include", *sources, *links, "-o", scratch / name)

    test("tests compile with clang", lambda: build("clang-tests", compiler="clang"))
    build("tests", "-O1")
    build("sanitized", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
    run("gcc", "-std=c99", *WARNINGS, f"-I{prefix}/include", unload, "-ldl", "-pthread", "-o", scratch / "unload")

    version = run("pkg-config", "--modversion", prefix / "lib/pkgconfig/pomerium_jwt.pc").strip()
    plain = {"ISSUER": str(ISSUER), "CONFORMANCE": str(CONFORMANCE), "VERSION": version}
    # Freed memory is held back by default, and would look like a leak in a test of flat memory
    sanitized = {**plain, "ROUNDS": "20000", "ASAN_OPTIONS": "quarantine_size_mb=1:detect_stack_use_after_return=1"}
    valgrind = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite",
                "--errors-for-leak-kinds=definite"]

    show("tests", lambda: run(scratch / "tests", "arguments", "admission", "stack", "conformance", "five", "forks", "shared", env=plain))
    show("unload", lambda: run(scratch / "unload", prefix / "lib/libpomerium_jwt.so.0", env=plain))
    reports = [
        ("AddressSanitizer and UndefinedBehaviorSanitizer report nothing",
         lambda: run(scratch / "sanitized", "arguments", "admission", "conformance", "five", "forks", "shared", env=sanitized)),
        ("valgrind reports nothing",
         lambda: run(*valgrind, scratch / "tests", "arguments", "admission", "conformance", "shared", env=plain)),
    ]
    at_once(lambda report: test(*report), reports)
    at_once(lambda name: show(name, lambda: run(scratch / "tests", name, env=plain)), SCENARIOS)


def at_once(work, items):
    with ThreadPoolExecutor(len(items)) as pool:
        for _ in pool.map(work, items):
            pass


def show(name, work):
    """A C program that prints and counts its own tests."""
    try:
        print(work(), end="", flush=True)
    except subprocess.SubprocessError as error:
        failed(name, error)


def failed(name, error):
    printed = getattr(error, "stdout", None) or ""
    printed = printed if isinstance(printed, str) else printed.decode(errors="replace")
    print(f"{printed}FAILED {name}: {error}", flush=True)
    outcomes.append(False)


if __name__ == "__main__":
    sys.exit(main())
