//! RS256, which is off until `algorithms` lists it.

use serde_json::{Value, json};

use crate::{
    case::{Case, Draft, case},
    fixtures::{KEY, RSA, base64url, jwk, jwk_with, key_set},
};

pub(crate) fn cases() -> Vec<Case> {
    [tokens(), keys()].concat()
}

fn both(id: &str, note: &str) -> Draft {
    let draft = case(format!("rs256-{id}"), note).option("algorithms", json!(["ES256", "RS256"]));
    draft.keys(key_set(&[&RSA])).minted_by(&RSA)
}

fn tokens() -> Vec<Case> {
    let signed = |id: &str, note: &str, change: fn(Vec<u8>) -> Vec<u8>| {
        both(id, note).signature(change).refused("signature_invalid")
    };
    vec![
        both("good", "an RSA key of 2048 bits").accepted(),
        both("alone", "RS256 and nothing else").option("algorithms", "RS256").accepted(),
        both("twice", "listed twice").option("algorithms", json!(["RS256", "ES256", "RS256"])).accepted(),
        both("default", "the default is ES256 alone").without_option("algorithms").refused("algorithm_not_allowed"),
        both("mixed-set", "one key of each kind").keys(key_set(&[&KEY, &RSA])).accepted(),
        both("mixed-set-no-kid", "no kid, and one key of its kind")
            .keys(key_set(&[&KEY, &RSA]))
            .header(r#"{"alg":"RS256"}"#)
            .accepted(),
        both("mixed-set-es256", "a token of the other kind").keys(key_set(&[&KEY, &RSA])).minted_by(&KEY).accepted(),
        both("es256-token", "ES256 and no such key").minted_by(&KEY).refused("key_not_found"),
        both("other-kind-same-kid", "ES256 under the kid of the RSA key")
            .header(RSA.jose_header().replace("RS256", "ES256"))
            .refused("key_not_found"),
        both("shared-kid", "a P-256 key and an RSA key under one kid: neither is used")
            .keys(json!({"keys": [jwk(&RSA), jwk_with(&KEY, json!({"kid": RSA.thumbprint()}))]}))
            .refused("keys_empty"),
        both("rs384", "RSA with another hash")
            .header(RSA.jose_header().replace("RS256", "RS384"))
            .refused("algorithm_not_allowed"),
        both("ps256", "RSA-PSS").header(RSA.jose_header().replace("RS256", "PS256")).refused("algorithm_not_allowed"),
        signed("altered", "a bit of the signature", |mut signature| {
            signature[255] ^= 1;
            signature
        }),
        signed("short", "a byte short", |signature| signature[..255].to_vec()),
        signed("long", "a zero before it", |signature| [vec![0], signature].concat()),
        signed("zero", "all zero", |_| vec![0; 256]),
        signed("one", "a power of any exponent", |_| [vec![0; 255], vec![1]].concat()),
        signed("most", "as large as 256 bytes get", |_| vec![0xff; 256]),
        signed("es256-signature", "64 bytes", |signature| signature[..64].to_vec()),
        signed("empty", "nothing", |_| Vec::new()),
    ]
}

/// 2048 to 8192 bits; the numbers are written in one way only.
fn keys() -> Vec<Case> {
    let number = |first: u8, bytes: usize| base64url([vec![first], vec![0xc5; bytes - 1]].concat());
    let set = |id: &str, note: &str, different: Value| {
        both(&format!("key-{id}"), note).keys(json!({"keys": [jwk_with(&RSA, different)]}))
    };
    let skipped = |id: &str, note: &str, different: Value, reason: &str| {
        set(id, note, different).refused_saying("keys_empty", reason)
    };
    let modulus = |id: &str, note: &str, first: u8, bytes: usize| set(id, note, json!({"n": number(first, bytes)}));
    let bits = |count: usize| format!("RSA of {count} bits");
    vec![
        modulus("1024", "too short", 0xc5, 128).refused_saying("keys_empty", bits(1024)),
        modulus("2047", "a bit too short", 0x45, 256).refused_saying("keys_empty", bits(2047)),
        modulus("8192", "the longest: another key, so the signature fails", 0xc5, 1024).refused("signature_invalid"),
        modulus("8193", "a bit too long", 0x01, 1025).refused_saying("keys_empty", bits(8193)),
        modulus("leading-zero", "a leading zero", 0x00, 257).refused_saying("keys_empty", "leading zero"),
        skipped("n-missing", "no modulus", json!({"n": null}), "malformed"),
        skipped("n-number", "a modulus that is not text", json!({"n": 5}), "malformed"),
        skipped("n-padded", "a modulus with padding", json!({"n": format!("{}==", number(0xc5, 256))}), "malformed"),
        skipped("n-empty", "an empty modulus", json!({"n": ""}), "bits"),
        skipped("e-missing", "no exponent", json!({"e": null}), "malformed"),
        skipped("e-empty", "an empty exponent", json!({"e": ""}), "exponent"),
        skipped("e-1", "an exponent of 1 signs nothing", json!({"e": base64url([1])}), "exponent"),
        skipped("e-even", "an even exponent", json!({"e": base64url([1, 0, 0])}), "exponent"),
        skipped("e-leading-zero", "an exponent with a leading zero", json!({"e": "AAEAAQ"}), "leading zero"),
        set("e-3", "the smallest exponent: another key, so the signature fails", json!({"e": base64url([3])}))
            .refused("signature_invalid"),
        set("e-2-33-less-1", "the largest exponent", json!({"e": base64url([1, 0xff, 0xff, 0xff, 0xff])}))
            .refused("signature_invalid"),
        skipped("e-2-33-and-1", "the next odd one", json!({"e": base64url([2, 0, 0, 0, 1])}), "exponent"),
        set("pinned", "pinned by its thumbprint, without a kid", json!({"kid": null}))
            .option("pin_kids", RSA.thumbprint())
            .accepted(),
        skipped("e-too-large", "an exponent that costs time", json!({"e": base64url([0xff; 32])}), "exponent"),
        skipped("private-d", "a private exponent", json!({"d": "AQAB"}), "private"),
        skipped("private-p", "a prime factor", json!({"p": "AQAB"}), "private"),
        skipped("alg-ps256", "a key for RSA-PSS", json!({"alg": "PS256"}), "alg is not RS256"),
        skipped("alg-rs384", "a key for another hash", json!({"alg": "RS384"}), "alg is not RS256"),
        skipped("use-enc", "a key for encryption", json!({"use": "enc"}), "use is not sig"),
        set("no-alg", "a key without alg, use and kid", json!({"alg": null, "use": null, "kid": null})).accepted(),
        set("not-allowed", "an RSA key in a set for ES256: skipped, and the set is empty", json!({}))
            .without_option("algorithms")
            .minted_by(&KEY)
            .refused_saying("keys_empty", "RS256 is not in algorithms"),
        set("beside", "an RSA key next to the right one is skipped without harm", json!({}))
            .without_option("algorithms")
            .keys(key_set(&[&RSA, &KEY]))
            .minted_by(&KEY)
            .accepted(),
    ]
}
