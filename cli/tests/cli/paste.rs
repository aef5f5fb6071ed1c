//! `inspect` finds the token in pasted text, and says what was wrong with it.

use std::fmt::Write as _;

use pomerium_jwt_issuer::{SigningKey, compact};
use serde_json::{Value, json};

use crate::shell::{NOW, Shell, assertion, key};

const OPTIONS: &str = "--route https://app.example.com --jwks-file keys.json";

/// The output of `curl -v` for a request with this header line and an answer with this body.
fn curl(request: &str, body: &str) -> String {
    format!(
        "* Host app.example.com:443 was resolved.\n*   Trying 203.0.113.5:443...\n* SSL connection using TLSv1.3 / \
         TLS_AES_128_GCM_SHA256 / X25519 / id-ecPublicKey\n* [HTTP/2] [1] [:path: /headers]\n> GET /headers HTTP/2\r\n\
         > Host: app.example.com\r\n> User-Agent: curl/8.14.1\r\n> Accept: */*\r\n{request}> \r\n< HTTP/2 200 \r\n\
         < content-type: application/json\r\n< server: envoy\r\n< \r\n{{ [5 bytes data]\n{body}\n\
         * Connection #0 to host app.example.com left intact\n"
    )
}

fn httpbin(token: &str) -> String {
    let headers = json!({"headers": {
        "Accept": ["*/*"], "Host": ["app.example.com"], "X-Forwarded-For": ["198.51.100.7,10.0.0.1"],
        "X-Pomerium-Jwt-Assertion": [token], "X-Request-Id": ["94d0d8b6-28d2-482c-b755-fb0e6b13b1f5"],
    }});
    serde_json::to_string_pretty(&headers).expect("JSON")
}

/// Broken into lines of this width, as terminals, e-mails and YAML do.
fn wrapped(token: &str, width: usize, end: &str) -> String {
    let mut text = String::new();
    for (position, character) in token.char_indices() {
        if position > 0 && position % width == 0 {
            text.push_str(end);
        }
        text.push(character);
    }
    text
}

fn utf_16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

const BROKEN: &str = "spaces or line breaks";

/// Texts that quote the token, and part of the remark about each.
fn quoting(token: &str) -> Vec<(String, &'static str)> {
    const NAME: &str = "after the name of its header";
    const OTHER: &str = "in a longer text";
    let header = format!("X-Pomerium-Jwt-Assertion: {token}");
    vec![
        (curl(&format!("> x-pomerium-jwt-assertion: {token}\r\n"), "ok"), NAME),
        (curl(&format!("* [HTTP/2] [1] [x-pomerium-jwt-assertion: {token}]\n> {header}\r\n"), "ok"), NAME),
        (curl("", &httpbin(token)), NAME),
        (httpbin(token), NAME),
        (json!({"headers": {"X-Pomerium-Jwt-Assertion": token}, "url": "https://a/?b=c,d"}).to_string(), NAME),
        (format!("GET / HTTP/1.1\nHost: app.example.com\n{header}\nAccept: */*\n\n"), NAME),
        (format!("Accept: */*\r\n{header}\r\n"), NAME),
        (format!("{header}\nAccept: */*\n"), NAME),
        (format!("HTTP_X_POMERIUM_JWT_ASSERTION={token}"), NAME),
        (format!("PATH=/bin\nHTTP_X_POMERIUM_JWT_ASSERTION={token}\nHOME=/root\n"), NAME),
        (format!("'HTTP_X_POMERIUM_JWT_ASSERTION': '{token}', 'wsgi.version': (1, 0)"), NAME),
        (format!("('X-Pomerium-Jwt-Assertion', '{token}')"), NAME),
        (format!("map[X-Pomerium-Jwt-Assertion:[{token}]]"), NAME),
        (format!("\"X-Pomerium-Jwt-Assertion\" => \"{token}\","), NAME),
        (format!("curl -H 'X-Pomerium-Jwt-Assertion: {token}' http://127.0.0.1:8000/"), NAME),
        (format!("x-pomerium-jwt-assertion\n{token}\n"), OTHER),
        (format!("X-Pomerium-Jwt-Assertion-For: {token}"), "first hop"),
        (format!("Cookie: theme=dark; _pomerium={token}; lang=en"), "cookie"),
        (format!("Authorization: Bearer {token}"), "after Authorization"),
        (format!("> Authorization: Bearer Pomerium-{token}"), "after Authorization"),
        (format!("https://app.example.com/callback?jwt={token}"), "parameter jwt of a URL"),
        (format!("https://app.example.com/?a=b&jwt={token}&c=d#e"), "parameter jwt of a URL"),
        (format!("https://app.example.com/a/{token}/b"), OTHER),
        (format!("https://b.example.com/?next=https%3A%2F%2Fa%2F%3Fjwt%3D{token}%26x%3Dy"), "percent-encoded"),
        (format!("the token is {token}, is it not?"), OTHER),
        (wrapped(&header, 80, "\n"), BROKEN),
        (format!("Accept: */*\nX-Pomerium-Jwt-Assertion: {}\nHost: a\n", wrapped(token, 80, "\n  ")), BROKEN),
        (format!("{}\nOK\n", wrapped(token, 80, "\n")), BROKEN),
        (format!("{token}\nOK\n"), OTHER),
        (format!("eyJ is how it begins {token}"), OTHER),
        (format!("eyJ eyJh eyJhbGciOiJFUzI1NiJ9 {token}"), OTHER),
    ]
}

