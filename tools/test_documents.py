"""Tests of the documents: links and anchors lead somewhere, commands are run by tests, no list has an entry missing."""

import json
import re
import subprocess
import unittest
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = "https://github.com/pomerium-jwt/pomerium-jwt/blob/main/"

# A language's folder, if it is neither clients/LANGUAGE nor bindings-LANGUAGE
FOLDERS = {"rust": "core", "c": "ffi-c"}
# Document -> what its `sh` blocks may say (a pattern), and the test that runs it (a file, and a text in it)
COMMANDS = {
    "README.md": [
        (r"(pomerium-jwt (issuer|verify|inspect|keys|doctor)\b.*)", "cli/tests/cli/readme.rs", "## At a terminal"),
        (r"pomerium-jwt serve .*", "cli/tests/serve/documents.rs", '"README.md"'),
        (r"(pomerium-jwt dev|POMERIUM_JWT_ROUTE=|curl ).*", "bindings-python/tests/test_package.py", "## Try it without Pomerium"),
    ],
    "docs/serve.md": [(r"pomerium-jwt serve .*", "cli/tests/serve/documents.rs", '"docs/serve.md"')],
    "docs/troubleshooting.md": [(r"pomerium-jwt (inspect|keys|doctor) .*", "cli/tests/cli/readme.rs", "troubleshooting.md")],
    "docs/local-development.md": [(r"(pomerium-jwt dev|curl) .*", "cli/tests/cli/readme.rs", "local-development.md")],
    "docs/keys.md": [(r"POMERIUM_JWT_\w+=\S+", "cli/tests/cli/readme.rs", "keys.md")],
    "docs/deployment.md": [(r"POMERIUM_JWT_\w+=\S+", "cli/tests/cli/readme.rs", "deployment.md")],
    "CONTRIBUTING.md": [
        (r"make demo .*", "Makefile", "CHECKS := lint test-tools demo test-serve test-browser"),
        (r"make test .*", ".ci/run", "make test"),
        (r"make help .*", "tools/test_documents.py", 'run("make", "help")'),
        (r"make conformance .*", "conformance/tests/files.rs", "run `make conformance`"),
        (r"make test-rust .*", "Makefile", "LANGUAGES := rust"),
    ],
    "cli/README.md": [
        (r"cargo install pomerium-jwt-cli", "", "until the first release"),
        (r"(pomerium-jwt (issuer|verify|inspect|keys|doctor|demo)\b.*)", "cli/tests/cli/readme.rs", "cli/README.md"),
    ],
    "clients/csharp/README.md": [
        (r"dotnet add package \S+", "", "until the first release"),
        (r"cd examples/csharp/app|dotnet publish .*", "clients/csharp/publish", "publish"),
        (r"POMERIUM_JWT_ROUTE=.* dotnet out/app.dll", "conformance/src/http/applications.rs", "dotnet out/app.dll"),
    ],
    "clients/go/README.md": [(r"go get github\.com/\S+", "", "until the first release")],
    "clients/java/README.md": [
        (r"java --enable-native-access=ALL-UNNAMED -jar app.jar", "clients/java/tests/src/test/java/io/github/pomeriumjwt/ChildJvm.java", '"--enable-native-access=ALL-UNNAMED"'),
    ],
    "bindings-node/README.md": [(r"npm install pomerium-jwt", "", "until the first release")],
    "bindings-python/README.md": [(r"(git clone|pip install) .*", "bindings-python/tests/test_package.py", "commands(README)")],
    "examples/python/README.md": [(r".*", "bindings-python/tests/test_package.py", "test_the_examples_readme_s_commands")],
    "clients/php/README.md": [
        (r"git clone .*|\(cd pomerium-jwt && make install .*", "ffi-c/tests/run.py", '["make", "-s", "install"'),
        (r"composer .*", "clients/php/tests/InstallTest.php", "^composer .*$"),
        (r"POMERIUM_JWT_ROUTE=.* ./serve plain", "conformance/src/http/applications.rs", "./serve plain"),
    ],
    "examples/php/README.md": [
        (r"POMERIUM_JWT_ROUTE=.* ./serve (plain|psr15|(laravel|symfony)/public)", "conformance/src/http/applications.rs", "./serve symfony/public"),
        (r"POMERIUM_JWT_ROUTE=.* php verify.php < token", "clients/php/tests/ReadmeTest.php", "php verify.php <"),
    ],
    "ffi-c/README.md": [
        (r"make install PREFIX=/usr/local|ldconfig", "ffi-c/tests/run.py", '["make", "-s", "install"'),
        (r"cc .*", "ffi-c/tests/run.py", "README.md"),
    ],
    "conformance/http.md": [
        (r"cargo run -p pomerium-jwt-conformance .*", "conformance/tests/http.rs", "one_subject_runs_alone"),
        (r"cargo run -q --locked -p pomerium-jwt-conformance --bin http-sidecar", "conformance/src/http/applications.rs", "--bin http-sidecar"),
    ],
    "conformance/scenarios.md": [(r'curl -fsS .*"\$ISSUER/.*"', "cli/tests/cli/scenarios.rs", "scenarios.md")],
}


