//! What each target does with its input: it judges it, and panics if something holds that must not.
//!
//! The seeds are the conformance cases. Nothing here needs libFuzzer, so that `make test` replays the seeds and simple
//! changes of them: `conformance/tests/corpus.rs`.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod seeds;

use std::{collections::BTreeSet, sync::LazyLock};

use pomerium_jwt::{Algorithm, Error, ErrorCode, Identity, Options, Verifier};
use pomerium_jwt_es256::{Key, Way};
use pomerium_jwt_issuer::{Assertion, SigningKey, compact, key_set as jwk_set};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;

/// A fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// As `cargo fuzz` knows it.
    pub name: &'static str,
    /// Judges one input.
    pub run: fn(&[u8]),
    /// What to start from.
    pub seeds: fn() -> BTreeSet<Vec<u8>>,
}

/// Every target.
pub const TARGETS: [Target; 6] = [
    Target { name: "token", run: token, seeds: seeds::tokens },
    Target { name: "claims", run: claims, seeds: seeds::payloads },
    Target { name: "key_set", run: key_set, seeds: seeds::key_sets },
    Target { name: "options", run: options, seeds: seeds::options },
    Target { name: "pem", run: pem, seeds: seeds::pems },
    Target { name: "es256", run: es256, seeds: seeds::signatures },
];

const HOST: &str = "app.example.com";
/// The cases are judged ten seconds after their token was minted.
const NOW: i64 = 1_795_354_147;
const LEEWAY: i64 = 60;
const BOTH: [Algorithm; 2] = [Algorithm::Es256, Algorithm::Rs256];

/// The key that signs the cases.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_scalar(&[0x11; 32]).expect("a scalar below n"));
static RSA: LazyLock<SigningKey> = LazyLock::new(|| {
    let pem = include_str!("../../conformance/keys/rsa-2048-published-test-key.pem");
    SigningKey::from_pem(pem).expect("an RSA key")
});
/// The public half of [`KEY`], for us and for ring.
static ES256: LazyLock<(Key, UnparsedPublicKey<Vec<u8>>)> = LazyLock::new(|| {
    let jwk: Value = serde_json::from_str(&KEY.jwk()).expect("a JWK");
    let coordinate = |name: &str| <[u8; 32]>::try_from(seeds::decoded(&jwk[name])).expect("32 bytes");
    let (x, y) = (coordinate("x"), coordinate("y"));
    let point = [&[4][..], &x, &y].concat();
    (Key::new(&x, &y).expect("a point"), UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point))
});
/// Accepts as much as options can.
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let names = [HOST, "*.apps.example.com"];
    let options = Options::for_route(format!("https://{HOST}"))
        .issuer(names)
        .audience(names)
        .algorithms(BOTH)
        .jwks(jwk_set([&*KEY, &*RSA]))
        .allow_anonymous(true);
    Verifier::new(options).expect("options")
});
/// Good for a verifier that has [`KEY`] and expects [`HOST`].
static TOKEN: LazyLock<String> =
    LazyLock::new(|| Assertion::new(HOST, NOW).user("alice", "alice@example.com", "Alice").mint(&KEY));
/// What is signed in the seeds, and nothing else can be: ring has judged the signatures.
static SIGNED: LazyLock<BTreeSet<Vec<u8>>> = LazyLock::new(|| {
    let inputs = seeds::tokens().into_iter().filter_map(|token| Some(seeds::signed(&token)?.to_vec()));
    inputs.collect()
});

/// A signature of 64 bytes and then the message: our answer, by every way, and ring's must be the same.
pub fn es256(input: &[u8]) {
    let Some((signature, message)) = input.split_at_checked(64) else { return };
    let (ours, ring) = &*ES256;
    let expected = ring.verify(message, signature).is_ok();
    for way in Way::all() {
        assert_eq!(ours.verify_by(*way, message, signature).is_ok(), expected, "{way}: ring says {expected}");
    }
}

/// The header's text: accepted only if its signing input is one that was signed.
pub fn token(text: &[u8]) {
    if judge(text).is_ok() {
        let (input, _) = seeds::split(text).expect("a token has dots");
        assert!(SIGNED.contains(input), "nobody has signed this");
    }
}

