//! JWK Sets: keys that cannot be used are skipped with their reason, and which key a token means.

use serde_json::{Value, json};

use crate::{
    case::{Case, Draft, case},
    fixtures::{ED25519, KEY, OTHER, P384, SECP256K1, base64url, der, jwk, jwk_with, key_set, point},
};

pub(crate) fn cases() -> Vec<Case> {
    [sets(), faults(), harmless(), choice(), doubles()].concat()
}

fn sets() -> Vec<Case> {
    let set = |id: &str, note: &str, set: Value| case(format!("jwks-{id}"), note).keys(set);
    let fill = |count: usize| json!({"keys": (1..count).map(|_| json!({})).chain([jwk(&KEY)]).collect::<Vec<_>>()});
    let no_set = |id: &str, note: &str, value: Value| set(id, note, value).invalid("JWK Set");
    vec![
        set("null", "keys is null: Pomerium before 0.33 without signing_key", json!({"keys": null}))
            .refused_saying("keys_empty", "is signing_key set in Pomerium?"),
        set("empty", "keys is empty", json!({"keys": []}))
            .refused_saying("keys_empty", "is signing_key set in Pomerium?"),
        set("two", "two keys, as during a rotation", key_set(&[&OTHER, &KEY])).accepted(),
        set("two-first", "the first of two", key_set(&[&OTHER, &KEY])).minted_by(&OTHER).accepted(),
        set("other", "another deployment's", key_set(&[&OTHER])).refused_saying("key_not_found", OTHER.thumbprint()),
        set(
            "more-members",
            "members besides keys are ignored",
            json!({"keys": [jwk(&KEY)], "issuer": "x", "x": [null]}),
        )
        .accepted(),
        set("64", "as many keys as there may be", fill(64)).accepted(),
        set("65", "one more", fill(65)).invalid("65 keys"),
        no_set("no-keys", "no keys", json!({})),
        no_set("keys-object", "keys is an object", json!({"keys": {}})),
        no_set("keys-string", "keys is a string", json!({"keys": "x"})),
        no_set("keys-number", "keys is a number", json!({"keys": 1})),
        no_set("keys-false", "keys is a boolean", json!({"keys": false})),
        no_set("upper-case", "keys in another case", json!({"Keys": [jwk(&KEY)]})),
        no_set("single", "a key, not a set", jwk(&KEY)),
        no_set("nested", "a set in a set", json!({"jwks": {"keys": [jwk(&KEY)]}})),
    ]
}

/// A key that cannot be used, alone in its set: `keys_empty` gives the reason.
fn faults() -> Vec<Case> {
    let bad_keys = bad_keys();
    let alone = |(id, note, key, reason): &(&str, &str, Value, &str)| {
        case(format!("jwk-{id}"), *note).keys(json!({"keys": [key]})).refused_saying("keys_empty", *reason)
    };
    let mut cases: Vec<Case> = bad_keys.iter().map(alone).collect();
    let all: Vec<Value> = bad_keys.into_iter().map(|(_, _, key, _)| key).chain([jwk(&KEY)]).collect();
    let beside = case("jwk-all-beside-a-good-one", "none of them is fatal to the set").keys(json!({"keys": all}));
    cases.push(beside.accepted());
    cases
}