/// Damaged tokens, which an application may have received so, and part of the remark about each.
fn damaged(token: &str) -> Vec<(Vec<u8>, &'static str)> {
    const MARKS: &str = "quotation marks";
    let texts = [
        (token.replace('.', "%2E"), "percent-encoded"),
        (format!("%22{token}%22"), MARKS),
        (format!("“{token}”"), MARKS),
        (format!("‘{token}’"), MARKS),
        (format!("«{token}»"), MARKS),
        (format!("`{token}`"), MARKS),
        (format!("<{token}>"), MARKS),
        (format!("{token}."), MARKS),
        (format!("**{token}**"), MARKS),
        (format!("_{token}"), MARKS),
        (format!("\u{feff}{token}\r\n"), "byte order mark"),
        (format!("\u{200b}{token}\u{200b}"), "invisible characters"),
        (wrapped(token, 76, "\n"), BROKEN),
        (wrapped(token, 76, "\r\n"), BROKEN),
        (wrapped(token, 40, "\n    "), BROKEN),
        (wrapped(token, 75, "=\r\n"), BROKEN),
        (wrapped(token, 80, "\\\n"), BROKEN),
        (wrapped(token, 76, "\u{ad}\u{200b}"), "invisible characters"),
        (wrapped(token, 30, " "), BROKEN),
        (format!("\"{}\"", wrapped(token, 80, "\n")), BROKEN),
        (format!("{token},{token}"), MARKS),
        (format!("{token}\n{token}\n"), ""),
        (token.split('.').map(|part| format!("{part}==")).collect::<Vec<_>>().join("."), "standard base64"),
        (token.replace('-', "+").replace('_', "/"), "standard base64"),
    ];
    let utf_16 = (utf_16(&format!("{token}\r\n")), "UTF-16");
    texts.into_iter().map(|(text, remark)| (text.into_bytes(), remark)).chain([utf_16]).collect()
}

#[test]
fn the_token_is_found_in_pasted_text() {
    let shell = Shell::new();
    // a signature with both characters that the two alphabets write differently
    let token = (0..)
        .map(|number| assertion().claim("number", number).mint(&key()))
        .find(|token| {
            ['-', '_'].iter().all(|character| token.rsplit('.').next().is_some_and(|s| s.contains(*character)))
        })
        .expect("one of many");
    let quoting = quoting(&token).into_iter().map(|(text, remark)| (0, text.into_bytes(), remark));
    let damaged = damaged(&token).into_iter().map(|(text, remark)| (1, text, remark));
    for (exit_code, text, remark) in quoting.chain(damaged) {
        shell.write("paste.txt", &text);
        let shown = String::from_utf8_lossy(&text);
        let line = format!("pomerium-jwt inspect {OPTIONS} --at {NOW} --json");
        for input in ["< paste.txt", "paste.txt"] {
            let answer = shell.run(&format!("{line} {input}"));
            let document: Value =
                serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{shown}: {answer:?}"));
            assert_eq!(document["claims"]["email"], "alice@example.com", "{shown}: {answer:?}");
            let checks = document["checks"].as_array().expect("checks");
            let failed = checks.iter().find(|check| check["outcome"] != "passed");
            assert_eq!(failed, None, "{shown}: the token inside is a good one");
            assert_eq!(document["as_given"].is_string(), exit_code == 1, "{shown}: {answer:?}");
            assert!(document["hints"].to_string().contains(remark), "{shown}: {remark:?} is not said: {answer:?}");
            assert_eq!(answer.exit_code, exit_code, "{shown}");
        }
    }
}

#[test]
fn a_header_line_and_a_file_are_as_good_as_the_token() {
    let shell = Shell::new();
    let token = assertion().mint(&key());
    shell.write("line.txt", format!("x-pomerium-jwt-assertion: {token}\r\n"));
    shell.write("spaces.txt", format!("\n\n  {token}\n"));
    for input in [
        "< token.txt".to_owned(),
        "token.txt".to_owned(),
        "/dev/stdin < token.txt".to_owned(),
        "< line.txt".to_owned(),
        "< spaces.txt".to_owned(),
        format!("X-Pomerium-Jwt-Assertion: {token}"),
        format!("Bearer {token}"),
    ] {
        for options in ["", OPTIONS] {
            let answer = shell.run(&format!("pomerium-jwt inspect {options} --at {NOW} {input}"));
            assert_eq!(answer.exit_code, 0, "{input}: {answer:?}");
            assert!(answer.stdout.starts_with("NOT VERIFIED"), "{input}: {answer:?}");
        }
    }
    let answer = shell.run(&format!("pomerium-jwt verify {OPTIONS} --at {NOW} token.txt"));
    assert_eq!(answer.exit_code, 1, "verify reads no files: {answer:?}");
    assert!(answer.stderr.contains("the name of a file: write < FILE"), "{answer:?}");
}