/// A payload that is signed: accepted only if another JSON reader finds in it what must be there.
pub fn claims(payload: &[u8]) {
    let Ok(identity) = judge(compact(KEY.jose_header().as_bytes(), payload, &KEY).as_bytes()) else { return };
    assert_eq!(identity.claims.text().as_bytes(), payload);
    let claims: Value = lenient(payload).expect("accepted claims are JSON");
    let exp = claims["exp"].as_f64().expect("exp is a number");
    assert!(exp + LEEWAY as f64 > NOW as f64, "expired");
    assert_eq!(claims["iss"].as_str(), Some(&*identity.issuer));
    assert_eq!(claims["sub"].as_str().unwrap_or_default(), identity.subject);
    assert_eq!(identity.anonymous, identity.subject.is_empty());
    assert!(identity.audience.iter().any(|audience| audience.contains("app")), "for somebody else");
    serde_json::to_string(&identity).expect("an identity is JSON");
}

/// A JWK Set as the option `jwks`: the good token is accepted only if the set holds its key.
pub fn key_set(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let options = Options::for_route(format!("https://{HOST}")).jwks(text);
    let Some(verifier) = construct(Verifier::new(options)) else { return };
    let set = lenient(text.as_bytes()).expect("an accepted key set is JSON");
    let listed = set["keys"].as_array().map_or(0, Vec::len);
    assert_eq!(verifier.status().keys.len(), listed);
    if verifier.verify_at(&*TOKEN, NOW).is_ok() {
        let own: Value = serde_json::from_str(&KEY.jwk()).expect("a JWK");
        let is_own = |key: &Value| ["kty", "crv", "x", "y"].iter().all(|name| key[name] == own[name]);
        assert!(set["keys"].as_array().expect("keys").iter().any(is_own), "the key is not in the set");
    }
}

/// An options document: what is accepted says what to check against, and reads the same when written.
pub fn options(text: &[u8]) {
    let read = Options::from_json(text);
    let Ok(options) = &read else {
        construct(read.and_then(Verifier::new));
        return;
    };
    let written = options.to_json();
    assert_eq!(Options::from_json(&written).expect("its own text").to_json(), written);
    let Some(verifier) = construct(Verifier::new(options.clone())) else { return };
    assert!(!verifier.status().source.is_empty());
    if verifier.verify_at(&*TOKEN, NOW).is_ok() {
        let options = lenient(text).expect("accepted options are JSON");
        let is_given = |name: &str| options.get(name).is_some();
        assert!(is_given("route") || is_given("audience") || options["trust_on_first_use"] == true);
    }
}

/// The option `public_key`: never a private key, and the good token is accepted only under its own.
pub fn pem(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let options = Options::for_route(format!("https://{HOST}")).algorithms(BOTH).public_key(text);
    let Some(verifier) = construct(Verifier::new(options)) else { return };
    assert!(!text.contains("-----BEGIN PRIVATE KEY-----") && !text.contains("-----BEGIN EC PRIVATE KEY-----"));
    let keys = verifier.status().keys;
    assert!(keys.len() == 1 && keys[0].usable);
    let is_own = keys[0].thumbprint == Some(KEY.thumbprint());
    assert_eq!(verifier.verify_at(&*TOKEN, NOW).is_ok(), is_own);
}

/// Both ways to judge a token agree.
fn judge(text: &[u8]) -> Result<Identity, Error> {
    let outcome = VERIFIER.verify_at(text, NOW);
    let inspection = VERIFIER.inspect(text, NOW).expect("a time in range");
    assert_eq!(inspection.first_failure(), outcome.as_ref().err());
    outcome
}

/// Everything that is wrong with options is `invalid_options`.
fn construct(verifier: Result<Verifier, Error>) -> Option<Verifier> {
    verifier.inspect_err(|error| assert_eq!(error.code(), ErrorCode::InvalidOptions, "{error}")).ok()
}

/// Another reader of JSON than the verifier's; nothing accepted is deeper than it reads.
fn lenient(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(text).ok()
}
