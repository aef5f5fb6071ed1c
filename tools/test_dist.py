"""Opens what `tools/dist` has built, and installs it as a stranger would: test_dist.py FOLDER PART... [-k TEST]

The PARTs, as tools/dist has them, must be there. What there is of others is tested too.
"""

import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import urllib.error
import urllib.request
import venv
import zipfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
VERSION = subprocess.run([ROOT / "tools/version"], check=True, capture_output=True, text=True).stdout.strip()
EXPORTS = (ROOT / "ffi-c/exports.txt").read_text().split()
OLDEST_GLIBC = (2, 17)
# This machine in the names of Rust, Python, Node and NuGet
MACHINE = platform.machine()
TRIPLE = f"{MACHINE}-unknown-linux-gnu"
NODE, NUGET = {"x86_64": ("linux-x64-gnu", "linux-x64"), "aarch64": ("linux-arm64-gnu", "linux-arm64")}[MACHINE]
NUGET_PROJECT = """<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net8.0</TargetFramework>
    <RollForward>Major</RollForward>
    <OutputType>Exe</OutputType>
    <ImplicitUsings>enable</ImplicitUsings>
    <RestoreSources>{source}</RestoreSources>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Pomerium.Jwt" Version="{version}" />
  </ItemGroup>
</Project>
"""
FOLDER, PARTS = Path("target/artifacts"), []

# Kind of package, as a pattern below FOLDER -> what each must hold. `*` is any text
NOTICES = ["*LICENSE", "*THIRD-PARTY-NOTICES.txt", "*sbom.cdx.json"]
DEMANDED = {
    "archives/libpomerium_jwt-*.tar.gz": [*NOTICES, "*/lib/libpomerium_jwt.so.*", "*/lib/libpomerium_jwt.a", "*/include/pomerium_jwt.h",
                                          "*/lib/pkgconfig/pomerium_jwt.pc", "*/lib/cmake/pomerium_jwt/pomerium_jwt-config.cmake"],
    "archives/pomerium-jwt-*.tar.gz": [*NOTICES, "*/pomerium-jwt*", "*/README.md"],
    "python/*.whl": ["*.dist-info/licenses/LICENSE", "*.dist-info/licenses/THIRD-PARTY-NOTICES.txt", "*.dist-info/sboms/sbom.cdx.json"],
    "python/*linux*.whl": ["*/_native.abi3.so"],
    "python/*.tar.gz": ["*/LICENSE", "*/PKG-INFO", "*/Cargo.lock"],
    "node/pomerium-jwt-[0-9]*.tgz": ["package/LICENSE", "package/README.md", "package/dist/index.js"],
    "node/pomerium-jwt-[a-z]*.tgz": [*NOTICES, "package/*.node"],
    "go/module": ["LICENSE", "go.mod", "pomerium_jwt.h", "grpc/LICENSE", "lib/*/LICENSE", "lib/*/THIRD-PARTY-NOTICES.txt", "lib/*/sbom.cdx.json",
                  "lib/*/libpomerium_jwt.a"],
    "java/io/github/pomerium-jwt/pomerium-jwt/*/pomerium-jwt-*[0-9].jar": [
        "META-INF/LICENSE", *(f"io/github/pomeriumjwt/native/*/{file}" for file in ("libpomerium_jwt.so", "THIRD-PARTY-NOTICES.txt", "sbom.cdx.json"))],
    "csharp": ["LICENSE", *(f"*/Pomerium.Jwt/{file}" for file in ("runtimes/*/native/libpomerium_jwt.so", "notices/*/THIRD-PARTY-NOTICES.txt",
                                                                  "notices/*/sbom.cdx.json"))],
    "php": ["LICENSE", "README.md", "composer.json", "src/*.php"],
    "rust/*.crate": ["*/LICENSE", "*/README.md", "*/Cargo.toml"],
}


def packages():
    """(pattern, package, its files) of everything that was built."""
    for pattern in DEMANDED:
        for path in sorted(FOLDER.glob(pattern)):
            yield pattern, path, contents(path)


