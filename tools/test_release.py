"""Tests of what releases are made with: version, notices, abi, publish, and the workflows that call them."""

import importlib.machinery
import importlib.util
import json
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def run(*command, cwd=ROOT):
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True)


def module(name):
    """A script without `.py` as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(TOOLS / name))
    made = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(made)
    return made


class Scratch(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)


class Version(Scratch):
    def test_everything_has_one_version(self):
        done = run("tools/version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_new_one_is_written_everywhere(self):
        places = list(module("version").places())
        self.assertGreater(len(places), 20)
        for path, _ in places:
            copy = self.folder / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        (self.folder / "tools").mkdir()
        shutil.copy(TOOLS / "version", self.folder / "tools")
        for command in (["git", "init", "-q"], ["git", "add", "."]):
            self.assertEqual(run(*command, cwd=self.folder).returncode, 0)
        old = run("tools/version", cwd=self.folder).stdout.strip()

        (self.folder / "bindings-node/package.json").write_text('{\n  "version": "0.0.1",\n}')
        done = run("tools/version", cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"bindings-node/package.json: 0.0.1, and Cargo.toml has {old}: run tools/version {old}", done.stderr)

        self.assertEqual(run("tools/version", "98.7.6-rc.1", cwd=self.folder).stdout, "98.7.6-rc.1\n")
        self.assertEqual(run("tools/version", cwd=self.folder).returncode, 0)
        left = run("git", "grep", "-n", "-A1", "-E", "pomerium-jwt(-[a-z0-9]+)?\"?(</artifactId>|,)$", "--", ":!tools", cwd=self.folder).stdout
        self.assertNotRegex(left, rf"[^0-9.]{re.escape(old)}[^0-9.]")
        # Only these places hold it: a manifest that is not in the list would keep its old version
        for name in run("git", "ls-files", "*/package.json", "*.props", "*/pom.xml", "*/go.mod").stdout.split():
            text = (ROOT / name).read_text()
            if re.search(rf"(pomerium-jwt\S*\s+v|pomerium-jwt[a-z-]*</artifactId>\s+<version>|<Version>|^  \"version\": \"){re.escape(old)}", text, re.MULTILINE):
                self.assertIn(ROOT / name, [path for path, _ in places], "tools/version does not know it")

    def test_what_is_not_a_version(self):
        for text in ("v1.2.3", "1.2", "1.2.3; rm", "--help"):
            self.assertEqual(run("tools/version", text).returncode, 2, text)


class Notices(Scratch):
    def test_what_is_linked_and_nothing_else(self):
        for again in ("one", "two"):
            done = run("tools/notices", "pomerium-jwt-ffi", "x86_64-unknown-linux-gnu", self.folder / again)
            self.assertEqual(done.returncode, 0, done.stderr)
        for path in sorted((self.folder / "one").iterdir()):
            self.assertEqual(path.read_bytes(), (self.folder / "two" / path.name).read_bytes())
            self.assertFalse(str(Path.home()) in path.read_text(), path)
        sbom = json.loads((self.folder / "one/sbom.cdx.json").read_text())
        names = {one["name"] for one in sbom["components"]}
        self.assertLessEqual({"ring", "rustls", "p256", "serde_json", "pomerium-jwt"}, names)
        # A procedural macro, a build script's, another system's, another package's
        self.assertFalse({"serde_derive", "cc", "windows-sys", "clap", "pyo3"} & names)
        notices = (self.folder / "one/THIRD-PARTY-NOTICES.txt").read_text()
        self.assertEqual(re.findall(r"(?m)^pomerium-jwt.*", notices), [])
        # Rust's own, BoringSSL's in ring, and what that has from others
        for part in ("The Rust standard library", "BoringSSL", "the fiat-crypto authors"):
            self.assertTrue(part in notices, part)  # assertIn would print them all
        for component in sbom["components"]:
            if not component["name"].startswith("pomerium-jwt"):
                self.assertEqual([one["alg"] for one in component["hashes"]], ["SHA-256"])

    def test_a_crate_that_does_not_exist(self):
        self.assertNotEqual(run("tools/notices", "no-such-crate", "host", self.folder).returncode, 0)


class Abi(unittest.TestCase):
    HEADER = (ROOT / "include/pomerium_jwt.h").read_text()

    def test_what_breaks_programs(self):
        broken = module("abi").broken
        self.assertEqual(len(module("abi").functions(self.HEADER)), len((ROOT / "ffi-c/exports.txt").read_text().split()))
        for before, after, complaint in [
            ("", "", None),
            ("int32_t pomerium_jwt_code_kind(int32_t", "int32_t pomerium_jwt_code_kind(int64_t", "the function pomerium_jwt_code_kind was"),
            ("pomerium_jwt_code_kind(", "pomerium_jwt_kind_of(", "the function pomerium_jwt_code_kind has gone"),
            ("POMERIUM_JWT_PASSED = -1", "POMERIUM_JWT_PASSED = -2", "the constant POMERIUM_JWT_PASSED was `-1` and is `-2`"),
        ]:
            changed = self.HEADER.replace(before, after) if before else self.HEADER
            self.assertEqual(changed == self.HEADER, complaint is None, f"the header does not hold {before!r}")
            found = list(broken(self.HEADER, changed))
            self.assertEqual([one[: len(complaint or "")] for one in found], [complaint] if complaint else [], found)

    def test_a_function_may_be_added(self):
        added = self.HEADER.replace("uint32_t pomerium_jwt_abi_version(void);", "uint32_t pomerium_jwt_abi_version(void);\nvoid pomerium_jwt_new(void);")
        self.assertNotEqual(added, self.HEADER)
        self.assertEqual(list(module("abi").broken(self.HEADER, added)), [])


class Dist(unittest.TestCase):
    def test_parts_may_follow_the_target(self):
        """As `make dist` writes them."""
        done = run("tools/dist", "target/none", "--target", "aarch64-unknown-linux-gnu", "c", "no-such-part")
        self.assertEqual(done.returncode, 2)
        self.assertTrue(done.stderr.endswith("error: no such part: no-such-part\n"), done.stderr)

    def test_binutils_for_another_processor(self):
        dist = module("dist")
        own = dist.own_target().split("-")[0]
        other = {"x86_64": "aarch64", "aarch64": "x86_64"}[own]
        self.assertEqual(dist.binutils(f"{own}-unknown-linux-musl"), {})
        self.assertEqual(dist.binutils(f"{other}-unknown-linux-gnu")["AR"], f"{other}-linux-gnu-ar")

    def test_musl_has_shared_libraries_and_a_static_command(self):
        flags = module("dist").flags
        self.assertIn("-crt-static", flags("x86_64-unknown-linux-musl"))
        for triple, static in [("x86_64-unknown-linux-musl", True), ("x86_64-unknown-linux-gnu", True), ("x86_64-unknown-linux-gnu", False)]:
            self.assertNotIn("crt-static", flags(triple, static))

    def test_the_oldest_rust_stands_in_the_table_of_platforms(self):
        oldest = re.search(r'^rust-version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
        self.assertIn(f"| Rust | {oldest} |", (ROOT / "docs/platforms.md").read_text())


class Workflows(unittest.TestCase):
    def test_steps_are_make_targets_and_scripts_of_this_repository(self):
        self.assertGreaterEqual(len(WORKFLOWS), 2)
        targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        for path in WORKFLOWS:
            for command in re.findall(r"^\s+(?:- )?run: (?!\{)(.+)$", path.read_text(), re.MULTILINE):
                command = command.removeprefix('sudo --preserve-env env "PATH=$PATH" "HOME=$HOME" ')
                make = re.match(r"make ([a-z0-9-]+)", command)
                known = make[1] in targets if make else re.match(r"tools/|\.ci/run", command) and (ROOT / command.split()[0]).exists()
                self.assertTrue(known, f"{path.name}: {command}")

    def test_platforms_and_parts_are_those_of_dist(self):
        dist = module("dist")
        release = (ROOT / ".github/workflows/release.yml").read_text()
        self.assertEqual(re.findall(r"platform: ([a-z0-9_-]+),", release), list(dist.TARGETS))
        parts = [part for listed in re.findall(r"make dist.* PARTS='(.+)'", release) for part in listed.split()]
        self.assertEqual(sorted(parts), sorted(dist.PARTS))
        node = json.loads((ROOT / "bindings-node/package.json").read_text())["platforms"]
        self.assertEqual(sorted(target.node for target in dist.TARGETS.values()), sorted(node))

    def test_permissions_are_named(self):
        for path in WORKFLOWS:
            self.assertIn("\npermissions:\n  contents: read\n", path.read_text(), path.name)
            self.assertNotIn("pull_request_target", path.read_text(), "it runs foreign code with our rights")

    def test_crates_are_published_in_their_order(self):
        order = re.search(r"for crate in (.+); do", (TOOLS / "publish").read_text())[1].split()
        self.assertEqual(order, list(module("package-rust").CRATES))


if __name__ == "__main__":
    unittest.main()
