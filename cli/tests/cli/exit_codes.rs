//! Every exit code, and that a failure is one line: code, colon, sentence.

use pomerium_jwt_issuer::{compact, key_set};
use serde_json::Value;

use crate::shell::{NOW, Shell, assertion, key};

const TRUSTED: &str = "--route https://app.example.com --jwks-file keys.json";

#[test]
fn each_outcome_of_verify_has_its_exit_code() {
    let shell = Shell::new();
    shell.write("none.json", key_set([]));
    shell.write("bad.json", r#"{"leeway":1,"leeway":1}"#);
    shell.write("hint.json", r#"{"jwks_uri":"https://app.example.com/"}"#);
    let at = format!("--at {NOW}");
    // exit code, command line, how standard error begins
    let table = [
        (0, format!("verify {TRUSTED} {at} < token.txt"), ""),
        (0, format!("verify {TRUSTED} {at} - < token.txt"), ""),
        (0, format!("verify {TRUSTED} {at} {}", assertion().mint(&key())), ""),
        (1, format!("verify {TRUSTED} < token.txt"), "token_expired: "),
        (1, format!("verify {TRUSTED}"), "token_missing: "),
        (1, format!("verify {TRUSTED} abc"), "token_malformed: "),
        (1, format!("verify {TRUSTED} {at} --require-group owners < token.txt"), "group_required: "),
        (0, format!("verify {TRUSTED} {at} --require-group owners,staff < token.txt"), ""),
        (2, "verify < token.txt".to_owned(), "invalid_options: audience is missing"),
        (2, format!("verify {TRUSTED} --leeway x"), "invalid_options: --leeway: takes whole seconds"),
        (2, format!("verify {TRUSTED} --leeway 3601"), "invalid_options: --leeway: takes whole seconds"),
        (2, format!("verify {TRUSTED} --allow-anonymous=maybe"), "invalid_options: --allow-anonymous: takes true"),
        (2, format!("verify {TRUSTED} --jwks {{}}"), "invalid_options: "),
        (2, format!("verify {TRUSTED} --options missing.json"), "invalid_options: missing.json cannot be read"),
        (2, format!("verify {TRUSTED} --options bad.json"), "invalid_options: --options bad.json: "),
        (2, format!("verify {TRUSTED} --options hint.json"), "invalid_options: --options hint.json: "),
        (2, format!("verify {TRUSTED} --options - < token.txt"), "invalid_options: "),
        (2, format!("verify {TRUSTED} --no-such-flag"), "error: "),
        (2, format!("verify {TRUSTED} --at -1"), "error: "),
        (2, format!("verify {TRUSTED} --at 9007199254740992"), "error: "),
        (2, format!("verify {TRUSTED} --leeway 1 --leeway 2"), "error: "),
        (2, format!("verify {TRUSTED} a b"), "error: "),
        (2, "no-such-command".to_owned(), "error: "),
        (3, format!("verify --route https://app.example.com --jwks-file none.json {at} < token.txt"), "keys_empty: "),
    ];
    for (exit_code, line, stderr) in table {
        let answer = shell.run(&format!("pomerium-jwt {line}"));
        assert_eq!(answer.exit_code, exit_code, "{line}: {answer:?}");
        assert!(answer.stderr.starts_with(stderr), "{line}: {answer:?}");
        assert_eq!(answer.stdout.is_empty(), exit_code != 0, "{line}: standard output is for identities: {answer:?}");
        if !stderr.starts_with("error: ") {
            let lines = usize::from(exit_code != 0);
            assert_eq!(answer.stderr.lines().count(), lines, "{line}: a failure is one line: {answer:?}");
        }
    }
}

#[test]
fn a_refusal_is_json_on_standard_output_if_asked() {
    let shell = Shell::new();
    for (line, code, number, kind) in [
        ("verify --json --route https://a --jwks-file keys.json < token.txt", "token_expired", 109, "token"),
        ("verify --json < token.txt", "invalid_options", 1, "options"),
        (
            "verify --json --route https://app.example.com --jwks-file keys.json --at 1700000000 --require-group a < token.txt",
            "group_required",
            300,
            "access",
        ),
    ] {
        let answer = shell.run(&format!("pomerium-jwt {line}"));
        let refusal: Value = serde_json::from_str(&answer.stdout).expect("one JSON object");
        let found = (&refusal["code"], &refusal["number"], &refusal["kind"]);
        assert_eq!(found, (&code.into(), &number.into(), &kind.into()), "{line}");
        let message = refusal["message"].as_str().expect("a message");
        assert_eq!(answer.stderr, format!("{code}: {message}\n"), "{line}");
    }
}

#[test]
fn flags_beat_the_document_which_beats_the_environment() {
    let shell = Shell::new();
    shell.write("right.json", r#"{"audience":["app.example.com"],"jwks_file":"keys.json"}"#);
    shell.write("wrong.json", r#"{"audience":"b.example.com","jwks":{"keys":null}}"#);
    let right = "POMERIUM_JWT_AUDIENCE=app.example.com POMERIUM_JWT_JWKS_FILE=keys.json";
    let wrong = "POMERIUM_JWT_AUDIENCE=a.example.com POMERIUM_JWT_JWKS_URL=https://a.example.com/";
    let issuer = format!("verify --issuer app.example.com --at {NOW}");
    let flags = "--audience app.example.com --jwks-file keys.json";
    let table = [
        (0, format!("{right} pomerium-jwt {issuer}")),
        (3, format!("{right} pomerium-jwt {issuer} --options wrong.json")),
        (1, format!("{wrong} pomerium-jwt {issuer} --jwks-file keys.json")),
        (0, format!("{wrong} pomerium-jwt {issuer} --options right.json")),
        (0, format!("{wrong} pomerium-jwt {issuer} --options wrong.json {flags}")),
        (1, format!("{wrong} pomerium-jwt {issuer} --options right.json --audience c.example.com")),
        // the environment demands, and neither flags nor document say otherwise
        (1, format!("{right} POMERIUM_JWT_REQUIRE_GROUP=owners pomerium-jwt {issuer}")),
        (0, format!("{right} POMERIUM_JWT_REQUIRE_GROUP=owners pomerium-jwt {issuer} --require-group admins")),
        (2, format!("{right} POMERIUM_JWT_REQUIRED_GROUP=owners pomerium-jwt {issuer}")),
        // two in one layer stay two
        (2, format!("{right} pomerium-jwt {issuer} --jwks-file keys.json --public-key x")),
        (0, format!("{right} pomerium-jwt {issuer} --audience c.example.com --audience d.example.com,app.example.com")),
    ];
    for (exit_code, line) in table {
        let answer = shell.run(&format!("{line} < token.txt"));
        assert_eq!(answer.exit_code, exit_code, "{line}: {answer:?}");
    }
}

#[test]
fn booleans_and_objects_are_read_from_flags() {
    let shell = Shell::new();
    shell.write("token.txt", assertion().claim("sub", "").mint(&key()));
    let table = [
        (1, "--leeway 0"),
        (0, "--allow-anonymous"),
        (0, "--allow-anonymous=true"),
        (1, "--allow-anonymous=false"),
        (0, r#"--allow-anonymous --expect-claims {"groups":["staff"]}"#),
        (1, r#"--allow-anonymous --expect-claims {"groups":"nobody"}"#),
    ];
    for (exit_code, flags) in table {
        let answer = shell.run(&format!("pomerium-jwt verify {TRUSTED} --at {NOW} {flags} < token.txt"));
        assert_eq!(answer.exit_code, exit_code, "{flags}: {answer:?}");
    }
}

#[test]
fn a_list_given_twice_is_one_list() {
    let shell = Shell::new();
    shell.write("token.txt", assertion().groups(["CN=a,OU=b"]).mint(&key()));
    let table = [
        (0, r#"--require-group x --require-group ["CN=a,OU=b"]"#),
        (0, r#"--require-group ["CN=a,OU=b"] --require-group x,y"#),
        (1, "--require-group CN=a,OU=b"),
        (1, "--require-group CN=a --require-group OU=b"),
    ];
    for (exit_code, flags) in table {
        let answer = shell.run(&format!("pomerium-jwt verify {TRUSTED} --at {NOW} {flags} < token.txt"));
        assert_eq!(answer.exit_code, exit_code, "{flags}: {answer:?}");
    }
}

#[test]
fn the_claims_are_printed_as_they_were_signed() {
    let shell = Shell::new();
    let payload = assertion().to_json().replacen('{', r#"{ "big":12345678901234567890.10, "tiny":1.0e-5,"#, 1);
    shell.write("token.txt", compact(key().jose_header().as_bytes(), payload.as_bytes(), &key()));
    let answer = shell.run(&format!("pomerium-jwt verify {TRUSTED} --at {NOW} < token.txt"));
    assert!(answer.stdout.ends_with(&format!("\"claims\": {payload}\n}}\n")), "{answer:?}");
}

#[test]
fn one_line_end_is_taken_off_standard_input() {
    let shell = Shell::new();
    let token = assertion().mint(&key());
    for (end, exit_code) in [("", 0), ("\n", 0), ("\r\n", 0), ("\n\n", 1), ("\r", 1), (" ", 1), (" \n", 1)] {
        shell.write("token.txt", token.clone() + end);
        let answer = shell.run(&format!("pomerium-jwt verify {TRUSTED} --at {NOW} < token.txt"));
        assert_eq!(answer.exit_code, exit_code, "{end:?}: {answer:?}");
    }
}

#[test]
fn colours_are_for_terminals_and_for_whoever_forces_them() {
    let shell = Shell::new();
    for (variables, coloured) in [("", false), ("CLICOLOR_FORCE=1", true), ("CLICOLOR_FORCE=1 NO_COLOR=1", false)] {
        let answer = shell.run(&format!("{variables} pomerium-jwt verify {TRUSTED} < token.txt"));
        assert_eq!(answer.stderr.contains('\u{1b}'), coloured, "{variables}: {answer:?}");
    }
}

#[test]
fn the_demo_ends_well() {
    let answer = Shell::new().run("pomerium-jwt demo");
    assert_eq!((answer.exit_code, answer.stderr.as_str()), (0, ""), "{answer:?}");
    for code in ["token_expired: ", "audience_mismatch: ", "signature_invalid: "] {
        assert!(answer.stdout.contains(code), "{code} is not shown");
    }
}
