//! `inspect`, `completions` and `man`: exit codes, and what must be said.

use pomerium_jwt_issuer::{Server, ServerOptions, compact, key_set};
use serde_json::Value;

use crate::shell::{NOW, Shell, assertion, key};

const TRUSTED: &str = "--route https://app.example.com --jwks-file keys.json";

#[test]
fn the_exit_code_of_inspect_says_whether_a_check_failed() {
    let shell = Shell::new();
    let token = assertion().mint(&key());
    shell.write("none.json", key_set([]));
    shell.write("quoted.txt", format!("'{token}'"));
    shell.write("bytes.txt", [0xff, 0xfe, b'.', b'.']);
    shell.write("not-json.txt", compact(br#"{"alg":"ES256"}"#, b"text", &key()));
    let at = format!("--at {NOW}");
    // exit code, arguments, what standard output must hold
    let table = [
        (0, "< token.txt".to_owned(), "No option was given"),
        (0, format!("{TRUSTED} {at} < token.txt"), "No check failed"),
        (0, format!("{TRUSTED} {at} {token}"), "No check failed"),
        (1, format!("{TRUSTED} < token.txt"), "token_expired"),
        (1, format!("{TRUSTED} {at} < quoted.txt"), "Refused as given"),
        (1, format!("{at} < quoted.txt"), "Refused as given"),
        (1, format!("{at} < not-json.txt"), "claims_malformed"),
        (1, "< bytes.txt".to_owned(), "It cannot be read as a token"),
        (1, String::new(), "token_missing"),
        (1, format!("--route https://app.example.com --jwks-file none.json {at} < token.txt"), "keys_empty"),
        (1, format!("{token},{token}"), "token_repeated"),
        (2, "--leeway 5 < token.txt".to_owned(), ""),
        (2, "--no-such-flag".to_owned(), ""),
    ];
    for (exit_code, arguments, part) in table {
        let answer = shell.run(&format!("pomerium-jwt inspect {arguments}"));
        assert_eq!(answer.exit_code, exit_code, "{arguments}: {answer:?}");
        assert!(answer.stdout.contains(part), "{arguments}: {part:?} is not said: {answer:?}");
        assert_eq!(answer.stderr.is_empty(), exit_code != 2, "{arguments}: {answer:?}");
        let shows_token = ["Header\n", "Claims\n"].iter().any(|title| answer.stdout.contains(title));
        assert_eq!(answer.stdout.contains("NOT VERIFIED"), shows_token, "{arguments}: {answer:?}");
    }
}

#[test]
fn inspect_and_verify_agree() {
    let shell = Shell::new();
    for (audience, code) in [("app.example.com", None), ("other.example.com", Some("audience_mismatch"))] {
        let options = format!("--route https://app.example.com --audience {audience} --jwks-file keys.json --at {NOW}");
        let verified = shell.run(&format!("pomerium-jwt verify {options} < token.txt"));
        let inspected = shell.run(&format!("pomerium-jwt inspect --json {options} < token.txt"));
        assert_eq!(inspected.exit_code, verified.exit_code, "{audience}");
        let document: Value = serde_json::from_str(&inspected.stdout).expect("one JSON object");
        let checks = document["checks"].as_array().expect("checks");
        let failed = checks.iter().find(|check| check["outcome"] == "failed").and_then(|check| check["code"].as_str());
        assert_eq!(failed, code, "{audience}: {document}");
    }
}

#[test]
fn keys_are_fetched_for_inspect_and_for_another_time() {
    let shell = Shell::new();
    let server = Server::start(ServerOptions { keys: vec![key()], ..ServerOptions::default() }).expect("a free port");
    let options = format!("--issuer app.example.com --audience app.example.com --at {NOW}");
    let address = format!("{}/.well-known/pomerium/jwks.json", server.url());
    for command in ["inspect", "verify"] {
        let answer = shell.run(&format!("pomerium-jwt {command} {options} --jwks-url {address} < token.txt"));
        assert_eq!(answer.exit_code, 0, "{command}: {answer:?}");
    }
    drop(server);
    for (command, exit_code) in [("inspect", 1), ("verify", 3)] {
        let answer = shell.run(&format!("pomerium-jwt {command} {options} --jwks-url {address} < token.txt"));
        assert_eq!(answer.exit_code, exit_code, "{command}: {answer:?}");
        let said = answer.stdout + &answer.stderr;
        assert!(said.contains("keys_unavailable: ") && said.contains(&address), "{command}: {said}");
    }
}

#[test]
fn nothing_in_a_token_reaches_the_terminal_raw() {
    let shell = Shell::new();
    let evil = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}\r\n";
    let json = serde_json::json!({"alg": evil, "kid": evil, "typ": evil, evil: evil}).to_string();
    let payload = assertion().issuer(evil).audience(evil).claim(evil, evil).to_json();
    for (header, payload) in [(json.as_str(), payload.as_str()), (evil, evil)] {
        shell.write("token.txt", compact(header.as_bytes(), payload.as_bytes(), &key()));
        for options in ["", TRUSTED] {
            let answer = shell.run(&format!("pomerium-jwt inspect {options} < token.txt"));
            let raw = answer.stdout.chars().find(|&c| (c.is_control() && c != '\n') || c == '\u{202e}');
            assert_eq!(raw, None, "{answer:?}");
        }
    }
}

#[test]
fn every_shell_gets_its_completions_and_every_command_its_page() {
    let shell = Shell::new();
    for name in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let answer = shell.run(&format!("pomerium-jwt completions {name}"));
        assert_eq!(answer.exit_code, 0, "{name}: {answer:?}");
        assert!(answer.stdout.contains("expect-claims"), "{name}: the options are missing");
    }
    for (command, part) in [("", "SUBCOMMANDS"), ("verify", "expect\\-claims"), ("inspect", "NOT VERIFIED")] {
        let answer = shell.run(&format!("pomerium-jwt man {command}"));
        assert_eq!(answer.exit_code, 0, "{command}: {answer:?}");
        assert!(answer.stdout.contains(".TH") && answer.stdout.contains(part), "{command}: {}", answer.stdout);
    }
    assert_eq!(shell.run("pomerium-jwt man nothing").exit_code, 2);
    assert_eq!(shell.run("pomerium-jwt completions nothing").exit_code, 2);
}