/// Id, note, key, what the reason holds.
fn bad_keys() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let with = |different: Value| jwk_with(&KEY, different);
    let bytes = der(&KEY.public_key_pem());
    let (x, y) = (bytes[bytes.len() - 64..bytes.len() - 32].to_vec(), bytes[bytes.len() - 32..].to_vec());
    let xy = |x: &[u8], y: &[u8]| with(json!({"x": base64url(x), "y": base64url(y)}));
    let [x384, y384] = point(P384, 48);
    let [x256k1, y256k1] = point(SECP256K1, 32);
    let x25519 = base64url(&der(ED25519)[12..]);
    let prime = hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    // y of the point whose x is 0, so that x = p would be on the curve if it were reduced
    let y_of_zero = hex("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
    let (zero, one) = ([0; 32], [[0; 31].as_slice(), &[1]].concat());
    let mut flipped = y.clone();
    flipped[31] ^= 1;
    vec![
        ("null", "null", json!(null), "not an object"),
        ("string", "a string", json!("x"), "not an object"),
        ("list", "a list", json!([]), "not an object"),
        ("empty", "an empty object", json!({}), "kty"),
        ("no-kty", "no kty", with(json!({"kty": null})), "kty"),
        ("kty-lower-case", "kty in another case", with(json!({"kty": "ec"})), "key type"),
        (
            "kty-oct",
            "a shared secret",
            json!({"kty": "oct", "kid": KEY.thumbprint(), "k": "c2VjcmV0", "alg": "HS256"}),
            "key type",
        ),
        (
            "kty-oct-es256",
            "a shared secret that calls itself ES256",
            with(json!({"kty": "oct", "k": "c2VjcmV0"})),
            "key type",
        ),
        (
            "okp-x25519",
            "the key of Pomerium 0.21 for HPKE",
            json!({"kty": "OKP", "crv": "X25519", "kid": "pomerium/hpke", "x": x25519}),
            "key type",
        ),
        ("okp-ed25519", "Ed25519", json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": x25519}), "key type"),
        ("no-crv", "no curve", with(json!({"crv": null})), "crv"),
        ("crv-number", "a curve that is not text", with(json!({"crv": 256})), "crv"),
        ("p384", "P-384, which Pomerium labels ES256", with(json!({"crv": "P-384", "x": x384, "y": y384})), "curve"),
        ("p384-as-p256", "P-384 under the name of P-256", with(json!({"x": x384, "y": y384})), "48 bytes"),
        (
            "secp256k1",
            "secp256k1",
            with(json!({"crv": "secp256k1", "alg": "ES256K", "x": x256k1, "y": y256k1})),
            "curve",
        ),
        (
            "secp256k1-as-p256",
            "secp256k1 under the name of P-256",
            with(json!({"x": x256k1, "y": y256k1})),
            "malformed",
        ),
        ("crv-other-name", "P-256 by another name", with(json!({"crv": "prime256v1"})), "curve"),
        ("off-curve", "a point that is not on the curve", xy(&x, &flipped), "malformed"),
        ("swapped", "y before x", xy(&y, &x), "malformed"),
        ("infinity", "coordinates of zero", xy(&zero, &zero), "malformed"),
        ("x-is-p", "x is the prime: not below it", xy(&prime, &y_of_zero), "malformed"),
        ("y-is-p", "y is the prime", xy(&one, &prime), "malformed"),
        ("x-over-p", "x beyond the prime", xy(&[0xff; 32], &y), "malformed"),
        ("x-missing", "no x", with(json!({"x": null})), "x is not a string"),
        ("y-missing", "no y", with(json!({"y": null})), "y is not a string"),
        ("x-number", "x is a number", with(json!({"x": 1})), "x is not a string"),
        ("x-empty", "x is empty", with(json!({"x": ""})), "0 bytes"),
        ("x-short", "x without its first byte", xy(&x[1..], &y), "31 bytes"),
        ("x-long", "x with a leading zero", xy(&[&[0], x.as_slice()].concat(), &y), "33 bytes"),
        ("y-short", "y without its last byte", xy(&x, &y[..31]), "31 bytes"),
        ("y-long", "y with a trailing zero", xy(&x, &[y.as_slice(), &[0]].concat()), "33 bytes"),
        ("x-padded", "x with padding", with(json!({"x": format!("{}=", base64url(&x))})), "base64url"),
        (
            "x-standard",
            "x in the standard alphabet",
            with(json!({"x": format!("+{}", &base64url(&x)[1..])})),
            "base64url",
        ),
        ("x-spare-bit", "x with a spare bit set", with(json!({"x": spare_bit(&base64url(&x))})), "base64url"),
        ("x-line-end", "x with a line end", with(json!({"x": format!("{}\n", base64url(&x))})), "base64url"),
        (
            "x-hex",
            "x in hex",
            with(json!({"x": x.iter().map(|byte| format!("{byte:02x}")).collect::<String>()})),
            "48 bytes",
        ),
        ("private", "a private key", with(json!({"d": base64url([0x11; 32])})), "private"),
        ("private-null", "a private part of null", with_null("d"), "private"),
        ("kid-null", "a kid of null", with_null("kid"), "kid"),
        ("alg-null", "an alg of null", with_null("alg"), "alg is not ES256"),
        ("use-null", "a use of null", with_null("use"), "use is not sig"),
        ("key-ops-null", "key_ops of null", with_null("key_ops"), "key_ops"),
        ("use-enc", "a key for encryption", with(json!({"use": "enc"})), "use is not sig"),
        ("use-upper-case", "use in another case", with(json!({"use": "SIG"})), "use is not sig"),
        ("use-list", "use is a list", with(json!({"use": ["sig"]})), "use is not sig"),
        ("alg-es384", "a key for ES384", with(json!({"alg": "ES384"})), "alg is not ES256"),
        ("alg-rs256", "a key for RS256", with(json!({"alg": "RS256"})), "alg is not ES256"),
        ("alg-none", "a key for nothing", with(json!({"alg": "none"})), "alg is not ES256"),
        ("alg-ecdh", "a key for encryption by its alg", with(json!({"alg": "ECDH-ES"})), "alg is not ES256"),
        ("alg-number", "alg is a number", with(json!({"alg": 256})), "alg is not ES256"),
        ("key-ops-sign", "a key to sign with", with(json!({"key_ops": ["sign"]})), "key_ops"),
        ("key-ops-empty", "a key for nothing", with(json!({"key_ops": []})), "key_ops"),
        ("key-ops-string", "key_ops is a string", with(json!({"key_ops": "verify"})), "key_ops"),
        ("kid-number", "kid is a number", with(json!({"kid": 1})), "kid"),
        ("kid-list", "kid is a list", with(json!({"kid": [KEY.thumbprint()]})), "kid"),
    ]
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// 32 bytes leave two spare bits in the last letter, which is then one of every fourth.
fn spare_bit(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    assert!(next.is_ascii_alphanumeric(), "{text}: give the case another key");
    format!("{rest}{next}")
}

/// The key with a member that is there, and null.
fn with_null(name: &str) -> Value {
    let mut key = jwk(&KEY);
    key.as_object_mut().expect("an object").insert(name.to_owned(), Value::Null);
    key
}

fn harmless() -> Vec<Case> {
    let with = |id: &str, note: &str, different: Value| {
        case(format!("jwk-{id}"), note).keys(json!({"keys": [jwk_with(&KEY, different)]})).accepted()
    };
    vec![
        with("no-alg", "no alg: Pomerium 0.15", json!({"alg": null})),
        with("no-use", "no use", json!({"use": null})),
        with("key-ops", "key_ops holds verify", json!({"key_ops": ["verify"]})),
        with("key-ops-more", "among others", json!({"key_ops": ["sign", "verify"]})),
        with(
            "more-members",
            "members without meaning here",
            json!({"x5c": ["x"], "x5u": "http://evil.example", "ext": true, "n": 1}),
        ),
    ]
}

/// Which key a token means.
fn choice() -> Vec<Case> {
    let named = |kid: &str| format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"JWT"}}"#);
    let plain = r#"{"alg":"ES256","typ":"JWT"}"#;
    let of = |id: &str, note: &str, keys: Value| case(format!("choice-{id}"), note).keys(json!({"keys": keys}));
    let own = |kid: Value| jwk_with(&KEY, json!({"kid": kid}));
    let other = |kid: Value| jwk_with(&OTHER, json!({"kid": kid}));
    vec![
        of("kid-of-any-kind", "a kid need not be the thumbprint", json!([own(json!("main"))]))
            .header(named("main"))
            .accepted(),
        of("thumbprint-of-named", "a key with a kid is not found by its thumbprint", json!([own(json!("main"))]))
            .refused("key_not_found"),
        of("kid-case", "a kid has a case", json!([own(json!("Main"))])).header(named("main")).refused("key_not_found"),
        of("kid-empty", "an empty kid is a kid", json!([own(json!("")), other(json!("x"))]))
            .header(named(""))
            .accepted(),
        of("no-kid-one-key", "a token without kid, and one key", json!([jwk(&KEY)])).header(plain).accepted(),
        of("no-kid-two-keys", "and two", json!([jwk(&KEY), jwk(&OTHER)]))
            .header(plain)
            .refused_saying("key_not_found", "exactly one"),
        of(
            "no-kid-one-usable",
            "and two of which one is usable",
            json!([jwk(&KEY), jwk_with(&OTHER, json!({"use": "enc"}))]),
        )
        .header(plain)
        .accepted(),
        of(
            "unnamed-thumbprint",
            "a key without kid is found by its thumbprint",
            json!([own(json!(null)), other(json!(null))]),
        )
        .accepted(),
        of("unnamed-any-kid", "by any kid if it is the only one", json!([own(json!(null))]))
            .header(named("main"))
            .accepted(),
        of("unnamed-no-kid", "and by none", json!([own(json!(null))])).header(plain).accepted(),
        of("unnamed-two", "but not if there are two", json!([own(json!(null)), other(json!(null))]))
            .header(named("main"))
            .refused("key_not_found"),
        of("unnamed-beside-named", "nor next to one with a kid", json!([own(json!(null)), other(json!("x"))]))
            .header(named("main"))
            .refused("key_not_found"),
        of("named-beside-unnamed", "which is found by its own", json!([own(json!("main")), other(json!(null))]))
            .header(named("main"))
            .accepted(),
        of(
            "unnamed-beside-unusable",
            "a key that is skipped does not count",
            json!([own(json!(null)), jwk_with(&OTHER, json!({"alg": "ES384"}))]),
        )
        .header(named("main"))
        .accepted(),
    ]
}

