//! From the header's text to three decoded parts: `Bearer`, size, comma, dots, base64url.

use serde_json::json;

use crate::{
    case::{Case, Draft, case},
    fixtures::{KEY, base64url},
};

pub(crate) fn cases() -> Vec<Case> {
    [missing(), bearer(), repeated(), sizes(), parts(), base64(), whitespace()].concat()
}

fn missing() -> Vec<Case> {
    vec![
        case("token-empty", "no header, or one that Pomerium could not sign").token("").refused("token_missing"),
        case("token-bearer-alone", "Bearer and its space, nothing after").token("Bearer ").refused("token_missing"),
        case("token-bearer-alone-lower-case", "in any case").token("bEARER ").refused("token_missing"),
    ]
}

fn bearer() -> Vec<Case> {
    let with = |id: &str, note: &str, prefix: &str| {
        case(format!("bearer-{id}"), note).text(|token| format!("{prefix}{token}"))
    };
    vec![
        with("removed", "as set_request_headers writes Authorization", "Bearer ").accepted(),
        with("lower-case", "a scheme is compared without case", "bearer ").accepted(),
        with("upper-case", "a scheme is compared without case", "BEARER ").accepted(),
        with("two-spaces", "one space and no more", "Bearer  ").refused("token_malformed"),
        with("tab", "a space, not a tab", "Bearer\t").refused("token_malformed"),
        with("no-space", "no space at all", "Bearer").refused("token_malformed"),
        with("twice", "only one is removed", "Bearer Bearer ").refused("token_malformed"),
        with("space-before", "nothing stands before it", " Bearer ").refused("token_malformed"),
        with("colon", "Bearer with a colon", "Bearer: ").refused("token_malformed"),
        with("basic", "another scheme", "Basic ").refused("token_malformed"),
        with("pomerium", "the scheme of Pomerium's own API", "Pomerium ").refused("token_malformed"),
        case("bearer-word", "the word alone is not a token").token("Bearer").refused("token_malformed"),
    ]
}

/// Every framework joins repeated headers with a comma, or is told to.
fn repeated() -> Vec<Case> {
    let with = |id: &str, note: &str, change: fn(String) -> String| {
        case(format!("repeated-{id}"), note).text(change).refused("token_repeated")
    };
    vec![
        with("same", "the same good token twice", |token| format!("{token},{token}")),
        with("space", "with a space after the comma", |token| format!("{token}, {token}")),
        with("empty-second", "the second value is empty", |token| format!("{token},")),
        with("empty-first", "the first value is empty", |token| format!(",{token}")),
        with("bearer", "each with Bearer", |token| format!("Bearer {token}, Bearer {token}")),
        with("rubbish-first", "rubbish before a good token", |token| format!("x, {token}")),
        with("rubbish-second", "rubbish after a good token", |token| format!("{token}, x")),
        with("comma", "only a comma", |_| ",".to_owned()),
        with("bearer-comma", "only a comma after Bearer", |_| "Bearer ,".to_owned()),
        with("json", "the JSON serialization holds commas", |token| {
            let parts: Vec<&str> = token.split('.').collect();
            let [header, payload, signature] = parts[..] else { unreachable!("three parts") };
            format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#)
        }),
    ]
}

fn sizes() -> Vec<Case> {
    let limited = |id: &str, note: &str, length: usize| {
        of_length(case(format!("size-{id}"), note).option("max_token_bytes", 1024), length)
    };
    let dots = |id: &str, note: &str, count: usize| case(format!("size-{id}"), note).token(json!([[".", count]]));
    let most = |draft: Draft| draft.option("max_token_bytes", 1_048_576);
    let header = base64url(KEY.jose_header());
    vec![
        limited("below", "below the limit; no token has one byte more, base64url leaves lengths out", 1022).accepted(),
        limited("at", "at the limit", 1024).accepted(),
        limited("above", "above the limit", 1025).refused("token_too_large"),
        limited("bearer", "Bearer does not count", 1024).text(|token| format!("Bearer {token}")).accepted(),
        limited("bearer-above", "Bearer does not count", 1025)
            .text(|token| format!("Bearer {token}"))
            .refused("token_too_large"),
        dots("default-at", "the default limit is 131072 bytes", 131_072).refused("token_malformed"),
        dots("default-above", "one more", 131_073).refused("token_too_large"),
        most(dots("most-at", "the largest limit", 1_048_576)).refused("token_malformed"),
        most(dots("most-above", "one more", 1_048_577)).refused("token_too_large"),
        most(dots("million-dots", "a million dots", 1_000_000)).refused("token_malformed"),
        case("size-megabyte", "a megabyte of letters").token(json!([["A", 1_048_576]])).refused("token_too_large"),
        case("size-90-kilobytes", "a payload of 67,500 letters: a token of 90 kB, and not the one that was signed")
            .token(json!([format!("{header}."), ["x".repeat(60), 1500], ".", "A".repeat(86)]))
            .refused("signature_invalid"),
    ]
}