#[test]
fn different_tokens_are_named_and_none_is_chosen() {
    let shell = Shell::new();
    let (token, other) = (assertion().mint(&key()), assertion().claim("sub", "bob").mint(&key()));
    let credential = format!("> authorization: Bearer Pomerium-{other}\r\n");
    for (text, places) in [
        (
            curl(&credential, &httpbin(&token)),
            "in line 9 after authorization, in line 28 after X-Pomerium-Jwt-Assertion",
        ),
        (format!("{token}\n{other}\n"), "in line 1, in line 2"),
        (format!("{token}\n{token}\n{other}\n"), "in line 1, in line 3"),
        (format!("{token},{other}"), "in line 1, in line 1"),
        (format!("{}\n{}", wrapped(&token, 80, "\n"), wrapped(&other, 80, "\n")), "in line 1, in line 10"),
    ] {
        shell.write("paste.txt", &text);
        for options in ["", OPTIONS] {
            let answer = shell.run(&format!("pomerium-jwt inspect {options} < paste.txt"));
            let sentence = format!("There are 2 different tokens, {places}: give one of them.\n");
            assert_eq!(answer.stdout, sentence, "{text}");
            assert_eq!(answer.exit_code, 1, "{text}");
        }
        let answer = shell.run("pomerium-jwt inspect --json < paste.txt");
        let document: Value = serde_json::from_str(&answer.stdout).expect("JSON");
        assert_eq!((&document["claims"], &document["checks"]), (&Value::Null, &json!([])), "{answer:?}");
    }
}

#[test]
fn without_a_token_it_is_said_what_was_looked_for() {
    let shell = Shell::new();
    let token = assertion().mint(&key());
    let parts: Vec<&str> = token.split('.').collect();
    let many = |text: &str| {
        (0..200_000).fold(String::new(), |mut many, _| write!(many, "{text}").map(|()| many).expect("a String"))
    };
    for (text, hint) in [
        (curl("", "<!doctype html>"), ""),
        ("hello".to_owned(), "Without a dot"),
        ("missing.txt".to_owned(), "With two parts"),
        ("eyJhbGciOi...".to_owned(), ""),
        (format!("x-pomerium-jwt-assertion: {}...", &token[..40]), "the beginning of a token"),
        (format!("{}.{}", parts[0], parts[1]), "With two parts"),
        (format!("{token}.{}.{}", parts[1], parts[2]), "JWE"),
        ("eyJ.eyJ.eyJ".to_owned(), ""),
        ("eyJ".to_owned(), "Without a dot"),
        ("${pomerium.jwt}".to_owned(), "placeholder"),
        ("a.b,c.d".to_owned(), "several values"),
        (many("eyJ"), ""),
        (many("eyJ "), ""),
        (many("Pomerium-eyJ"), ""),
        (many("eyJ.eyJ.\n"), ""),
        (many(&format!("{}.a ", parts[0]))[..1_000_000].to_owned(), ""),
    ] {
        shell.write("paste.txt", &text);
        let answer = shell.run("pomerium-jwt inspect < paste.txt");
        let start = &text[..text.len().min(80)];
        assert_eq!(answer.exit_code, 1, "{start}: {}", answer.stdout);
        let wanted = "No token was found: a token begins with eyJ and has three parts in base64url";
        if !hint.is_empty() || text.len() < 1000 {
            assert!(answer.stdout.starts_with(wanted), "{start}: {}", answer.stdout);
        }
        assert!(answer.stdout.contains(hint), "{start}: {hint:?} is not said: {}", answer.stdout);
    }
}

#[test]
fn a_token_of_another_kind_is_found_too() {
    let shell = Shell::new();
    let other = SigningKey::generate();
    let session = compact(br#"{"alg":"HS256","typ":"JWT"}"#, br#"{"jti":"sa-6f1c","nbf":1700000000}"#, &other);
    let cut = &assertion().mint(&key())[..600];
    for (text, hint) in [
        (format!("Authorization: Bearer Pomerium-{session}\nAccept: */*"), "an HMAC"),
        (format!("X-Pomerium-Jwt-Assertion: {cut}\nAccept: */*"), "the end was cut off"),
        (format!("\"{}\"", compact(br#"{"alg":"none"}"#, b"{}", &other)), "with alg none"),
    ] {
        shell.write("paste.txt", &text);
        let answer = shell.run("pomerium-jwt inspect < paste.txt");
        assert!(answer.stdout.contains(hint), "{text}: {answer:?}");
    }
}