/// One key twice is one key; two keys under one kid are none.
fn doubles() -> Vec<Case> {
    let plain = r#"{"alg":"ES256","typ":"JWT"}"#;
    let of =
        |id: &str, note: &str, keys: Value| -> Draft { case(format!("double-{id}"), note).keys(json!({"keys": keys})) };
    let relabelled = || jwk_with(&OTHER, json!({"kid": KEY.thumbprint()}));
    vec![
        of("same", "one key twice", json!([jwk(&KEY), jwk(&KEY)])).accepted(),
        of("same-no-kid", "is one key to a token without kid", json!([jwk(&KEY), jwk(&KEY)])).header(plain).accepted(),
        of("same-two-kids", "also under two kids", json!([jwk(&KEY), jwk_with(&KEY, json!({"kid": "main"}))]))
            .header(plain)
            .accepted(),
        of(
            "same-two-kids-second",
            "each of which finds it",
            json!([jwk(&KEY), jwk_with(&KEY, json!({"kid": "main"}))]),
        )
        .header(r#"{"alg":"ES256","kid":"main"}"#)
        .accepted(),
        of("same-unnamed", "and once without a kid", json!([jwk(&KEY), jwk_with(&KEY, json!({"kid": null}))]))
            .accepted(),
        of("kid", "two keys under one kid: nobody can say which is meant", json!([jwk(&KEY), relabelled()]))
            .refused_saying("keys_empty", "same kid"),
        of("kid-reversed", "in the other order", json!([relabelled(), jwk(&KEY)]))
            .refused_saying("keys_empty", "same kid"),
        of("kid-no-kid", "nor can a token without kid", json!([jwk(&KEY), relabelled()]))
            .header(plain)
            .refused("keys_empty"),
        of(
            "kid-three",
            "a third key under its own kid is left",
            json!([jwk(&KEY), relabelled(), jwk_with(&OTHER, json!({"kid": "main"}))]),
        )
        .refused("key_not_found"),
        of(
            "kid-three-left",
            "and is found",
            json!([
                jwk(&KEY),
                jwk_with(&KEY, json!({"x": "AA"})),
                relabelled(),
                jwk_with(&KEY, json!({"kid": "main"}))
            ]),
        )
        .header(r#"{"alg":"ES256","kid":"main"}"#)
        .accepted(),
        of("kid-same-three", "one of the two listed twice does not help", json!([jwk(&KEY), jwk(&KEY), relabelled()]))
            .refused("keys_empty"),
        of(
            "kid-unusable",
            "an unusable key under the same kid is skipped first",
            json!([jwk_with(&OTHER, json!({"kid": KEY.thumbprint(), "use": "enc"})), jwk(&KEY)]),
        )
        .accepted(),
    ]
}
