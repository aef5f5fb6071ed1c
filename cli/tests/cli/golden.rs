//! What people read, compared with `golden/`: a change of wording is seen in review.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use pomerium_jwt_issuer::{SigningKey, compact, key_set};

use crate::shell::{Answer, Shell, assertion, key};

const REWRITE: &str = "UPDATE_GOLDEN=1 cargo test -p pomerium-jwt-cli";

/// File name -> command lines whose answers it holds.
const TRANSCRIPTS: &[(&str, &[&str])] = &[
    (
        "help.txt",
        &[
            "pomerium-jwt --help",
            "pomerium-jwt verify -h",
            "pomerium-jwt verify --help",
            "pomerium-jwt keys --help",
            "pomerium-jwt issuer --help",
            "pomerium-jwt dev --help",
        ],
    ),
    ("demo.txt", &["pomerium-jwt demo"]),
    (
        "verify.txt",
        &[
            "pomerium-jwt verify --route https://app.example.com --jwks-file keys.json --at 1700000000 < token.txt",
            "POMERIUM_JWT_ROUTE=https://app.example.com pomerium-jwt verify --jwks-file keys.json --at 1700003600 < token.txt",
            "pomerium-jwt verify --options options.json --audience other.example.com --at 1700000000 --json < token.txt",
            "pomerium-jwt verify --options options.json --require-group owners --at 1700000000 < token.txt",
            "pomerium-jwt verify --jwks-file keys.json < token.txt",
            "pomerium-jwt verify --route https://app.example.com --jwks-file missing.json < token.txt",
            "pomerium-jwt verify --route https://app.example.com --leeway 4000 < token.txt",
        ],
    ),
    (
        "inspect.txt",
        &[
            "pomerium-jwt inspect --at 1700000100 < token.txt",
            "pomerium-jwt inspect --route https://app.example.com --jwks-file keys.json --at 1700000100 < token.txt",
            "pomerium-jwt inspect --options strict.json --at 1700003600 < token.txt",
            "pomerium-jwt inspect --options options.json --at 1700000100 < quoted.txt",
            "pomerium-jwt inspect --options options.json --at 1700000100 --json < cut.txt",
        ],
    ),
    (
        "inspect-not-a-token.txt",
        &[
            "pomerium-jwt inspect --at 1700000100 < session.txt",
            "pomerium-jwt inspect --at 1700000100 < other-header.txt",
            "pomerium-jwt inspect --at 1700000100 < percent.txt",
            "pomerium-jwt inspect --at 1700000100 < hostile.txt",
            "pomerium-jwt inspect --at 1700000100 < keys.json",
            "pomerium-jwt inspect --at 1700000100 < curl-cut.txt",
            "pomerium-jwt inspect abc",
            "pomerium-jwt inspect",
        ],
    ),
    (
        "paste.txt",
        &[
            "pomerium-jwt inspect --options options.json --at 1700000100 < curl.txt",
            "pomerium-jwt inspect --at 1700000100 curl.txt",
            "pomerium-jwt inspect --at 1700000100 < different.txt",
            "pomerium-jwt inspect --at 1700000100 --json < different.txt",
        ],
    ),
    (
        "usage.txt",
        &[
            "pomerium-jwt verify --jwk-set-file keys.json",
            "pomerium-jwt verify --from https://app.example.com",
            "pomerium-jwt verify --cache-ttl 60m",
            "pomerium-jwt verify --route https://app.example.com --jwks-file keys.json token.txt",
            "pomerium-jwt verify --route https://app.example.com --jwks-file keys.json < quoted.txt",
            "pomerium-jwt verify --at eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.abc",
            "pomerium-jwt keys eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.abc",
            "pomerium-jwt issuer --host https://app.example.com",
            "pomerium-jwt man token",
        ],
    ),
    (
        "keys.txt",
        &[
            "pomerium-jwt keys keys.json",
            "pomerium-jwt keys mixed.json",
            "pomerium-jwt keys - < none.json",
            "pomerium-jwt keys public.pem",
            "pomerium-jwt keys private.pem",
            "pomerium-jwt keys token.txt",
            "pomerium-jwt keys app.example.com",
            "pomerium-jwt keys unusable.json --json",
        ],
    ),
];

#[test]
fn what_people_read_is_what_was_reviewed() {
    let shell = Shell::new();
    write_tokens(&shell);
    write_keys(&shell);
    let mut differences = Vec::new();
    for (name, lines) in TRANSCRIPTS {
        let transcript: String = lines.iter().map(|line| show(line, &shell.run(line))).collect();
        let transcript = if *name == "demo.txt" { mask(&transcript) } else { transcript };
        if let Err(difference) = compare(name, &transcript) {
            differences.push(difference);
        }
    }
    let differences = differences.join("\n");
    assert!(differences.is_empty(), "{differences}\nIf the new text is the better one, run: {REWRITE}");
    let known: BTreeSet<String> = TRANSCRIPTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files(), known, "delete the file that no transcript names");
}

