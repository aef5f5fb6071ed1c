"""Tests of run-tests, need and tidy: the real scripts, in a scratch folder, with recipes and commands made up for each case."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parent

CASES = "conformance: 7 cases"
CARGO = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s"
CARGO_IGNORED = "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s"
CARGO_FAILED = "test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s"
CARGO_NONE = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
CARGO_COLOURED = "test result: \033[32mok\033[m. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s"
C = "c tests: 2 passed, 0 failed"
C_FAILED = "c tests: 1 passed, 1 failed"
PYTEST = "=== 5 passed, 1 warning in 3.05s ==="
PYTEST_FAILED = "2 failed, 3 passed, 1 skipped, 9 deselected, 1 xfailed, 2 errors in 61.20s (0:01:01)"
PYTEST_NONE = "no tests ran in 0.01s"
GO = ["=== RUN   TestA", "--- PASS: TestA (0.00s)", "    --- PASS: TestA/one (0.00s)", "PASS"]
GO_FAILED = ["--- FAIL: TestA (0.00s)", "    --- FAIL: TestA/one (0.00s)", "--- SKIP: TestB (0.00s)", "--- PASS: TestC (0.00s)", "FAIL"]
NODE = ["# tests 4", "# suites 1", "# pass 4", "# fail 0", "# cancelled 0", "# skipped 0", "# todo 0"]
NODE_FAILED = ["ℹ tests 9", "ℹ pass 2", "ℹ fail 3", "ℹ cancelled 1", "ℹ skipped 2", "ℹ todo 1"]
PHPUNIT = "OK (7 tests, 90 assertions)"
PHPUNIT_FAILED = ["FAILURES!", "Tests: 9, Assertions: 90, Errors: 1, Failures: 2, Skipped: 1."]
SUREFIRE = ["[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.23 s -- in a.ATest", "[INFO] Results:", "[INFO] ",
            "[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0"]
SUREFIRE_FAILED = ["[ERROR] Tests run: 9, Failures: 1, Errors: 2, Skipped: 2, Time elapsed: 1 s <<< FAILURE! -- in a.ATest",
                   "[ERROR] Tests run: 9, Failures: 1, Errors: 2, Skipped: 2"]
DOTNET = "Passed!  - Failed:     0, Passed:     4, Skipped:     0, Total:     4, Duration: 1 s - Pomerium.Jwt.Tests.dll (net8.0)"
DOTNET_FAILED = "Failed!  - Failed:     1, Passed:     2, Skipped:     3, Total:     6, Duration: 1 s - Pomerium.Jwt.Tests.dll (net8.0)"

REQUESTS = "requests: 5 cases"
SUITE = "http: app 10 cases, 0 not possible"
SETS = [CASES, REQUESTS, SUITE]
GOOD = [*SETS, CARGO]
HTTP = ["http: net/http 9 cases, 1 not possible", "    http: gin 10 cases, 0 not possible"]

# note, CI, what each language prints (a number: the exit code of its recipe; "missing": what need says), exit code,
# last line, what the table must hold
RUNS = [
    ("all pass", "true", {"a": GOOD}, 0, "4 passed, 0 failed, 0 skipped", ["7 cases", "3 passed"]),
    ("test binaries add up", "", {"a": [CARGO, *SETS, CARGO_NONE, CARGO]}, 0, "7 passed, 0 failed, 0 skipped", []),
    ("C programs add up", "", {"a": [C, *SETS, C]}, 0, "5 passed, 0 failed, 0 skipped", []),
    ("a failing C program", "", {"a": [C, *SETS, C_FAILED, 1]}, 1, "4 passed, 1 failed, 0 skipped", ["exit code 2"]),
    ("coloured output", "", {"a": [*SETS, CARGO_COLOURED]}, 0, "4 passed, 0 failed, 0 skipped", []),
    ("two languages", "true", {"a": GOOD, "b": GOOD}, 0, "7 passed, 0 failed, 0 skipped", []),
    ("a failing runner, the other still runs", "", {"a": [*SETS, CARGO_FAILED, 1], "b": GOOD}, 1,
     "6 passed, 4 failed, 0 skipped", ["FAILED: 2 passed, 4 failed: exit code 2; see"]),
    ("a runner that fails before any test", "", {"a": [1]}, 1, "1 passed, 1 failed, 0 skipped", ["no test ran"]),
    ("exit code against a fine text", "", {"a": GOOD + [3]}, 1, "4 passed, 1 failed, 0 skipped", ["exit code 2"]),
    ("text against a fine exit code", "", {"a": [*SETS, CARGO_FAILED]}, 1, "3 passed, 4 failed, 0 skipped",
     ["exit code 0 in spite of failed tests"]),
    ("no requests line", "", {"a": [CASES, SUITE, CARGO]}, 1, "4 passed, 1 failed, 0 skipped", ["no line `requests: N cases`"]),
    ("no conformance line", "", {"a": [REQUESTS, SUITE, CARGO]}, 1, "4 passed, 1 failed, 0 skipped", ["no line `conformance: N cases`"]),
    ("two runners", "", {"a": GOOD + SETS}, 0, "4 passed, 0 failed, 0 skipped", ["7 cases", "5 cases"]),
    ("two runners that differ", "", {"a": GOOD + ["conformance: 6 cases"]}, 1, "4 passed, 1 failed, 0 skipped",
     ["lines `conformance: N cases` must all have the same N above 0, not [7, 6]"]),
    ("two runners of requests that differ", "", {"a": GOOD + ["requests: 4 cases"]}, 1,
     "4 passed, 1 failed, 0 skipped", ["not [5, 4]"]),
    ("requests of nothing", "", {"a": [CASES, "requests: 0 cases", SUITE, CARGO]}, 1, "4 passed, 1 failed, 0 skipped", ["[0]"]),
    ("requests differ", "", {"a": GOOD, "b": [CASES, "requests: 4 cases", SUITE, CARGO]}, 1,
     "7 passed, 1 failed, 0 skipped", ["how many requests cases they ran, and each must run all: a 5, b 4"]),
    ("applications", "true", {"a": [CASES, REQUESTS, CARGO, *HTTP], "b": [CASES, REQUESTS, CARGO, HTTP[0].replace("net/http", "ws")]}, 0,
     "7 passed, 0 failed, 0 skipped",
     ["2 applications, 19 cases, 1 not possible", "1 application, 9 cases, 1 not possible"]),
    ("an application that leaves cases out", "", {"a": GOOD + HTTP, "b": GOOD + ["http: ws 8 cases, 1 not possible"]}, 1,
     "7 passed, 1 failed, 0 skipped", ["net/http 10, gin 10, app 10, ws 9"]),
    ("applications of the same name that differ", "", {"a": GOOD, "b": [CASES, REQUESTS, CARGO, "http: app 9 cases, 0 not possible"]}, 1,
     "7 passed, 1 failed, 0 skipped", ["app 10, app 9"]),
    ("an application that can do nothing", "", {"a": GOOD + ["http: ws 0 cases, 10 not possible"]}, 1,
     "4 passed, 1 failed, 0 skipped", ["no case of the HTTP suite is possible for ws"]),
    ("a language without its applications", "", {"a": [CASES, REQUESTS, CARGO]}, 1, "4 passed, 1 failed, 0 skipped",
     ["`make test-a` must run `tools/http a`"]),
    ("a language that has none", "true", {"c": [CASES, REQUESTS, C]}, 0, "3 passed, 0 failed, 0 skipped", []),
    ("conformance of nothing", "", {"a": ["conformance: 0 cases", REQUESTS, SUITE, CARGO]}, 1, "4 passed, 1 failed, 0 skipped", ["[0]"]),
    ("no test", "", {"a": [*SETS, CARGO_NONE]}, 1, "1 passed, 1 failed, 0 skipped", ["no test ran"]),
    ("pytest", "true", {"a": [*SETS, PYTEST]}, 0, "6 passed, 0 failed, 0 skipped", ["5 passed"]),
    ("pytest fails", "", {"a": [*SETS, PYTEST_FAILED, 1]}, 1, "4 passed, 4 failed, 2 skipped", ["3 passed, 4 failed, 2 skipped"]),
    ("pytest finds nothing", "", {"a": [*SETS, PYTEST_NONE, 5]}, 1, "1 passed, 1 failed, 0 skipped", ["no test ran"]),
    ("go", "true", {"a": [*SETS, *GO, *GO]}, 0, "3 passed, 0 failed, 0 skipped", ["2 passed"]),
    ("go fails", "", {"a": [*SETS, *GO_FAILED, 1]}, 1, "2 passed, 1 failed, 1 skipped", ["1 passed, 1 failed, 1 skipped"]),
    ("node", "true", {"a": [*SETS, *NODE, *NODE]}, 0, "9 passed, 0 failed, 0 skipped", ["8 passed"]),
    ("dotnet", "true", {"a": [*SETS, DOTNET]}, 0, "5 passed, 0 failed, 0 skipped", ["4 passed"]),
    ("dotnet fails", "", {"a": [*SETS, DOTNET_FAILED, 1]}, 1, "3 passed, 1 failed, 3 skipped", ["2 passed, 1 failed, 3 skipped"]),
    ("in place of dotnet", "", {"a": [*SETS, "6 passed, 1 failed", 1]}, 1, "7 passed, 1 failed, 0 skipped", ["6 passed, 1 failed"]),
    ("node fails", "", {"a": [*SETS, *NODE_FAILED, 1]}, 1, "3 passed, 4 failed, 3 skipped", ["2 passed, 4 failed, 3 skipped"]),
    ("phpunit", "true", {"a": [*SETS, PHPUNIT]}, 0, "8 passed, 0 failed, 0 skipped", ["7 passed"]),
    ("phpunit fails", "", {"a": [*SETS, *PHPUNIT_FAILED, 1]}, 1, "6 passed, 3 failed, 1 skipped", ["5 passed, 3 failed, 1 skipped"]),
    ("phpunit skips", "", {"a": [*SETS, "OK, but incomplete, skipped, or risky tests!", "Tests: 2, Assertions: 1, Skipped: 1."]}, 0,
     "2 passed, 0 failed, 1 skipped", ["1 passed, 1 skipped"]),
    ("surefire", "true", {"a": [*SETS, *SUREFIRE, *SUREFIRE]}, 0, "9 passed, 0 failed, 0 skipped", ["8 passed"]),
    ("surefire fails", "", {"a": [*SETS, *SUREFIRE_FAILED, 1]}, 1, "5 passed, 3 failed, 2 skipped", ["4 passed, 3 failed, 2 skipped"]),
    ("an unknown runner", "", {"a": [*SETS, "3 tests were fine"]}, 1, "1 passed, 1 failed, 0 skipped", ["no counter in"]),
    ("counts differ", "", {"a": GOOD, "b": ["conformance: 6 cases", REQUESTS, SUITE, CARGO]}, 1, "7 passed, 1 failed, 0 skipped",
     ["must run all: a 7, b 6"]),
    ("an ignored test", "", {"a": [*SETS, CARGO_IGNORED]}, 0, "3 passed, 0 failed, 1 skipped", ["2 passed, 1 skipped"]),
    ("an ignored test in CI", "true", {"a": [*SETS, CARGO_IGNORED]}, 1, "3 passed, 1 failed, 0 skipped",
     ["FAILED: 2 passed, 1 failed: 1 skipped, which CI=true forbids"]),
    ("a skipped language", "", {"a": GOOD, "b": "missing"}, 0, "4 passed, 0 failed, 1 skipped", ["1 skipped: apt-get install b"]),
    ("a skipped language in CI", "true", {"a": GOOD, "b": "missing"}, 1, "4 passed, 1 failed, 0 skipped",
     ["FAILED: 1 failed: 1 skipped, which CI=true forbids; apt-get install b"]),
]

# The real `need` asks for these of Rust
RUST_COMMANDS = ["cargo", "cc"]


class RunTests(unittest.TestCase):
    def test_table(self):
        for note, ci, languages, exit_code, last_line, parts in RUNS:
            with self.subTest(note):
                result = run_tests(languages, ci)
                self.assertEqual(result.stdout.splitlines()[-1], last_line, result.stdout)
                self.assertEqual(result.returncode, exit_code, result.stdout)
                for part in parts:
                    self.assertIn(part, result.stdout.split("language", 1)[1])

    def test_failing_check(self):
        result = run_tests({"a": GOOD}, "", check="echo crooked; exit 5")
        self.assertEqual(result.stdout.splitlines()[-1], "3 passed, 1 failed, 0 skipped")
        self.assertEqual(result.returncode, 1)

    def test_output_is_shown_and_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            result = run_tests({"a": GOOD}, "", folder=folder)
            kept = Path(folder, "target/test/a.log").read_text()
        self.assertIn(CARGO, kept)
        self.assertIn(kept, result.stdout)

    def test_a_process_left_behind_does_not_hold_up_the_rest(self):
        with tempfile.TemporaryDirectory() as folder:
            result = run_tests({"a": GOOD}, "", check="sleep 600 & echo $$! >left", folder=folder)
            left = int(Path(folder, "left").read_text())
            os.kill(left, 9)  # fails if the process has ended, and so was waited for
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_nothing_is_read_from_the_terminal(self):
        result = run_tests({"a": GOOD}, "", check="! read line")
        self.assertEqual(result.returncode, 0, result.stdout)


class Need(unittest.TestCase):
    def test_present(self):
        self.assertEqual(need("rust", RUST_COMMANDS).returncode, 0)

    def test_missing_and_not_root(self):
        result = need("rust", ["cargo"], user="1000")
        self.assertEqual((result.returncode, result.stdout), (77, "SKIP rust: apt-get install gcc libc6-dev, and Rust from https://rustup.rs\n"))

    def test_missing_and_no_apt(self):
        self.assertEqual(need("rust", ["cargo"], user="0").returncode, 77)

    def test_root_installs(self):
        self.assertEqual(need("rust", ["cargo"], user="0", apt="cc").returncode, 0)

    def test_root_installs_in_vain(self):
        result = need("rust", ["cargo"], user="0", apt="something-else")
        self.assertEqual(result.returncode, 77)
        self.assertTrue(result.stdout.startswith("SKIP rust: "), result.stdout)

    def test_unknown_language(self):
        result = need("klingon", RUST_COMMANDS)
        self.assertEqual(result.returncode, 2)
        self.assertIn("no entry in tools/need", result.stderr)


class Tidy(unittest.TestCase):
    REVIEWED = "unsafe {}\n" * 2
    # note, text of core/src/lib.rs, a part of the complaint or None, text of es256/src/ifma.rs if it is not the reviewed one
    TABLE = [
        ("fine", "#![forbid(unsafe_code)]\n", None),
        ("one more", "#![forbid(unsafe_code)]\n", "two unsafe blocks were reviewed", "unsafe {}\n" * 3),
        ("fine at the limit", "#![forbid(unsafe_code)]\n" + "\n" * 449, None),
        ("too long", "#![forbid(unsafe_code)]\n" + "\n" * 450, "core/src/lib.rs: 451 lines"),
        ("not forbidden", "//! Library\n", "core/src/lib.rs: write #![forbid(unsafe_code)]"),
        ("used", "#![forbid(unsafe_code)]\nunsafe {}\n", "core/src/lib.rs:2:unsafe {}"),
    ]

    def test_table(self):
        for note, text, complaint, *exception in self.TABLE:
            with self.subTest(note), tempfile.TemporaryDirectory() as folder:
                Path(folder, "Cargo.toml").write_text('members = [\n    "core",  # the product\n    "cli",\n    "es256",\n    "ffi-c",\n]\n')
                roots = [("core", ""), ("cli", "#![forbid(unsafe_code)]\n"), ("es256", "#![deny(unsafe_code)]\n"), ("ffi-c", "unsafe {}\n")]
                for crate, root in roots:
                    source = Path(folder, crate, "src")
                    source.mkdir(parents=True)
                    (source / "lib.rs").write_text(root)
                Path(folder, "core/src/lib.rs").write_text(text)
                Path(folder, "es256/src/ifma.rs").write_text("".join(exception) or self.REVIEWED)
                result = subprocess.run([copied("tidy", folder)], capture_output=True, text=True)
                self.assertEqual(result.returncode, 1 if complaint else 0, result.stderr)
                self.assertIn(complaint or "", result.stderr)


def run_tests(languages, ci, check="true", folder=None):
    """run-tests with one check and these languages, each a list of printed lines and perhaps an exit code, or "missing"."""
    if folder is None:
        with tempfile.TemporaryDirectory() as scratch:
            return run_tests(languages, ci, check, scratch)
    recipes = [f"check:\n\t@{check}\n"]
    for name, output in languages.items():
        lines = [step if isinstance(step, str) else f"exit {step}" for step in output if output != "missing"]
        lines = [line if line.startswith("exit") else f"printf '%s\\n' '{line}'" for line in lines]
        recipes.append(f"test-{name}:\n" + "".join(f"\t@{line}\n" for line in lines))
    Path(folder, "Makefile").write_text("\n".join(recipes))
    script = copied("run-tests", folder)
    missing = "|".join(name for name, output in languages.items() if output == "missing") or "none"
    executable(script.parent / "need", f'#!/bin/sh\ncase $1 in {missing}) echo "SKIP $1: apt-get install $1"; exit 77;; esac\n')
    return subprocess.run(
        [script, "check", "--", *languages],
        cwd=folder,
        env={**os.environ, "CI": ci, "CARGO_TARGET_DIR": "target"},
        input="a line that no recipe may read\n",
        capture_output=True,
        text=True,
    )


def need(language, commands, user="1000", apt=None):
    """need, if only these commands exist, `user` is the user's number, and apt-get, if any, installs the command `apt`."""
    with tempfile.TemporaryDirectory() as folder:
        for command in commands:
            executable(Path(folder, command), "#!/bin/sh\n")
        executable(Path(folder, "id"), f"#!/bin/sh\necho {user}\n")
        if apt:
            executable(Path(folder, "apt-get"), f"#!/bin/sh\necho '#!/bin/sh' >{folder}/{apt}\n{shutil.which('chmod')} +x {folder}/{apt}\n")
        return subprocess.run([TOOLS / "need", language], env={"PATH": folder}, capture_output=True, text=True)


def copied(script, folder):
    (Path(folder) / "tools").mkdir()
    return Path(shutil.copy(TOOLS / script, Path(folder) / "tools"))


def executable(path, text):
    path.write_text(text)
    path.chmod(0o755)


if __name__ == "__main__":
    unittest.main()