@cache
def text(name):
    return (ROOT / name).read_text()


@cache
def documents():
    return run("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md").split()


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def without_code(document):
    return re.sub(r"^(\s*)```.*?^\s*```$", "", document, flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(name):
    """What GitHub makes of a document's headings, and the anchors that it sets itself."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", without_code(text(name)), re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        copies = sum(1 for other in found if re.fullmatch(re.escape(anchor) + r"(-\d+)?", other))
        found.add(f"{anchor}-{copies}" if copies else anchor)
    return found | set(re.findall(r'<a id="([^"]+)">', text(name)))


def broken(name):
    """The links of a document that lead nowhere."""
    prose = re.sub(r"`[^`\n]*`", "", without_code(text(name)))
    for target in re.findall(r"\]\(<?([^)\s>]+)>?\)", prose):
        if target.startswith(OWN):
            path, _, anchor = target.removeprefix(OWN).partition("#")
            file = ROOT / path
        elif re.match(r"[a-z]+:", target):
            continue
        else:
            path, _, anchor = target.partition("#")
            file = (ROOT / name).parent / path if path else ROOT / name
        if not file.exists():
            yield f"{name}: {target}: there is no such file"
        elif anchor and anchor not in anchors(str(file.resolve().relative_to(ROOT))):
            yield f"{name}: {target}: there is no such heading"


def without_applications():
    """No framework, so no application for the HTTP suite."""
    return re.findall(r'"(\w+)"', re.search(r"^WITHOUT_APPLICATIONS = (.+)$", text("tools/run-tests"), re.MULTILINE).group(1))


def languages():
    return re.search(r"^LANGUAGES := (.+)$", text("Makefile"), re.MULTILINE).group(1).split()


def folder(language):
    """Where a language's package is."""
    candidates = [FOLDERS.get(language, ""), f"clients/{language}", f"bindings-{language}"]
    found = [one for one in candidates if one and (ROOT / one).is_dir()]
    return found[0] if found else f"clients/{language}"


def mentions(name, word):
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text(name), re.IGNORECASE) is not None


class Documents(unittest.TestCase):
    def test_links_and_anchors(self):
        self.assertGreater(len(documents()), 15)
        self.assertEqual([link for name in documents() for link in broken(name)], [])

    def test_links_in_programs(self):
        """What a message or a comment says to read."""
        found = run("git", "grep", "-hoIE", re.escape(OWN) + r"[A-Za-z0-9_./-]+", "--", ":!*.md", ":!tools/test_documents.py").split()
        self.assertGreater(len(found), 0)
        for link in found:
            self.assertTrue((ROOT / link.removeprefix(OWN)).exists(), f"{link} leads nowhere")

    def test_a_broken_link_is_noticed(self):
        self.assertIn("token_expired", anchors("docs/errors.md"))
        self.assertIn("route", anchors("docs/options.md"))
        self.assertNotIn("nowhere", anchors("README.md"))

    def test_every_command_is_run_by_a_test(self):
        unknown = []
        for name in documents():
            rules = COMMANDS.get(name, [])
            for block in re.findall(r"^\s*```sh\n(.*?)^\s*```$", text(name), re.MULTILINE | re.DOTALL):
                for line in block.strip().splitlines():
                    if not any(re.fullmatch(pattern, line.strip()) for pattern, *_ in rules):
                        unknown.append(f"{name}: {line.strip()}: write a test that runs it, then name that test in COMMANDS")
            for pattern, file, part in rules:
                if file and part not in text(file):
                    unknown.append(f"{name}: {pattern}: {file} does not hold {part!r} any more")
        self.assertEqual(unknown, [])

    def test_every_make_target_that_is_named_exists(self):
        run("make", "help")  # it parses
        targets = set(re.findall(r"^([a-z][a-z0-9-]*):", text("Makefile"), re.MULTILINE))
        for name in documents():
            for target in re.findall(r"(?:`|^)make (?:-\S+ )*([a-z][a-z0-9-]+)", text(name), re.MULTILINE):
                self.assertTrue(target in targets or target == "test-", f"{name} names `make {target}`, which is not a target")

    def test_every_file_that_is_named_exists(self):
        for name in ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"]:
            for path in re.findall(r"`([\w.-]+/[\w./-]*)`", text(name)):
                is_pattern = path.startswith(("target/", "github.com/")) or "LANGUAGE" in path
                self.assertTrue(is_pattern or (ROOT / path).exists(), f"{name} names {path}, which is not there")

    def test_the_counts_in_security_md_are_those_of_the_tests(self):
        for said, file, count in [
            ("all 262 vectors", "es256/tests/vectors.rs", "assert_eq!(run, 262,"),
            ("| 512 |", "es256/tests/reference.rs", "with_cases(512)"),
            ("2,744 combinations of 14", "es256/src/testing.rs", "EDGES: [Limbs; 14]"),
            ("4,096 random pairs", "es256/src/field.rs", "with_cases(4096)"),
            ("20,480 of each", "es256/tests/differential.rs", "Err(_) => 20_000"),
            ("limb for limb, on extreme and random numbers | 147 and 1,024 |", "es256/src/lanes/tests.rs", "with_cases(1024)"),
            ("27,510 pairs of 1,310 edge values and 21", "es256/src/lanes/tests.rs", "step_by(199)"),
            ("1,310 edge values", "es256/src/field.rs", "LIMBS: [u64; 6]"),
            ("4,096 random ones", "es256/src/inverse.rs", "with_cases(4096)"),
        ]:
            self.assertIn(said, text("SECURITY.md"))
            self.assertIn(count, text(file), f"{file} has changed: correct {said!r} in SECURITY.md, and this test")

    def test_every_metric_is_explained(self):
        sources = "".join(path.read_text() for path in sorted((ROOT / "core/src").rglob("*.rs")))
        metrics = sorted(set(re.findall(r"\bpomerium_jwt_\w+(?:_total|_seconds|_state|_info)\b", sources)))
        self.assertGreaterEqual(len(metrics), 6)
        for metric in metrics:
            self.assertIn(metric, text("docs/deployment.md"), f"docs/deployment.md: say what {metric} means")

    def test_every_document_is_linked_from_the_readme(self):
        for path in sorted((ROOT / "docs").glob("*.md")):
            self.assertIn(f"](docs/{path.name})", text("README.md"), f"README.md does not link to {path.name}")


