//! What a refusal costs: memory in proportion to the token's size, and about that of a genuine token of the same
//! size, for every token.
//!
//! Allocations are counted and not time, so that the test says the same on every machine.
#![forbid(unsafe_code)]

use allocation_counter::{AllocationInfo, measure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pomerium_jwt::{ErrorCode, Verifier};
use pomerium_jwt_issuer::{Assertion, SigningKey, compact, key_set};
use serde_json::{Value, json};

const HOST: &str = "app.example.com";
const NOW: i64 = 1_795_354_147;
/// The sizes of tokens in bytes, up to `max_token_bytes`.
const SIZES: [usize; 4] = [1024, 5500, 16 * 1024, 128 * 1024];
/// Bytes allocated for each byte of the token, at most, and for what does not depend on it: the error's sentence.
const BYTES_PER_BYTE: u64 = 16;
const CONSTANT: u64 = 1024;
/// How much more than a genuine token a hostile one of the same size may allocate: names with escapes are copied one by
/// one, which groups need not be.
const BYTES_RATIO: u64 = 2;
const COUNT_RATIO: u64 = 4;

/// Contents of a list or an object, from one that is repeated: what comes before, the repeated piece, what comes after.
/// `#` is replaced by a number, so that names differ.
const CONTENTS: [(&str, &str, &str, &str); 16] = [
    ("empty objects", "[", "{},", "{}]"),
    ("empty lists", "[", "[],", "[]]"),
    ("objects of one member", "[", r#"{"":0},"#, "{}]"),
    ("lists of one entry", "[", "[0],", "[]]"),
    ("objects in objects", "[", r#"{"":{"":{"":{"":{}}}}},"#, "{}]"),
    ("lists in lists", "[", "[[[[[]]]]],", "[]]"),
    ("members", "{", r##""#":0,"##, r#""":0}"#),
    ("members with escapes", "{", r##""\u0061#":0,"##, r#""":0}"#),
    ("objects as members", "{", r##""#":{"":0},"##, r#""":{}}"#),
    ("integers", "[", "0,", "0]"),
    ("fractions", "[", "0.1234567890123456789,", "0]"),
    ("empty strings", "[", r#""","#, "0]"),
    ("strings with escapes", "[", r#""\n","#, "0]"),
    ("one long string", "\"", "a", "\""),
    ("one long string of escapes", "\"", "\\u0061", "\""),
    ("one long name", "{\"", "a", "\":0}"),
];

/// A value of about so many bytes.
fn value(content: (&str, &str, &str, &str), bytes: usize) -> String {
    let (_, before, piece, after) = content;
    let mut text = before.to_owned();
    let mut number = 0;
    while text.len() + piece.len() + after.len() < bytes {
        text += &piece.replace('#', &format!("{number:x}"));
        number += 1;
    }
    text + after
}

fn key() -> SigningKey {
    SigningKey::from_scalar(&[0x11; 32]).expect("below the order of the curve")
}

fn verifier() -> Verifier {
    let set: Value = serde_json::from_str(&key_set([&key()])).expect("a key set");
    let options = json!({"issuer": HOST, "audience": HOST, "jwks": set, "max_token_bytes": 131_072});
    Verifier::from_json(options.to_string()).expect("options")
}

/// The header's and the payload's bytes that make a token of this size, the signature being 86 characters and the dots two.
fn decoded(size: usize) -> usize {
    (size - 92) * 3 / 4
}

fn with_member(object: &str, value: &str) -> String {
    format!("{},\"x\":{value}}}", object.trim_end_matches('}'))
}

fn claims() -> String {
    Assertion::new(HOST, NOW).user("alice", "alice@example.com", "Alice").to_json()
}

/// Tokens of about this size that nobody has signed, with what is said of them.
fn hostile(size: usize) -> Vec<(String, Vec<u8>)> {
    let (key, header, claims) = (key(), key().jose_header(), claims());
    let room = |other: &str| decoded(size).saturating_sub(other.len() + 8);
    let mut tokens = Vec::new();
    for content in CONTENTS {
        // as large as a header may be, and as large as the token
        for largest in [4096, usize::MAX] {
            let bytes = (room(&claims) - header.len()).min(largest - header.len() - 8);
            let header = with_member(&header, &value(content, bytes));
            let spaces = " ".repeat(decoded(size).saturating_sub(header.len() + claims.len()));
            let payload = claims.clone() + &spaces;
            tokens.push((format!("{} in the header", content.0), unsigned(&header, &payload)));
            let unknown = header.replacen(&key.thumbprint(), "unknown", 1);
            tokens.push((format!("{} in the header, an unknown kid", content.0), unsigned(&unknown, &payload)));
        }
        let payload = with_member(&claims, &value(content, room(&header) - claims.len()));
        tokens.push((format!("{} in the payload", content.0), unsigned(&header, &payload)));
        let foreign = SigningKey::from_scalar(&[0x22; 32]).expect("below the order of the curve");
        let badly_signed = compact(header.as_bytes(), payload.as_bytes(), &foreign).into_bytes();
        tokens.push((format!("{} in the payload, signed by another key", content.0), badly_signed));
    }
    for (name, byte) in [("dots", b'.'), ("commas", b','), ("letters", b'A'), ("NULs", 0), ("blanks", b' ')] {
        tokens.push((format!("only {name}"), vec![byte; size]));
    }
    tokens
}

fn unsigned(header: &str, payload: &str) -> Vec<u8> {
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{payload}.{}", "A".repeat(86)).into_bytes()
}

/// A genuine token of this size: the user is in many groups.
fn genuine(size: usize) -> Vec<u8> {
    let empty = Assertion::new(HOST, NOW).user("alice", "alice@example.com", "Alice");
    let group = "0123456789abcdef0123456789abcdef0123"; // as long as a directory's id
    let room = size.saturating_sub(empty.clone().mint(&key()).len()) * 3 / 4;
    empty.groups(vec![group; room / (group.len() + 3)]).mint(&key()).into_bytes()
}

/// What verifying it allocates. The first token of a verifier is not measured: tables are built for it.
fn cost(verifier: &Verifier, token: &[u8], expected: &[Option<ErrorCode>]) -> AllocationInfo {
    measure(|| {
        let outcome = verifier.verify_at(token, NOW);
        let code = outcome.as_ref().err().map(|error| error.code());
        assert!(expected.contains(&code), "{code:?}");
    })
}

#[test]
fn a_refusal_before_the_signature_costs_about_what_a_genuine_token_does() {
    use ErrorCode::{KeyNotFound, SignatureInvalid, TokenMalformed, TokenRepeated};
    let refusals = [KeyNotFound, SignatureInvalid, TokenMalformed, TokenRepeated].map(Some);
    let verifier = verifier();
    for size in SIZES {
        let _ = cost(&verifier, &genuine(size), &[None]);
        let good = cost(&verifier, &genuine(size), &[None]);
        let mut worst = (0, 0, 0, String::new());
        for (name, token) in hostile(size) {
            let cost = cost(&verifier, &token, &refusals);
            let (bytes, limit) = (token.len() as u64, BYTES_PER_BYTE * token.len() as u64 + CONSTANT);
            assert!(bytes <= size as u64, "{name}: {bytes} bytes, not {size}");
            assert!(cost.bytes_total <= limit, "{name}, {bytes} bytes: {cost:?}, {limit} bytes allowed");
            assert!(cost.bytes_current == 0, "{name}: something is kept of a refused token, {cost:?}");
            assert!(cost.bytes_total <= BYTES_RATIO * good.bytes_total, "{name}: {cost:?}, genuine {good:?}");
            assert!(cost.count_total <= COUNT_RATIO * good.count_total, "{name}: {cost:?}, genuine {good:?}");
            worst = worst.max((cost.bytes_total, cost.bytes_max, cost.count_total, name));
        }
        let (total, max, count, name) = worst;
        println!("{size} bytes: genuine {good:?}");
        println!("{size} bytes: worst {total} bytes in {count} allocations, {max} at once: {name}");
    }
}