/// A token of so many bytes, by a claim of the right length.
fn of_length(draft: Draft, length: usize) -> Draft {
    let with = |count: usize| draft.clone().claim("department", "x".repeat(count));
    let shortest = with(0).mint().len();
    let nearly = (length - shortest) * 3 / 4;
    (nearly - 2..=nearly + 2).map(with).find(|draft| draft.mint().len() == length).expect("a claim of this length")
}

fn parts() -> Vec<Case> {
    let with = |id: &str, note: &str, change: fn(&[&str]) -> String| {
        let text = |token: String| change(&token.split('.').collect::<Vec<_>>());
        case(format!("parts-{id}"), note).text(text)
    };
    let malformed = |id, note, change| with(id, note, change).refused("token_malformed");
    vec![
        malformed("word", "a word", |_| "token".to_owned()),
        malformed("one", "the JOSE header alone", |parts| parts[0].to_owned()),
        malformed("two", "no signature, and no dot before it", |parts| parts[..2].join(".")),
        malformed("four", "a fourth part", |parts| format!("{}.{}", parts.join("."), parts[2])),
        malformed("five", "five parts, as an encrypted token has", |parts| {
            [parts[0], parts[1], parts[1], parts[1], parts[2]].join(".")
        }),
        malformed("jwe", "an encrypted token, with compression and work for a verifier that believes it", |parts| {
            let header = base64url(r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"zip":"DEF"}"#);
            [&header, "AAAA", "AAAA", parts[1], "AAAA"].join(".")
        }),
        malformed("dot-before", "a dot before it", |parts| format!(".{}", parts.join("."))),
        malformed("dot-behind", "a dot after it", |parts| format!("{}.", parts.join("."))),
        malformed("dot-doubled", "two dots in a row", |parts| format!("{}..{}", parts[0], parts[1..].join("."))),
        malformed("dot", "a dot", |_| ".".to_owned()),
        malformed("two-dots", "three empty parts", |_| "..".to_owned()),
        malformed("three-dots", "four empty parts", |_| "...".to_owned()),
        malformed("header-empty", "an empty header", |parts| format!(".{}.{}", parts[1], parts[2])),
        with("payload-empty", "the payload cut out", |parts| format!("{}..{}", parts[0], parts[2]))
            .refused("signature_invalid"),
        with("signature-empty", "the signature cut out, its dot left", |parts| format!("{}.{}.", parts[0], parts[1]))
            .refused("signature_invalid"),
        malformed("json-general", "a JSON serialization without a comma", |parts| {
            format!(r#"{{"payload":"{}"}}"#, parts[1])
        }),
        malformed("quoted", "in quotes", |parts| format!("\"{}\"", parts.join("."))),
        malformed("named", "with the header's name before it", |parts| {
            format!("X-Pomerium-Jwt-Assertion: {}", parts.join("."))
        }),
        malformed("cookie", "as a cookie would have it", |parts| format!("jwt={}", parts.join("."))),
        malformed("paserk", "a token of another kind, with its version first", |parts| {
            format!("v4.public.{}", parts[1])
        }),
    ]
}

/// Id, note, and what becomes of a part.
type Change = (&'static str, &'static str, fn(&str) -> String);

/// Strict base64url (RFC 7515 section 2): no padding, no other alphabet, no spare bits. Header and payload are signed as
/// they stand, so that nothing else is wrong.
fn base64() -> Vec<Case> {
    let changes: [Change; 11] = [
        ("padding", "padded to a multiple of four", |part| format!("{part}{}", "=".repeat(4 - part.len() % 4))),
        ("padding-escaped", "padded, and escaped for a URL", |part| format!("{part}%3D%3D")),
        ("spare-bits", "a spare bit after the last byte is set", with_spare_bit),
        ("one-more", "a last letter that holds six bits only", |part| {
            format!("{part}{}", "A".repeat(5 - part.len() % 4))
        }),
        ("standard", "the standard alphabet, + and /", |part| part.replace('-', "+").replace('_', "/")),
        ("space", "a space inside", |part| inserted(part, " ")),
        ("line-end", "a line end inside, as PEM has", |part| inserted(part, "\n")),
        ("line-end-behind", "a line end behind", |part| format!("{part}\n")),
        ("nul", "a NUL inside", |part| inserted(part, "\0")),
        ("not-ascii", "a letter beyond ASCII", |part| inserted(part, "é")),
        ("backslash", "a backslash inside", |part| inserted(part, "\\")),
    ];
    let draft = |id: String, note: String| {
        // Question marks make an underscore in every position; two members make lengths that want padding
        case(id, note).header_member(r#""x":"???""#).claim("department", "?????")
    };
    let mut cases = Vec::new();
    for (position, name) in ["header", "payload", "signature"].into_iter().enumerate() {
        for (id, note, change) in changes {
            let changed = |token: String| with_part(&token, position, change);
            cases.push(
                draft(format!("base64-{name}-{id}"), format!("{name}: {note}"))
                    .text(changed)
                    .refused("token_malformed"),
            );
        }
    }
    cases.push(draft("base64-strict".to_owned(), "the same token as it should be".to_owned()).accepted());
    cases
}

/// The token with this part changed, and signed again if the signature is over it.
fn with_part(token: &str, position: usize, change: fn(&str) -> String) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let changed = change(&parts[position]);
    assert_ne!(changed, parts[position], "the change changes nothing: give the part other content");
    parts[position] = changed;
    let input = parts[..2].join(".");
    if position < 2 {
        parts[2] = base64url(KEY.sign(input.as_bytes()));
    }
    format!("{input}.{}", parts[2])
}

fn inserted(part: &str, text: &str) -> String {
    format!("{}{text}{}", &part[..8], &part[8..])
}

/// The next letter of the alphabet at the end: the same bytes to a reader that does not look at the spare bits.
fn with_spare_bit(part: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(part.len() % 4, 0, "no spare bits: give the part another length");
    let (rest, last) = part.split_at(part.len() - 1);
    let value = ALPHABET.find(last).expect("a letter of the alphabet");
    format!("{rest}{}", &ALPHABET[value + 1..value + 2])
}

fn whitespace() -> Vec<Case> {
    let malformed = |id: &str, note: &str, before: &str, behind: &str| {
        let draft = case(format!("whitespace-{id}"), note);
        draft.text(|token| format!("{before}{token}{behind}")).refused("token_malformed")
    };
    let alone = |id: &str, note: &str, text: &str| {
        case(format!("whitespace-{id}"), note).token(text).refused("token_malformed")
    };
    vec![
        malformed("space-before", "a server strips it; what it did not strip is not part of a token", " ", ""),
        malformed("space-behind", "the same at the end", "", " "),
        malformed("tab-behind", "a tab", "", "\t"),
        malformed("line-end", "a line end", "", "\n"),
        malformed("carriage-return", "both line ends", "", "\r\n"),
        malformed("nul", "a NUL, where C would stop to read", "", "\0"),
        malformed("nul-and-more", "and more after it", "", "\0x"),
        malformed("byte-order-mark", "a byte order mark", "\u{feff}", ""),
        malformed("no-break-space", "a space beyond ASCII", "", "\u{a0}"),
        malformed("semicolon", "parameters after it", "", "; x=1"),
        alone("only-space", "nothing but a space", " "),
        alone("only-spaces-and-dots", "spaces for parts", " . . "),
        alone("only-line-end", "nothing but a line end", "\n"),
        alone("only-nul", "nothing but a NUL", "\0"),
        case("whitespace-wide-dots", "dots of a wide script")
            .text(|token| token.replace('.', "．"))
            .refused("token_malformed"),
    ]
}
