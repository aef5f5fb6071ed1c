//! `issuer`: what it serves, and how it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pomerium_jwt_issuer::{SigningKey, key_set};
use serde_json::Value;

use crate::shell::{Shell, key};

/// `pomerium-jwt issuer` with these arguments, from its line `ready` to the end of its standard input.
pub(crate) struct Issuer {
    child: Child,
    pub(crate) url: String,
}

impl Issuer {
    pub(crate) fn start(shell: &Shell, arguments: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pomerium-jwt"))
            .args(["issuer", "--until-stdin-closes"])
            .args(arguments.split_whitespace())
            .current_dir(shell.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command was built");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
        let url = line.strip_prefix("ready ").unwrap_or_else(|| panic!("no ready line but {line:?}")).trim_end();
        Self { child, url: url.to_owned() }
    }

    pub(crate) fn request(&self, line: &str) -> String {
        let address = self.url.strip_prefix("http://").expect("an issuer without TLS");
        let mut stream = TcpStream::connect(address).expect("it listens: it said so");
        write!(stream, "{line} HTTP/1.0\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("headers and a body");
        assert!(head.starts_with("HTTP/1.0 200 "), "{line}: {answer}");
        body.to_owned()
    }

    /// What it wrote to standard error, after it has ended by itself.
    fn end(mut self) -> String {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).expect("UTF-8")
    }
}

#[test]
fn its_tokens_verify_under_the_key_set_that_it_serves() {
    let shell = Shell::new();
    shell.write("key.pem", key().to_pem());
    let issuer = Issuer::start(&shell, "--key key.pem --host app.example.com");
    shell.write("keys.json", issuer.request("GET /.well-known/pomerium/jwks.json"));
    shell.write("minted.txt", issuer.request("GET /mint?sub=alice"));
    let answer = shell.run("pomerium-jwt verify --route https://app.example.com --jwks-file keys.json < minted.txt");
    assert_eq!((answer.exit_code, answer.stderr.as_str()), (0, ""));
    let identity: Value = serde_json::from_str(&answer.stdout).expect("an identity");
    assert_eq!(identity["subject"], "alice");

    issuer.request("POST /rotate");
    let stats: Value = serde_json::from_str(&issuer.request("GET /stats")).expect("JSON");
    assert_eq!(stats["fetches"], 1);
    assert_ne!(stats["signing_kid"], Value::from(key().thumbprint()));
    assert!(issuer.end().contains("This is not Pomerium"));
}

#[test]
fn the_ready_line_names_scheme_and_port() {
    let shell = Shell::new();
    for (arguments, beginning) in [
        ("", "http://127.0.0.1:"),
        ("--listen 127.0.0.2:0", "http://127.0.0.2:"),
        ("--listen 0.0.0.0:0 --allow-remote", "http://127.0.0.1:"),
        (
            "--tls new/folder --host app.example.com --host *.example.com --host 127.0.0.3 --host ::1",
            "https://127.0.0.1:",
        ),
    ] {
        let issuer = Issuer::start(&shell, arguments);
        assert!(issuer.url.starts_with(beginning), "{arguments}: {}", issuer.url);
        issuer.end();
    }
    let ca_pem = std::fs::read_to_string(shell.path().join("new/folder/ca.pem")).expect("written by --tls");
    assert!(ca_pem.starts_with("-----BEGIN CERTIFICATE-----"), "{ca_pem}");
}

#[cfg(unix)]
#[test]
fn signals_end_it_cleanly() {
    let shell = Shell::new();
    for signal in ["TERM", "INT"] {
        let mut issuer = Issuer::start(&shell, "");
        let sent = Command::new("kill").args([&format!("-{signal}"), &issuer.child.id().to_string()]).status();
        assert!(sent.expect("the kill command").success());
        assert_eq!(issuer.child.wait().expect("it ends").code(), Some(0), "SIG{signal}");
    }
}

#[test]
fn a_token_and_a_key_set_need_no_server() {
    let shell = Shell::new();
    let second = SigningKey::generate();
    shell.write("key.pem", key().to_pem());
    shell.write("both.pem", key().to_pem() + &second.to_pem());
    shell.write("base64.txt", STANDARD.encode(key().to_pem()));
    for arguments in ["--key key.pem", "--key both.pem", "--key base64.txt", "--key - < key.pem"] {
        let (arguments, input) =
            arguments.split_once(" <").map_or((arguments, ""), |(before, _)| (before, " < key.pem"));
        let mint =
            format!("pomerium-jwt issuer {arguments} --host app.example.com --mint sub=alice groups=admins{input}");
        let minted = shell.run(&mint);
        assert_eq!((minted.exit_code, minted.stderr.as_str()), (0, ""), "{mint}");
        shell.write("minted.txt", &minted.stdout);
        let verify = "pomerium-jwt verify --route https://app.example.com --jwks-file keys.json < minted.txt";
        let verified = shell.run(verify);
        assert_eq!(verified.exit_code, 0, "{mint}: {verified:?}");
        assert!(verified.stdout.contains("alice") && verified.stdout.contains("admins"), "{mint}: {verified:?}");
    }
    for (arguments, expected) in [
        ("--key both.pem", key_set([&key(), &second])),
        ("--key key.pem --key both.pem", key_set([&key(), &key(), &second])),
        ("--key base64.txt", key_set([&key()])),
    ] {
        let answer = shell.run(&format!("pomerium-jwt issuer {arguments} --key-set"));
        assert_eq!((answer.exit_code, answer.stdout), (0, expected + "\n"), "{arguments}");
    }
}

#[test]
fn what_it_cannot_do_it_says() {
    let shell = Shell::new();
    shell.write("key.pem", key().to_pem());
    shell.write("public.pem", key().public_key_pem());
    let taken = Issuer::start(&shell, "");
    let taken_port = taken.url.trim_start_matches("http://");
    for (arguments, expected) in [
        ("--listen 0.0.0.0:0", "invalid_options: --listen 0.0.0.0:0: 0.0.0.0 can be reached from other machines"),
        (&format!("--listen {taken_port}"), &format!("invalid_options: --listen {taken_port}: ")),
        ("--listen localhost", "error: "),
        ("--key missing.pem", "invalid_options: missing.pem cannot be read"),
        ("--key public.pem", "invalid_options: --key public.pem: the PEM holds a public key"),
        ("--tls key.pem", "invalid_options: --tls: key.pem/ca.pem cannot be written"),
        ("--key-set", "error: "),
        ("--mint", "error: "),
        ("--mint sub=alice --key key.pem", "error: "),
        ("--mint sub=alice --host a --key key.pem --tls new", "error: "),
        ("--host a --key key.pem --mint alice", "invalid_options: --mint: write alice as NAME=VALUE"),
        (
            "--host https://app.example.com",
            "invalid_options: --host: \"https://app.example.com\" is not a host: write the name alone, here app.example.com,",
        ),
        ("--host app.example.com:443 --key key.pem --mint sub=alice", "invalid_options: --host: "),
        ("--host app.example.com/ --key key.pem --key-set", "invalid_options: --host: "),
        ("--host app.example.com --host https://b.example.com --tls new", "invalid_options: --host: "),
        ("--host *.example.com --tls new", "invalid_options: --host: "),
        ("--host a --key key.pem --mint host=https://b", "invalid_options: --mint: "),
        ("--host a --key key.pem --mint exp=soon", "invalid_options: --mint: exp takes whole seconds"),
    ] {
        let answer = shell.run(&format!("pomerium-jwt issuer {arguments}"));
        assert_eq!((answer.exit_code, answer.stdout.as_str()), (2, ""), "{arguments}: {answer:?}");
        assert!(answer.stderr.starts_with(expected), "{arguments}: {}", answer.stderr);
    }
    taken.end();
}
