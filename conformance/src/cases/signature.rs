//! The signature: its value, its coding, and what it is over.

use pomerium_jwt_issuer::SigningKey;
use serde_json::json;

use crate::{
    case::{Case, Draft, case},
    fixtures::{IAT, KEY, NOW, OTHER, jwk_with, key_set},
};

pub(crate) fn cases() -> Vec<Case> {
    [values(), codings(), altered(), other_key()].concat()
}

/// The order of P-256 (SEC 2 section 2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// r and s outside of 1 to n-1, or not those of the message (CVE-2022-21449 and others).
fn values() -> Vec<Case> {
    let zero = [0; 32];
    let one = {
        let mut one = zero;
        one[31] = 1;
        one
    };
    let most = [0xff; 32];
    let below = minus(ORDER, one);
    let above = plus_one(ORDER);
    let with = |id: &str, note: &str, change: &dyn Fn([u8; 32], [u8; 32]) -> Vec<u8>| {
        case(format!("signature-{id}"), note).signature(|signature| {
            let (r, s) = signature.split_at(32);
            change(r.try_into().expect("32 bytes"), s.try_into().expect("32 bytes"))
        })
    };
    let mut cases = vec![with("all-zero", "r and s are 0", &|_, _| vec![0; 64]).refused("signature_invalid")];
    for (id, value) in
        [("0", zero), ("1", one), ("n-less-1", below), ("n", ORDER), ("n-and-1", above), ("2-256-less-1", most)]
    {
        cases.extend([
            with(&format!("r-{id}"), &format!("r is {}", id.replace("-less-", "-").replace("-and-", "+")), &|_, s| {
                [value, s].concat()
            })
            .refused("signature_invalid"),
            with(&format!("s-{id}"), "the same for s", &|r, _| [r, value].concat()).refused("signature_invalid"),
            with(&format!("both-{id}"), "the same for both", &|_, _| [value, value].concat())
                .refused("signature_invalid"),
        ]);
    }
    cases.extend([
        with("n-and-0", "r is n, s is 0", &|_, _| [ORDER, zero].concat()).refused("signature_invalid"),
        with("swapped", "s before r", &|r, s| [s, r].concat()).refused("signature_invalid"),
        with("reversed", "in the byte order of other machines", &|r, s| {
            let reversed = |bytes: [u8; 32]| bytes.into_iter().rev().collect::<Vec<_>>();
            [reversed(r), reversed(s)].concat()
        })
        .refused("signature_invalid"),
        with("s-negated", "(r, n-s) holds as (r, s) does: JWS demands no low s", &|r, s| [r, minus(ORDER, s)].concat())
            .accepted(),
        with("r-negated", "but (n-r, s) does not", &|r, s| [minus(ORDER, r), s].concat()).refused("signature_invalid"),
        with("both-negated", "nor do both", &|r, s| [minus(ORDER, r), minus(ORDER, s)].concat())
            .refused("signature_invalid"),
    ]);
    cases
}

/// a - b, for a > b.
fn minus(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    let mut difference = [0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i16::from(a[at]) - i16::from(b[at]) - borrow;
        borrow = i16::from(digit < 0);
        difference[at] = u8::try_from(digit + 256 * borrow).expect("a digit");
    }
    assert_eq!(borrow, 0, "a > b");
    difference
}

/// The order does not end in 0xff.
fn plus_one(mut number: [u8; 32]) -> [u8; 32] {
    number[31] += 1;
    number
}