class Additions(unittest.TestCase):
    """CONTRIBUTING.md lists what belongs to each of them."""

    def test_options_and_codes(self):
        for file, member in [("options.json", "name"), ("codes.json", "code")]:
            for entry in json.loads(text(f"conformance/{file}")):
                self.assertIn(f"`{entry[member]}`", text("CHANGELOG.md"), f"CHANGELOG.md: add `{entry[member]}`")

    def test_languages(self):
        for language in languages():
            place = folder(language)
            for what, is_there in [
                (f"{place}/README.md" if language != "rust" else "core/Cargo.toml", None),
                (f"examples/{language}", None),
                (f"README.md: a row with {place}", place in text("README.md") or language == "rust"),
                (f"ARCHITECTURE.md: a row for `{place}/`", f"`{place}/`" in text("ARCHITECTURE.md")),
                (f"CHANGELOG.md: {language}", mentions("CHANGELOG.md", {"csharp": "C#"}.get(language, language))),
                (f"tools/need: {language})", re.search(rf"^{language}\)", text("tools/need"), re.MULTILINE)),
                (f"Makefile: test-{language}", re.search(rf"^test-{language}:", text("Makefile"), re.MULTILINE)),
                (
                    f'conformance/src/http/applications.rs: an application of "{language}"',
                    f'"{language}"' in text("conformance/src/http/applications.rs") or language in without_applications(),
                ),
                (
                    f"tools/test_documents.py, COMMANDS: {place}/README.md",
                    f"{place}/README.md" in COMMANDS or language == "rust",
                ),
            ]:
                self.assertTrue((ROOT / what).exists() if is_there is None else is_there, f"{language} lacks {what}")

    def test_crates(self):
        members = json.loads(run("cargo", "metadata", "--no-deps", "--offline", "--locked", "--format-version=1"))["packages"]
        for crate in members:
            place = Path(crate["manifest_path"]).parent.relative_to(ROOT)
            self.assertIn(f"`{place}/`", text("ARCHITECTURE.md"), f"ARCHITECTURE.md: add a row for `{place}/`")

    def test_integrations(self):
        """Each application of the HTTP suite shows one; its framework is named to users."""
        listed = text("conformance/src/http/applications.rs")
        names = re.findall(r'^    \w+\(\s*"([^"]+)"', listed, re.MULTILINE)
        self.assertGreater(len(names), 10)
        for name in names:
            framework = re.sub(r"\d+$", "", name.split("-")[0]) if name not in ("reference", "http2") else name
            if framework == "reference":
                continue
            for page in ["CHANGELOG.md", "README.md"]:
                shown = {"ws": "WebSockets", "aspnetcore": "ASP.NET Core", "spring": "Spring Boot", "nest": "NestJS"}.get(framework, framework)
                self.assertTrue(mentions(page, shown), f"{page}: name {shown}, which {name} is an example of")


if __name__ == "__main__":
    unittest.main()
