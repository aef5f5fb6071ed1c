//! The commands of the documents, run: README.md's "At a terminal", and those below `docs/`.

use std::{fs, path::Path, process::Command};

use crate::{dev::Dev, issuer::Issuer, shell::Shell};

#[test]
fn the_commands_of_the_readme_work() {
    let readme = document("README.md");
    let (_, section) = readme.split_once("## At a terminal\n").expect("the section");
    assert_eq!(run(&blocks(section)[0]), 5);
}

#[test]
fn the_commands_of_the_package_s_readme_work() {
    let [_registry, commands] = &blocks(&document("cli/README.md"))[..] else { panic!("two blocks") };
    assert_eq!(run(commands), 6);
}

#[test]
fn the_commands_of_the_troubleshooting_page_work() {
    assert_eq!(run(&blocks(&document("docs/troubleshooting.md"))[0]), 3);
}

#[test]
fn the_commands_of_the_page_about_local_development_work() {
    let page = document("docs/local-development.md");
    let users = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the users file");
    let [alone, several] = &blocks(&page)[..] else { panic!("two blocks") };
    let begin = |line: &str| {
        let arguments = line.strip_prefix("pomerium-jwt dev --upstream http://127.0.0.1:3000").expect("the command");
        Dev::start_with(users, arguments)
    };
    let dev = begin(alone.trim_end());
    assert!(page.contains(&format!("\n{}\n", dev.line.replace(&dev.port.to_string(), "8443"))), "{}", dev.line);
    let (start, requests) = several.split_once('\n').expect("requests");
    let dev = begin(start);
    let folder = tempfile::tempdir().expect("a folder for the test");
    let requests = requests.replace("8443", &dev.port.to_string()).replace("curl ", "curl -sS --noproxy localhost ");
    let output = Command::new("sh").args(["-ec", &requests]).current_dir(folder.path()).output().expect("sh and curl");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let place = |email: &str| printed.find(&format!(r#""email":"{email}""#)).unwrap_or_else(|| panic!("{output:?}"));
    assert!(place("alice@example.com") < place("bob@example.com"), "{printed}");
}

/// The command that installs this one, with the profile that the tests have built.
#[test]
fn the_installation_of_the_readme_works() {
    let line = "cargo install --path cli";
    assert!(document("README.md").contains(&format!("`{line}`")));
    let folder = tempfile::tempdir().expect("a folder for the test");
    let arguments = line.split(' ').skip(1).chain(["--locked", "--offline", "--debug", "-q", "--root"]);
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo tells its tests would have build scripts run again
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_MANIFEST_LINKS"] {
        cargo.env_remove(name);
    }
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        cargo.env_remove(name);
    }
    cargo.args(arguments).arg(folder.path()).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let output = cargo.output().expect("cargo is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let version = Command::new(folder.path().join("bin/pomerium-jwt")).arg("--version").output().expect("it starts");
    assert!(version.stdout.starts_with(b"pomerium-jwt "), "{version:?}");
}

/// Runs each line, and gives their number.
fn run(block: &str) -> usize {
    let shell = Shell::new();
    let issuer = Issuer::start(&shell, "");
    let token = issuer.request("GET /mint?sub=alice");
    shell.write("token.txt", format!("> X-Pomerium-Jwt-Assertion: {token}\n> Accept: */*\n"));
    for line in block.lines() {
        let (command, _) = line.split_once(" #").expect("a comment");
        let command = command.trim_end().replace("https://app.example.com", &issuer.url);
        let command = command.replace("TOKEN", &token).replace("FILE", "token.txt");
        if command == "pomerium-jwt issuer" {
            Issuer::start(&shell, "").request("GET /stats");
        } else {
            let answer = shell.run(&command);
            assert_eq!(answer.exit_code, 0, "{line}: {answer:?}");
        }
    }
    block.lines().count()
}

/// Settings that a page shows are accepted: the token is what is then wrong.
#[test]
fn the_settings_of_the_documents_are_accepted() {
    let pages = ["docs/keys.md", "docs/deployment.md"].map(document);
    let blocks: Vec<String> = pages.iter().flat_map(|page| blocks(page)).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let shell = Shell::new();
        shell.write("ca.pem", document("conformance/keys/es256-certificate.pem"));
        let block = block.replace("/etc/ssl/pomerium-ca.pem", "ca.pem");
        let settings = block.lines().map(|line| line.split_once('=').expect("NAME=VALUE"));
        let answer = shell.run_words(settings, ["verify", "-"], b"nonsense");
        assert!(answer.exit_code == 1 && answer.stderr.contains("token_malformed"), "{block}: {answer:?}");
    }
}

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).expect(name)
}

/// The blocks of commands.
fn blocks(page: &str) -> Vec<String> {
    page.split("```sh\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}