def part_of(pattern):
    """What tools/dist calls it."""
    place, _, name = pattern.partition("/")
    return {"archives": "c" if name.startswith("lib") else "cli", "natives": "c"}.get(place) or ("sdist" if name == "*.tar.gz" else place)


def contents(path):
    """Name -> bytes of the files of a folder or an archive; links are left out."""
    if path.is_dir():
        return {one.relative_to(path).as_posix(): one.read_bytes() for one in path.rglob("*") if one.is_file() and not one.is_symlink()}
    if path.suffix in (".whl", ".jar", ".nupkg"):
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    with tarfile.open(path) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}


def natives():
    """(package and name, bytes) of every shared library and program for Linux."""
    for _, path, files in packages():
        for name, content in files.items():
            if content[:4] == b"\x7fELF" and not name.endswith(".o"):
                yield f"{path.name}: {name}", content


def shown(file, table):
    """The symbols that a library gives to others. By readelf, since nm knows only this machine's architecture."""
    lines = [line.split() for line in run("readelf", table, "--wide", file).splitlines()]
    return sorted(line[7].split("@")[0] for line in lines if len(line) >= 8 and line[4] in ("GLOBAL", "WEAK") and line[6] != "UND")


def section(content, name):
    """The bytes of one section of an ELF file; none if there is no such section."""
    with written(content) as file:
        for line in run("readelf", "--sections", "--wide", file).splitlines():
            if found := re.search(rf" {re.escape(name)} +\S+ +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) ", line):
                offset, size = (int(number, 16) for number in found.groups())
                return content[offset : offset + size]
    return b""


def run(*command, cwd=None, **variables):
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=os.environ | variables, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def written(content):
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.name


