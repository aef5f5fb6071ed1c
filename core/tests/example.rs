//! The programs of `examples/rust/`, which `cargo test` builds next to the tests, run.
#![forbid(unsafe_code)]

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use pomerium_jwt_issuer::{Server, ServerOptions};

#[test]
fn the_example_says_who_is_calling_and_why_not() {
    let server = Server::start(ServerOptions::default()).expect("a free port");
    let token = server.mint(&server.assertion().user("alice", "alice@example.com", "Alice"));
    let route: &[_] = &[("POMERIUM_JWT_ROUTE", server.url())];
    let admins: &[_] = &[route[0], ("POMERIUM_JWT_REQUIRE_GROUP", "admins")];
    let nobody: &[_] = &[("POMERIUM_JWT_ROUTE", "http://127.0.0.1:1")];
    let table = [
        (route, format!("{token}\n"), 0, "alice alice@example.com\n"),
        (route, String::new(), 1, "token_missing: "),
        (route, format!("{token}="), 1, "token_malformed: "),
        (admins, token.clone(), 1, "group_required: "),
        (&[], token.clone(), 2, "invalid_options: "),
        (nobody, token, 3, "keys_unavailable: "),
    ];
    for (variables, input, exit_code, printed) in table {
        let (found, output) = run("verify", variables, &input);
        let as_expected = found == Some(exit_code) && output.starts_with(printed);
        assert!(as_expected, "{variables:?}, {input:?}: {found:?} {output}");
    }
}

fn run(example: &str, variables: &[(&str, &str)], input: &str) -> (Option<i32>, String) {
    let mut command = Command::new(binary(example));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("POMERIUM_JWT_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("run `cargo build -p pomerium-jwt --examples` first");
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes()); // it may end without reading
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// Cargo puts examples next to the folder of the tests.
fn binary(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    test.ancestors().nth(2).expect("the profile's folder").join("examples").join(example)
}