/// r ‖ s in 64 bytes (RFC 7518 section 3.4) and nothing else.
fn codings() -> Vec<Case> {
    let with = |id: &str, note: &str, change: fn(Vec<u8>) -> Vec<u8>| {
        case(format!("signature-{id}"), note).signature(change).refused("signature_invalid")
    };
    vec![
        with("der", "DER, as X.509 has it", |signature| der(&signature)),
        with("63-bytes", "a byte short", |mut signature| {
            signature.pop();
            signature
        }),
        with("63-bytes-first", "a byte short at its front", |signature| signature[1..].to_vec()),
        with("65-bytes", "a byte more", |signature| [signature, vec![0]].concat()),
        with("65-bytes-first", "a zero before it", |signature| [vec![0], signature].concat()),
        with("66-bytes", "each half with a leading zero", |signature| {
            [&[0], &signature[..32], &[0], &signature[32..]].concat()
        }),
        with("96-bytes", "the length of P-384", |signature| {
            [vec![0; 16], signature[..32].to_vec(), vec![0; 16], signature[32..].to_vec()].concat()
        }),
        with("256-bytes", "the length of RSA", |_| vec![1; 256]),
        with("twice", "the signature twice", |signature| signature.repeat(2)),
        with("1-byte", "one byte", |_| vec![0]),
        with("recovery", "with the recovery byte of Bitcoin", |signature| [vec![27], signature].concat()),
        with("hex", "in hex", |signature| {
            signature.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes()
        }),
    ]
}

/// The DER of a signature (RFC 3279 section 2.2.3).
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let digits: Vec<u8> = number.iter().copied().skip_while(|digit| *digit == 0).collect();
        let sign = if digits[0] < 0x80 { vec![] } else { vec![0] };
        let length = u8::try_from(sign.len() + digits.len()).expect("a short number");
        [vec![2, length], sign, digits].concat()
    };
    let both = [integer(&signature[..32]), integer(&signature[32..])].concat();
    [vec![0x30, u8::try_from(both.len()).expect("a short signature")], both].concat()
}

/// The signature is over the exact bytes received.
fn altered() -> Vec<Case> {
    let replaced = |id: &str, note: &str, part: usize, replacement: Draft| {
        let text = |token: String, other: String| {
            let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
            parts[part] = other.split('.').nth(part).expect("three parts").to_owned();
            parts.join(".")
        };
        let mut other = String::new();
        let _ = replacement.text(|token| {
            other = token.clone();
            token
        });
        case(format!("altered-{id}"), note).text(|token| text(token, other)).refused("signature_invalid")
    };
    let plain = || case("", "");
    vec![
        replaced("subject", "another subject", 1, plain().claim("sub", "admin")),
        replaced("groups", "one group more", 1, plain().claim("groups", json!(["staff", "admins"]))),
        replaced("expiry", "a later end", 1, plain().claim("exp", IAT + 301)),
        replaced("spaces", "the same claims with a space", 1, plain().payload_member(r#" "x":1"#)),
        replaced("header", "a header of the same meaning", 0, plain().header(KEY.jose_header().replace(',', ", "))),
        replaced("signature", "the signature of another token", 2, plain().claim("jti", "j2")),
        replaced("header-member", "a member more in the header", 0, plain().header_member(r#""x":1"#)),
    ]
}

fn other_key() -> Vec<Case> {
    let kid = |key: &SigningKey| key.thumbprint();
    vec![
        case("signed-by-other", "another key under the kid of ours").signed_by(&OTHER).refused("signature_invalid"),
        case("signed-by-other-of-set", "the set's other key under the kid of ours")
            .keys(key_set(&[&KEY, &OTHER]))
            .signed_by(&OTHER)
            .refused("signature_invalid"),
        case("signed-by-relabelled", "two keys whose kids are exchanged: a kid is a name, not a proof")
            .keys(json!({"keys": [jwk_with(&KEY, json!({"kid": kid(&OTHER)})), jwk_with(&OTHER, json!({"kid": kid(&KEY)}))]}))
            .refused("signature_invalid"),
        case("signed-by-other-pem", "a PEM key answers to any kid; the sentence compares the kids")
            .source("public_key", OTHER.public_key_pem())
            .at(NOW)
            .refused_saying("signature_invalid", kid(&OTHER)),
    ]
}
