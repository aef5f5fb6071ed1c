//! A folder of files and a small shell, so that tests read like what a person types.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use pomerium_jwt_issuer::{Assertion, SigningKey, key_set};
use tempfile::TempDir;

/// When the tokens of these tests were issued: they have expired for every clock that is right.
pub(crate) const NOW: i64 = 1_700_000_000;

/// A folder in which commands run.
pub(crate) struct Shell(TempDir);

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) exit_code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Shell {
    /// A folder with `keys.json`, which holds the public half of [`key`], and `token.txt`, signed with it.
    pub(crate) fn new() -> Self {
        let shell = Self(tempfile::tempdir().expect("a folder for the test"));
        shell.write("keys.json", key_set([&key()]));
        shell.write("token.txt", assertion().mint(&key()) + "\n");
        shell
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).expect(name);
    }

    /// Runs `NAME=VALUE... pomerium-jwt ARGUMENT... < FILE`; words are separated by single spaces.
    pub(crate) fn run(&self, line: &str) -> Answer {
        let (line, input) = match line.split_once(" < ") {
            Some((line, file)) => (line, fs::read(self.path().join(file)).expect(file)),
            None => (line, Vec::new()),
        };
        let (variables, arguments) = line.split_once("pomerium-jwt").expect("the command is pomerium-jwt");
        let variables = variables.split_whitespace().map(|word| word.split_once('=').expect("NAME=VALUE"));
        self.run_words(variables, arguments.split_whitespace(), &input)
    }

    /// As [`run`](Self::run), for words that hold spaces.
    pub(crate) fn run_words<'a>(
        &self,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        arguments: impl IntoIterator<Item = &'a str>,
        input: &[u8],
    ) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pomerium-jwt"));
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("POMERIUM_JWT_") || name_text.contains("COL") {
                command.env_remove(&name); // COLUMNS, NO_COLOR, CLICOLOR_FORCE
            }
        }
        command.envs(variables).args(arguments).current_dir(self.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command was built");
        // a command that does not read its input closes the pipe, which is not a failure
        let _ = child.stdin.take().expect("a pipe").write_all(input);
        let output = child.wait_with_output().expect("the command ends");
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Answer {
            exit_code: output.status.code().expect("the command ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// The signing key of these tests.
pub(crate) fn key() -> SigningKey {
    SigningKey::from_scalar(&[7; 32]).expect("below the order of the curve")
}

/// What the token of these tests says.
pub(crate) fn assertion() -> Assertion {
    Assertion::new("app.example.com", NOW)
        .user("google-oauth2|103254719", "alice@example.com", "Alice Example")
        .groups(["admins", "staff"])
        .session("7f2b7e0c-3f0d-4d2c-9e0e-0d5a3c1b9a11")
        .token_id("94d0d8b6-28d2-482c-b755-fb0e6b13b1f5")
}