class Opened(unittest.TestCase):
    """What each package holds."""

    def test_something_is_there(self):
        built = {part_of(pattern) for pattern, *_ in packages()}
        self.assertEqual(set(PARTS) - built, set(), f"{FOLDER} lacks them: make dist")

    def test_the_licence_the_notices_and_the_sbom(self):
        for pattern, path, files in packages():
            for demanded in DEMANDED[pattern]:
                with self.subTest(package=path.name, file=demanded):
                    regex = re.compile(".*".join(map(re.escape, demanded.split("*"))))
                    self.assertTrue([name for name in files if regex.fullmatch(name)], sorted(files)[:40])
            licences = [content for name, content in files.items() if name.split("/")[-1] == "LICENSE"]
            self.assertTrue((ROOT / "LICENSE").read_bytes() in licences, path)

    def test_the_version(self):
        for _, path, _ in packages():
            if path.is_file():
                self.assertIn(f"-{VERSION}", path.name.replace(f"-{VERSION.replace('-rc.', 'rc')}", f"-{VERSION}"), path)

    def test_notices_and_sbom_name_the_same_crates(self):
        for _, path, files in packages():
            for name in [name for name in files if name.endswith("sbom.cdx.json")]:
                sbom = json.loads(files[name])
                crates = {f"{one['name']} {one['version']}" for one in sbom["components"] if not one["name"].startswith("pomerium-jwt")}
                notices = files[name.replace("/sboms/", "/licenses/").removesuffix("sbom.cdx.json") + "THIRD-PARTY-NOTICES.txt"].decode()
                with self.subTest(package=path.name, sbom=name):
                    self.assertGreater(len(crates), 50)
                    listed = set(re.findall(r"^(\S+ \d\S+): ", notices.split("=" * 80)[0], re.MULTILINE))
                    self.assertEqual(listed, crates)
                    for licence in ("Apache License", "Permission is hereby granted", "BoringSSL", "LLVM Exceptions", "Neither the name"):
                        self.assertTrue(licence in notices, licence)

    def test_each_binary_lists_its_crates(self):
        """As cargo-auditable writes them into the section .dep-v0, for scanners of images and of files without a package."""
        for name, content in natives():
            with self.subTest(name=name):
                crates = {(one["name"], one["source"]) for one in json.loads(zlib.decompress(section(content, ".dep-v0")))["packages"]}
                self.assertLessEqual({("pomerium-jwt", "local"), ("ring", "crates.io"), ("rustls", "crates.io"), ("p256", "crates.io")}, crates)

    def test_it_runs_with_an_old_glibc_and_without_libgcc(self):
        for name, content in natives():
            with self.subTest(name=name), written(content) as file:
                needed = re.findall(r"NEEDED.*\[(.+)\]", run("readelf", "--dynamic", "--wide", file))
                self.assertNotIn("libgcc_s.so.1", needed)
                wanted = {tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_([\d.]+)", run("readelf", "--version-info", "--wide", file))}
                self.assertLessEqual(max(wanted, default=(0,)), OLDEST_GLIBC + (99,))

    def test_no_path_of_the_machine_that_built_it(self):
        for _, package, files in packages():
            for name, content in files.items():
                for path in {str(ROOT), str(Path.home() / ".cargo"), str(TARGET)}:
                    with self.subTest(package=package.name, name=name):
                        self.assertEqual(content.count(path.encode()), 0, path)

    def test_the_c_library_shows_its_functions_alone(self):
        seen = 0
        for name, content in natives():
            if "libpomerium_jwt.so" not in name:
                continue
            seen += 1
            with self.subTest(name=name), written(content) as file:
                self.assertEqual(shown(file, "--dyn-syms"), EXPORTS, "ffi-c/exports.txt")
                section = run("readelf", "--dynamic", "--wide", file)
                self.assertIn(f"soname: [libpomerium_jwt.so.{VERSION.split('.')[0]}]", section)
                self.assertIn("NODELETE", section)
        for _, path, files in packages():
            for name, content in files.items():
                if name.endswith("libpomerium_jwt.a"):
                    with self.subTest(package=path.name, name=name), written(content) as file:
                        self.assertEqual(shown(file, "--symbols"), EXPORTS)
        self.assertGreater(seen, 0 if "c" in PARTS else -1)


class Installed(unittest.TestCase):
    """Each by its own tool into an empty project, where it runs a program. Without a network."""

    def setUp(self):
        self.place = Path(tempfile.mkdtemp(prefix="pomerium-jwt-dist-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.issuer = subprocess.Popen([TARGET / "debug/pomerium-jwt", "issuer", "--until-stdin-closes"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.issuer.__exit__, None, None, None)
        self.route = self.issuer.stdout.readline().removeprefix("ready ").strip()
        with urllib.request.urlopen(f"{self.route}/mint?sub=alice&email=alice@example.com") as answer:
            self.token = answer.read().decode()

    def package(self, pattern):
        found = sorted(FOLDER.glob(pattern))
        if not found:
            self.assertNotIn(part_of(pattern), PARTS, f"{pattern} is not built")
            self.skipTest(f"{FOLDER}/{pattern} is not built")
        return found

    def needs(self, *tools):
        if missing := [tool for tool in tools if not shutil.which(tool)]:
            self.skipTest(f"{' and '.join(missing)} is not installed")

    def verifies(self, *command, **variables):
        """A program that prints the subject and the e-mail address, or why the token on its input is refused."""
        for token, expected in [(self.token, (0, "alice alice@example.com\n")), (self.token[:-1], (1, ""))]:
            done = subprocess.run([str(word) for word in command], cwd=self.place, input=token, capture_output=True, text=True,
                                  env=os.environ | {"POMERIUM_JWT_ROUTE": self.route} | variables)
            self.assertEqual((done.returncode, done.stdout), expected, done.stderr)
        self.assertIn("token_malformed", done.stderr)

    def test_npm(self):
        main, addon = self.package("node/pomerium-jwt-[0-9]*.tgz"), self.package(f"node/pomerium-jwt-{NODE}-*.tgz")
        (self.place / "package.json").write_text('{ "private": true }')
        run("npm", "install", "--offline", "--no-audit", "--no-fund", "--cache", self.place / "cache", *main, *addon, cwd=self.place)
        shutil.copy(ROOT / "examples/node/verify.mjs", self.place)
        self.verifies("node", "verify.mjs")

    def test_pip(self):
        [wheel] = self.package(f"python/*manylinux*{MACHINE}.whl")
        venv.create(self.place / "venv", with_pip=True)
        run(self.place / "venv/bin/python", "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check", wheel)
        shutil.copy(ROOT / "examples/python/verify.py", self.place)
        self.verifies(self.place / "venv/bin/python", "verify.py")

    def test_the_c_library(self):
        self.needs("cc", "pkg-config")
        [archive] = self.package(f"archives/libpomerium_jwt-*-{TRIPLE}.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(self.place, filter="data")
        prefix = self.place / archive.name.removesuffix(".tar.gz")
        (self.place / "verify.c").write_text((ROOT / "examples/c/verify.c").read_text())
        for line in re.findall(r"^cc .*", (ROOT / "ffi-c/README.md").read_text(), re.MULTILINE):
            with self.subTest(line=line):
                run("sh", "-ec", line, cwd=self.place, PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"))
                self.verifies(self.place / "verify", LD_LIBRARY_PATH=str(prefix / "lib"))

    def test_the_command(self):
        [archive] = self.package(f"archives/pomerium-jwt-*-{TRIPLE}.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(self.place, filter="data")
        command = self.place / archive.name.removesuffix(".tar.gz") / "pomerium-jwt"
        done = subprocess.run([command, "verify", "--route", self.route], input=self.token, capture_output=True, text=True)
        self.assertEqual((done.returncode, json.loads(done.stdout)["email"]), (0, "alice@example.com"), done.stderr)
        self.assertEqual(run(command, "--version").split()[-1], VERSION)

    def test_the_static_command(self):
        """On musl it needs nothing: it runs where there is not one other file, as in an image made FROM scratch."""
        archive = next(FOLDER.glob(f"archives/pomerium-jwt-*-{MACHINE}-unknown-linux-musl.tar.gz"), None)
        if not archive:
            self.skipTest(f"it is not built: make dist PLATFORM={MACHINE}-unknown-linux-musl")
        with tarfile.open(archive) as packed:
            packed.extractall(self.place, filter="data")
        root = self.place / "root"
        root.mkdir()
        command = (self.place / archive.name.removesuffix(".tar.gz") / "pomerium-jwt").rename(root / "pomerium-jwt")
        for line in run("readelf", "--dynamic", "--program-headers", "--wide", command).splitlines():
            self.assertNotRegex(line, "NEEDED|INTERP")
        own_user = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
        inside = [*own_user, "chroot", root, "/pomerium-jwt"]
        self.assertIn("alice", run(*inside, "demo"))
        with subprocess.Popen([*map(str, inside), "serve", "--listen", "127.0.0.1:0", "--route", self.route], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as server:
            self.addCleanup(server.kill)
            address = server.stdout.readline().split()[-1]
            for token, status in [(self.token, 200), (self.token[:-1], 401)]:
                request = urllib.request.Request(f"{address}/auth", headers={"X-Pomerium-Jwt-Assertion": token})
                with contextlib.closing(opened(request)) as answer:
                    self.assertEqual(answer.status, status)
            server.terminate()

    def test_go(self):
        """From a proxy that is a folder, with the modules in the archives that a proxy makes of tags."""
        self.needs("go", "cc")
        [module] = self.package("go/module")
        proxy = self.place / "proxy"
        for tag in (FOLDER / "go/tags").read_text().split():
            folder, _, version = tag.rpartition("/")
            if folder != "grpc":
                serve(proxy, module, folder, version)
        shutil.copytree(ROOT / "examples/go/verify", self.place / "verify")
        name = "github.com/pomerium-jwt/pomerium-go"
        (self.place / "go.mod").write_text(f"module example.com/stranger\n\ngo 1.24\n\nrequire {name} v{VERSION}\n")
        go = {"GOPROXY": proxy.as_uri(), "GONOSUMDB": "*", "GOFLAGS": "-mod=mod -modcacherw", "GOMODCACHE": str(self.place / "cache"), "PKG_CONFIG": "/none"}
        run("go", "build", "-o", "stranger", "./verify", cwd=self.place, **go)
        self.verifies(self.place / "stranger")

    def test_maven(self):
        """By clients/java/stranger, a project that has nothing of ours but this repository."""
        self.needs("mvn")
        self.package("java/io/github/pomerium-jwt")
        run(ROOT / "clients/java/stranger", FOLDER / "java", self.place / "stranger")

    def test_java(self):
        """By a Java alone, of each version that is here: the jar, and on those before 22 JNA as Maven has downloaded it."""
        [jar] = self.package("java/io/github/pomerium-jwt/pomerium-jwt/*/pomerium-jwt-*[0-9].jar")
        javas = sorted({java.resolve() for java in Path("/usr/lib/jvm").glob("*/bin/java")})
        jna = sorted(Path.home().glob(".m2/repository/net/java/dev/jna/jna/*/jna-*[0-9].jar"))
        if not javas or not jna:
            self.skipTest("there is no Java in /usr/lib/jvm, or no JNA in ~/.m2")
        for java in javas:
            with self.subTest(java=java):
                version = int(re.search(r'version "(\d+)', subprocess.run([java, "-version"], capture_output=True, text=True).stderr)[1])
                path = [jar] if version >= 22 else [jar, jna[-1]]
                self.verifies(java, "--class-path", ":".join(map(str, path)), ROOT / "examples/java/verify/src/main/java/example/Verify.java")

    def test_csharp(self):
        """The projects that are packed, with the native library that they hold. CSHARP_RUN stands in for an SDK, see tools/need."""
        [source] = self.package("csharp")
        if not os.environ.get("CSHARP_RUN"):
            self.needs("dotnet")
        shutil.copytree(source / "clients", self.place / "clients")
        shutil.copytree(ROOT / "examples/csharp/verify", self.place / "examples/csharp/verify")
        [library] = self.place.glob(f"clients/csharp/src/Pomerium.Jwt/runtimes/{NUGET}/native/libpomerium_jwt.so")
        run_it = [self.place / "clients/csharp/run", "examples/csharp/verify", self.route]
        said = run(*run_it, self.token, POMERIUM_JWT_LIBRARY=str(library))
        self.assertEqual(said.splitlines()[-1].split(), ["alice", "alice@example.com"])
        with self.assertRaisesRegex(AssertionError, "token_malformed"):
            run(*run_it, self.token[:-1], POMERIUM_JWT_LIBRARY=str(library))

    def test_nuget(self):
        """The package, which only a .NET SDK makes and installs."""
        self.needs("dotnet")
        [package] = self.package(f"csharp/packages/Pomerium.Jwt.{VERSION}.nupkg")
        (self.place / "Program.cs").write_text((ROOT / "examples/csharp/verify/Program.cs").read_text())
        (self.place / "verify.csproj").write_text(NUGET_PROJECT.format(source=package.parent, version=VERSION))
        run("dotnet", "build", "-c", "Release", "-o", "built", cwd=self.place, NUGET_PACKAGES=str(self.place / "packages"))
        said = run("dotnet", "built/verify.dll", self.route, self.token, cwd=self.place)
        self.assertEqual(said.split(), ["alice", "alice@example.com"])

    def test_composer(self):
        self.needs("composer", "php")
        [package] = self.package("php")
        [library] = self.package(f"natives/{TRIPLE}/lib/libpomerium_jwt.so")
        offline = {"COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_DISABLE_NETWORK": "1"}
        repositories = [{"packagist.org": False}, {"type": "path", "url": str(package), "options": {"symlink": False}}]
        (self.place / "composer.json").write_text(json.dumps({"repositories": repositories, "minimum-stability": "dev"}))
        run("composer", "validate", "--strict", "--no-interaction", cwd=package, **offline)
        run("composer", "require", "--no-interaction", "pomerium-jwt/pomerium-jwt:*", cwd=self.place, **offline)
        program = (ROOT / "examples/php/verify.php").read_text()
        (self.place / "verify.php").write_text(re.sub(r"require.*autoload\.php';", "require __DIR__ . '/vendor/autoload.php';", program))
        self.verifies("php", "verify.php", POMERIUM_JWT_LIBRARY=str(library.resolve()))

    def test_under_the_libc_of_debian_11(self):
        """DEBIAN11: a folder in which its package libc6 is unpacked."""
        if not os.environ.get("DEBIAN11"):
            self.skipTest("DEBIAN11 names no folder")
        libc = Path(os.environ["DEBIAN11"]) / "lib/x86_64-linux-gnu"
        [archive] = self.package("archives/pomerium-jwt-*-x86_64-unknown-linux-gnu.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(self.place, filter="data")
        command = self.place / archive.name.removesuffix(".tar.gz") / "pomerium-jwt"
        done = subprocess.run([libc / "ld-linux-x86-64.so.2", "--library-path", libc, command, "verify", "--route", self.route],
                              input=self.token, capture_output=True, text=True)
        self.assertEqual((done.returncode, json.loads(done.stdout or "{}").get("email")), (0, "alice@example.com"), done.stderr)


def opened(request):
    """The answer, whatever its status."""
    try:
        return urllib.request.urlopen(request)
    except urllib.error.HTTPError as refusal:
        return refusal


def serve(proxy, module, folder, version):
    """One module in the form of a module proxy."""
    path = "github.com/pomerium-jwt/pomerium-go" + (f"/{folder}" if folder else "")
    source, target = module / folder, proxy / path / "@v"
    target.mkdir(parents=True)
    (target / "list").write_text(f"{version}\n")
    (target / f"{version}.info").write_text(json.dumps({"Version": version}))
    shutil.copy(source / "go.mod", target / f"{version}.mod")
    nested = [one.parent for one in source.rglob("go.mod") if one.parent != source]
    with zipfile.ZipFile(target / f"{version}.zip", "w") as archive:
        for file in sorted(source.rglob("*")):
            if file.is_file() and not any(file.is_relative_to(one) for one in nested):
                archive.write(file, f"{path}@{version}/{file.relative_to(source)}")


class Reproducible(unittest.TestCase):
    def test_a_second_build_gives_the_same_bytes(self):
        """AGAIN: a folder that another run of tools/dist has written."""
        if not os.environ.get("AGAIN"):
            self.skipTest("AGAIN names no folder")
        again = Path(os.environ["AGAIN"])
        # Maven's list of what was uploaded says when; it is not published
        files = [path for path in sorted(again.rglob("*")) if path.is_file() and path.relative_to(again).parts[0] != "stage"
                 and not path.name.startswith("maven-metadata.xml")]
        self.assertTrue(files, f"{again} holds no package")
        for path in files:
            one = FOLDER / path.relative_to(again)
            with self.subTest(file=str(path.relative_to(again))):
                self.assertTrue(one.exists(), f"{FOLDER} lacks it")
                if path.read_bytes() != one.read_bytes():
                    self.fail(f"differs in {differing(one, path) or 'the order of its files, their dates or rights'}")


def differing(one, other):
    """The names of the files in two archives, or what two files are, that differ."""
    if not any(other.name.endswith(ending) for ending in (".whl", ".jar", ".nupkg", ".tgz", ".tar.gz", ".crate")):
        return other.name
    before, after = contents(one), contents(other)
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    options = sys.argv.index("-k") if "-k" in sys.argv else len(sys.argv)
    FOLDER, PARTS = Path(sys.argv[1]).resolve(), sys.argv[2:options]
    unittest.main(argv=[sys.argv[0], *sys.argv[options:]], verbosity=2)
