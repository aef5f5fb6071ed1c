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
        (2, "verify < token.txt".to_owned(), "invalid_options: --audience is missing"),
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
        (1, format!("verify {TRUSTED} a b"), "token_malformed: "),
        (1, format!("verify {TRUSTED} keys.json"), "token_malformed: "),
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
fn verify_forgives_white_space_and_the_name_of_the_header_alone() {
    let shell = Shell::new();
    let token = assertion().mint(&key());
    let (half, rest) = token.split_at(300);
    let table = [
        (0, "", format!("\r\n \t{token} \r\n\n")),
        (0, "", format!("X-Pomerium-Jwt-Assertion: {token}\r\n")),
        (0, "", format!("x-pomerium-jwt-assertion:{token}")),
        (0, "", format!("X-Pomerium-Jwt-Assertion: Bearer {token}")),
        (0, "--header-name Authorization", format!("authorization: Bearer {token}")),
        (1, "--header-name Authorization", format!("X-Pomerium-Jwt-Assertion: {token}")),
        (1, "", format!("Authorization: Bearer {token}")),
        (1, "", format!("X-Pomerium-Jwt-Assertion-For: {token}")),
        (1, "", format!("X-Pomerium-Jwt-Assertion: X-Pomerium-Jwt-Assertion: {token}")),
        (1, "", format!("X-Pomerium-Jwt-Assertion: {token}\nAccept: */*")),
        (1, "", format!("X-Pomerium-Jwt-Assertion {token}")),
        (1, "", format!("\"{token}\"")),
        (1, "", format!("{half} {rest}")),
        (1, "", format!("{half}\n{rest}")),
        (1, "", format!("\u{feff}{token}")),
        (1, "", format!("{token},{token}")),
        (1, "", "X-Pomerium-Jwt-Assertion:".to_owned()),
        (1, "", "X-Pomerium-Jwt-Assertion".to_owned()),
    ];
    for (exit_code, flags, text) in table {
        shell.write("token.txt", &text);
        let answer = shell.run(&format!("pomerium-jwt verify {TRUSTED} --at {NOW} {flags} < token.txt"));
        assert_eq!(answer.exit_code, exit_code, "{text:?}: {answer:?}");
        // as one argument, and as the words that a shell makes of it
        if !text.contains(['\n', '"']) {
            let line = format!("pomerium-jwt verify {TRUSTED} --at {NOW} {flags} {text}");
            assert_eq!(shell.run(&line).exit_code, exit_code, "{line}");
        }
    }
}

#[test]
fn a_boolean_takes_neither_the_token_for_its_value_nor_its_value_for_the_token() {
    let shell = Shell::new();
    let anonymous = assertion().claim("sub", "").mint(&key());
    for (exit_code, flags) in [
        (0, "--allow-anonymous true TOKEN"),
        (0, "--allow-anonymous TOKEN"),
        (0, "--allow-anonymous=true TOKEN"),
        (0, "--allow-anonymous TRUE TOKEN"),
        (0, "--allow-anonymous 1 --json TOKEN"),
        (0, "TOKEN --allow-anonymous true"),
        (0, "--allow-anonymous true --json true TOKEN"),
        (0, "--allow-anonymous --json false TOKEN"),
        (1, "--json false TOKEN"),
        (1, "--allow-anonymous false TOKEN"),
        (1, "--allow-anonymous 0 TOKEN"),
        (1, "--optional true TOKEN"),
        (1, "--trust-on-first-use true TOKEN"),
        (1, "--allow-anonymous maybe TOKEN"),
        (2, "--allow-anonymous=TOKEN"),
        (2, "--json=TOKEN TOKEN"),
    ] {
        let line = format!("pomerium-jwt verify {TRUSTED} --at {NOW} {flags}").replace("TOKEN", &anonymous);
        let answer = shell.run(&line);
        assert_eq!(answer.exit_code, exit_code, "{flags}: {answer:?}");
        if flags.contains("--json false") {
            assert!(!answer.stdout.contains("kind"), "{answer:?}");
        }
    }
    let answer = shell.run("pomerium-jwt keys --allow-http true keys.json");
    assert_eq!(answer.exit_code, 0, "{answer:?}");
}

#[test]
fn no_error_quotes_a_token() {
    let shell = Shell::new();
    let token = assertion().mint(&key());
    shell.write("key.pem", key().to_pem());
    for line in [
        "TOKEN",
        "verify TOKEN --json",
        "verify --allow-anonymous=TOKEN",
        "verify --at TOKEN",
        "verify --leeway TOKEN --json",
        "verify --leeway=TOKEN",
        "verify --route TOKEN --json",
        "verify --route https://TOKEN.example --json",
        "verify --TOKEN",
        "verify --json=TOKEN",
        "verify --options TOKEN --json",
        "verify --route https://a --jwks-file TOKEN --json",
        "verify --expect-claims TOKEN",
        "verify --connect-to TOKEN --route https://a",
        "verify --header-name TOKEN --route https://a",
        "verify --no-such-flag TOKEN",
        "inspect --at TOKEN",
        "keys TOKEN",
        "keys https://TOKEN",
        "keys keys.json TOKEN",
        "issuer TOKEN",
        "issuer --listen TOKEN",
        "issuer --host TOKEN/",
        "issuer --key TOKEN",
        "issuer --host a --key key.pem --mint TOKEN",
        "issuer --host a --key key.pem --mint exp=TOKEN",
        "completions TOKEN",
        "man TOKEN",
    ] {
        let answer = shell.run(&format!("pomerium-jwt {}", line.replace("TOKEN", &token)));
        assert_ne!(answer.exit_code, 0, "{line}: {answer:?}");
        let said = answer.stdout + &answer.stderr;
        let part = token.split('.').find(|part| said.contains(&part[..32]));
        assert_eq!(part, None, "{line}: {said}");
    }
}