fn write_tokens(shell: &Shell) {
    let token = assertion().mint(&key());
    shell.write("options.json", r#"{"route":"https://app.example.com","jwks_file":"keys.json"}"#);
    shell.write(
        "strict.json",
        r#"{"route":"https://other.example.com","public_key_file":"other.pem","leeway":0,"max_token_age":60,
            "expect_claims":{"department":"sales","groups":["staff"]},"require_group":["owners","CN=a,OU=b"]}"#,
    );
    shell.write("quoted.txt", format!("\"{token}\"\n"));
    shell.write("cut.txt", &token[..token.len() - 30]);
    shell.write("percent.txt", token.replace('.', "%2E"));
    shell.write("other-header.txt", format!("X-Pomerium-Jwt-Assertion-For: {token}\n"));
    let other = assertion().claim("sub", "bob").mint(&key());
    let request = "> GET /headers HTTP/2\n> Host: app.example.com\n> Accept: */*\n> \n< HTTP/2 200 \n< \n";
    let body =
        |token: &str| format!("{{\n  \"headers\": {{\n    \"X-Pomerium-Jwt-Assertion\": \"{token}\"\n  }}\n}}\n");
    shell.write("curl.txt", request.to_owned() + &body(&token));
    shell.write("curl-cut.txt", request.to_owned() + &body(&(token[..60].to_owned() + "...")));
    shell.write("different.txt", format!("> Authorization: Bearer Pomerium-{other}\n{request}{}", body(&token)));
    // the signature of an HMAC is never checked
    shell.write(
        "session.txt",
        compact(br#"{"alg":"HS256","typ":"JWT"}"#, br#"{"jti":"sa-6f1c","nbf":1700000000}"#, &key()),
    );
    let hostile = "{\"alg\":\"none\",\"kid\":\"\u{9b}31m\u{202e}\",\"typ\":1}";
    shell.write(
        "hostile.txt",
        compact(hostile.as_bytes(), b"{\"exp\":1e300,\"iat\":1,\"iat\":2,\"nonce\":\"\"}", &key()),
    );
}

fn write_keys(shell: &Shell) {
    let other = SigningKey::from_scalar(&[9; 32]).expect("below the order of the curve");
    let jwk = key().jwk();
    let renamed = other.jwk().replace(&other.thumbprint(), "2024-key");
    let private = jwk.replace(r#""use":"sig""#, r#""d":"AQ""#);
    let encryption = r#"{"kty":"OKP","kid":"pomerium/hpke","crv":"X25519","x":"T0cGrsH6hmlrhQo9LctTZuPRa+X4/8Mp"}"#;
    let secret = r#"{"kty":"oct","k":"c2VjcmV0"}"#;
    shell.write("other.pem", other.public_key_pem());
    shell.write("public.pem", key().public_key_pem());
    shell.write("private.pem", key().to_pem());
    shell.write("none.json", key_set([]));
    shell.write("mixed.json", format!(r#"{{"keys":[{jwk},{renamed},{jwk},{encryption}]}}"#));
    shell.write("unusable.json", format!(r#"{{"keys":[{private},{secret}]}}"#));
}

fn files() -> BTreeSet<String> {
    let files = fs::read_dir(folder()).expect("the golden folder");
    files.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden")
}

fn compare(name: &str, transcript: &str) -> Result<(), String> {
    let path = folder().join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&path, transcript).map_err(|error| format!("{}: {error}", path.display()));
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected == transcript {
        return Ok(());
    }
    let line = expected.lines().zip(transcript.lines()).take_while(|(old, new)| old == new).count();
    let at = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    let number = line + 1;
    Err(format!("{name}:{number} differs\n  expected: {}\n  printed:  {}", at(&expected), at(transcript)))
}

fn show(line: &str, answer: &Answer) -> String {
    let section = |name: &str, text: &str| if text.is_empty() { String::new() } else { format!("--- {name}\n{text}") };
    let stdout = section("standard output", &answer.stdout);
    let stderr = section("standard error", &answer.stderr);
    format!("$ {line}\n{stdout}{stderr}--- exit code {}\n\n", answer.exit_code)
}

/// The demo's key, tokens, ids and times are of the moment.
fn mask(text: &str) -> String {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let end = rest[start..].find(|character| !is_word(character)).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        masked.push_str(&rest[..start]);
        masked.push_str(match word.len() {
            36.. => "<...>",
            10 if word.bytes().all(|byte| byte.is_ascii_digit()) => "<time>",
            // the age of the expired token: seconds pass on a busy machine
            3 if word.starts_with("30") || word.starts_with("31") => "300",
            _ => word,
        });
        rest = &rest[end..];
    }
    masked + rest
}