#[test]
fn messages_name_an_option_as_it_was_given() {
    let shell = Shell::new();
    shell.write("options.json", r#"{"route":"https://a","jwks_file":"missing"}"#);
    for (line, expected) in [
        ("pomerium-jwt verify --leeway 30s", "--leeway: takes whole seconds from 0 to 3600, written in digits alone"),
        ("pomerium-jwt verify --cache-ttl 60m", "--cache-ttl: takes whole seconds from 1 to 86400"),
        ("pomerium-jwt verify --timeout 1.5", "--timeout: takes whole seconds from 1 to 60"),
        ("POMERIUM_JWT_CACHE_TTL=60m pomerium-jwt verify", "POMERIUM_JWT_CACHE_TTL: takes whole seconds"),
        ("pomerium-jwt verify --jwks-file missing --route https://a", "--jwks-file missing: "),
        ("POMERIUM_JWT_JWKS_FILE=missing pomerium-jwt verify --route https://a", "POMERIUM_JWT_JWKS_FILE missing: "),
        ("pomerium-jwt verify --options options.json", "jwks_file missing: "),
        (
            "pomerium-jwt verify --trust-on-first-use",
            "--trust-on-first-use needs a key source of its own: set --jwks-url, --jwks",
        ),
        ("pomerium-jwt verify", "--audience is missing: set --route to Pomerium's from: URL, or --audience"),
        ("POMERIUM_JWT_LEEWAY=1 pomerium-jwt verify --audience a", "--issuer is missing: set --route"),
        (
            "pomerium-jwt verify --jwks-file keys.json --public-key x --route https://a",
            "--jwks-file and --public-key are both",
        ),
        ("pomerium-jwt verify --route https://a --connect-to x", "--connect-to "),
        ("pomerium-jwt verify --route https://a --algorithms HS256", "--algorithms: takes ES256 and RS256"),
        ("pomerium-jwt inspect --route https://a --pin-kids x", "--pin-kids takes RFC 7638 thumbprints"),
        ("pomerium-jwt keys --connect-to x https://a", "--connect-to "),
        ("POMERIUM_JWT_CONNECT_TO=x pomerium-jwt keys https://a", "POMERIUM_JWT_CONNECT_TO "),
    ] {
        let answer = shell.run(line);
        assert_eq!(answer.exit_code, 2, "{line}: {answer:?}");
        assert!(answer.stderr.starts_with(&format!("invalid_options: {expected}")), "{line}: {answer:?}");
    }
    let many = vec!["a"; 65].join(",");
    let answer = shell.run(&format!("pomerium-jwt verify --require-group {many}"));
    assert!(answer.stderr.starts_with("invalid_options: --require-group: takes"), "{answer:?}");
    let twice = format!("pomerium-jwt verify --require-group a --require-group {}", &many[2..]);
    assert!(shell.run(&twice).stderr.starts_with("invalid_options: --require-group takes"), "{twice}");
}

#[test]
fn names_known_from_elsewhere_get_a_hint() {
    let shell = Shell::new();
    for (name, hint) in [
        ("jwk_set_file", "write --jwks-file"),
        ("jwk_set_url", "write --jwks-url"),
        ("key_file", "write --public-key-file"),
        ("from", "write --route"),
        ("signing_key", "the private key stays in Pomerium: write --route, and the public key is fetched"),
        ("signing_key_file", "the private key stays in Pomerium: write --route, and the public key is fetched"),
        ("certificate_authority_file", "write --ca-file"),
        ("tls_client_ca", "write --ca-file"),
        ("required_claims", "write --expect-claims"),
        ("clock_skew", "write --leeway, in seconds"),
        ("require_groups", "write --require-group"),
        ("completely_unknown", "see the list of options"),
    ] {
        let flag = shell.run(&format!("pomerium-jwt verify --{}", name.replace('_', "-")));
        assert_eq!(flag.exit_code, 2, "{name}: {flag:?}");
        assert!(flag.stderr.contains(&format!("\nhint: {hint}")), "{name}: {flag:?}");
        shell.write("options.json", format!("{{{name:?}: 1}}"));
        let document = shell.run("pomerium-jwt verify --options options.json");
        assert_eq!(document.exit_code, 2, "{name}: {document:?}");
        let hint = hint.replace("--", "").replace('-', "_");
        assert!(document.stderr.contains(&hint), "{name}: {document:?}");
    }
    let answer = shell.run("pomerium-jwt issuer --routes");
    assert!(!answer.stderr.contains("hint: "), "an issuer has no such options: {answer:?}");
}

#[test]
fn colours_are_for_terminals_or_forced() {
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
