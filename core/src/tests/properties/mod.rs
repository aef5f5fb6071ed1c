//! What holds for every input, tried on many: by enumeration where all can be tried, else on generated ones.
//!
//! A failure prints the smallest input found. For a longer run: `PROPTEST_CASES=100000 cargo test -p pomerium-jwt
//! --release properties`.

mod inputs;
mod json;
mod names;
mod times;

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pomerium_jwt_issuer::{Assertion, SigningKey, compact, key_set};
use proptest::{prelude::*, sample::Index};

use crate::{ErrorCode, OPTIONS, Options, Verifier, claims::Rules};
use inputs::{Document, document};

const NOW: i64 = 1_800_000_000;
const HOST: &str = "app.example.com";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_scalar(&[1; 32]).expect("a scalar below n"));
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let mut options = Options::for_route(format!("https://{HOST}"));
    if cfg!(feature = "rs256") {
        options.algorithms = Some(crate::Algorithm::ALL.to_vec());
    }
    options.jwks = Some(key_set([&*KEY, &rsa()]).into());
    Verifier::new(options).expect("options")
});
static TOKEN: LazyLock<String> = LazyLock::new(|| short(&KEY));

/// Claims are only typed, none of them is demanded.
fn no_rules() -> Rules {
    Rules {
        issuer: None,
        audience: None,
        leeway: 0,
        max_token_age: None,
        allow_anonymous: true,
        expect_claims: Default::default(),
    }
}

/// A published key that protects nothing.
fn rsa() -> SigningKey {
    let pem = include_str!("../../../../conformance/keys/rsa-2048-published-test-key.pem");
    SigningKey::from_pem(pem).expect("an RSA key")
}

/// A good token with few claims: its neighbours are counted by the 100,000.
fn short(key: &SigningKey) -> String {
    let all = ["jti", "user", "email", "name", "groups", "sid", "iat"];
    let claims = all.iter().fold(Assertion::new(HOST, NOW).claim("sub", "a"), |claims, name| claims.without(name));
    claims.mint(key)
}

/// Judges the token both ways, and gives the code of the refusal.
fn judge(token: &[u8]) -> Option<ErrorCode> {
    let refusal = VERIFIER.verify_at(token, NOW).err();
    let inspection = VERIFIER.inspect(token, NOW).expect("a time in range");
    assert_eq!(inspection.first_failure(), refusal.as_ref(), "inspect explains what verify_at says");
    refusal.map(|error| error.code())
}

/// Every text that one byte changed, put in or taken away makes of this one.
fn neighbours(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let copy = move |at: usize, taken: usize, put: &[u8]| [&text[..at], put, &text[at + taken..]].concat();
    let changed = move |at: usize| (1..=255).map(move |bits| copy(at, 1, &[text[at] ^ bits]));
    let inserted = move |at: usize| (0..=255).map(move |byte| copy(at, 0, &[byte]));
    let deleted = move |at: usize| copy(at, 1, &[]);
    let positions = 0..text.len();
    positions.clone().flat_map(changed).chain((0..=text.len()).flat_map(inserted)).chain(positions.map(deleted))
}

fn no_neighbour_is_accepted(key: &SigningKey) {
    let token = short(key);
    assert_eq!(judge(token.as_bytes()), None, "the token itself must be good");
    let mut count = 0;
    for neighbour in neighbours(token.as_bytes()) {
        let accepted = VERIFIER.verify_at(&neighbour, NOW).is_ok();
        assert!(!accepted, "accepted: {}\ninstead of {token}", neighbour.escape_ascii());
        count += 1;
    }
    assert_eq!(count, token.len() * (255 + 256 + 1) + 256);
}

/// Every change of a single bit is among them.
#[test]
fn no_neighbour_of_an_es256_token_is_accepted() {
    no_neighbour_is_accepted(&KEY);
}

#[cfg(feature = "rs256")]
#[test]
fn no_neighbour_of_an_rs256_token_is_accepted() {
    no_neighbour_is_accepted(&rsa());
}

/// Texts that are nearly a token: parts of one in any order, with what clients and attackers put between.
fn near_token() -> impl Strategy<Value = Vec<u8>> {
    let mut pieces: Vec<&str> = TOKEN.split('.').collect();
    pieces.extend([&**TOKEN, ".", ".", "..", ",", "Bearer ", "=", " ", "e30", "bnVsbA", "\u{0}"]);
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect();
    let piece = prop_oneof![9 => prop::sample::select(pieces), 1 => any::<Vec<u8>>()];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

/// Bytes put over others, taken away or put in.
fn damaged(text: &[u8], damages: &[(Index, u8, Vec<u8>)]) -> Vec<u8> {
    damages.iter().fold(text.to_vec(), |mut text, (at, taken, put)| {
        let from = at.index(text.len() + 1);
        let to = text.len().min(from + usize::from(*taken));
        text.splice(from..to, put.iter().copied());
        text
    })
}

fn damages() -> impl Strategy<Value = Vec<(Index, u8, Vec<u8>)>> {
    prop::collection::vec((any::<Index>(), 0_u8..4, prop::collection::vec(any::<u8>(), 0..4)), 1..5)
}

/// What the option may be said to be, whichever it is.
fn option_document() -> impl Strategy<Value = Document> {
    let values =
        ["\"https://app.example.com\"", "\"*.example.com\"", "\"ES256\"", "\"/dev/null\"", "60", "60.0", "1e99"];
    let names = OPTIONS.iter().map(|option| option.name).chain(["keys", "aud"]).collect::<Vec<_>>();
    document(&names, &values)
}

fn jwk_document() -> impl Strategy<Value = Document> {
    let names = ["keys", "kty", "crv", "x", "y", "kid", "alg", "use", "key_ops", "n", "e", "d"];
    let jwk: serde_json::Value = serde_json::from_str(&KEY.jwk()).expect("a JWK");
    let (x, y) = (jwk["x"].to_string(), jwk["y"].to_string());
    document(&names, &["\"EC\"", "\"RSA\"", "\"P-256\"", "\"ES256\"", "\"sig\"", "\"AQAB\"", &x, &y])
}

fn claims_document() -> impl Strategy<Value = Document> {
    let names = ["exp", "nbf", "iat", "iss", "aud", "sub", "groups", "email", "alg", "kid", "typ", "crit"];
    document(&names, &["\"app.example.com\"", "1800000000", "1.8e9", "\"ES256\"", "\"JWT\"", "\"a\""])
}

/// Everything that is wrong with options is `invalid_options`.
fn check_construction(options: Result<Verifier, crate::Error>) {
    match options {
        Ok(verifier) => {
            let _ = (verifier.status(), verifier.verify_at(&*TOKEN, NOW));
        }
        Err(error) => assert_eq!(error.code(), ErrorCode::InvalidOptions, "{error}"),
    }
}

fn check_key_source(set: impl FnOnce(&mut Options)) {
    let mut options = Options::for_route(format!("https://{HOST}"));
    set(&mut options);
    check_construction(Verifier::new(options));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_damaged_token_is_refused(damages in damages()) {
        let token = damaged(TOKEN.as_bytes(), &damages);
        prop_assert!(token == TOKEN.as_bytes() || judge(&token).is_some());
    }

    #[test]
    fn what_is_nearly_a_token_is_refused(token in near_token()) {
        let good = [TOKEN.clone(), format!("Bearer {}", *TOKEN)];
        let is_good = good.iter().any(|good| good.as_bytes() == token);
        prop_assert_eq!(judge(&token).is_none(), is_good);
    }

    #[test]
    fn any_bytes_are_refused_as_a_token(token: Vec<u8>) {
        prop_assert!(judge(&token).is_some());
    }

    #[test]
    fn whatever_is_signed_is_judged(header in claims_document(), claims in claims_document(), own_header: bool) {
        let header = if own_header { KEY.jose_header() } else { header.text() };
        judge(compact(header.as_bytes(), claims.text().as_bytes(), &KEY).as_bytes());
    }

    #[test]
    fn damaged_claims_are_judged(damages in damages()) {
        let claims = Assertion::new(HOST, NOW).user("alice", "alice@example.com", "Alice").to_json();
        let claims = damaged(claims.as_bytes(), &damages);
        judge(compact(KEY.jose_header().as_bytes(), &claims, &KEY).as_bytes());
    }

    #[test]
    fn any_options_make_a_verifier_or_are_explained(options in option_document()) {
        check_construction(Verifier::from_json(options.text()));
    }

    #[test]
    fn any_bytes_are_refused_as_options(options: Vec<u8>) {
        check_construction(Verifier::from_json(options));
    }

    #[test]
    fn any_key_set_is_read_or_explained(set in jwk_document()) {
        check_key_source(|options| options.jwks = Some(set.text().into()));
    }

    #[test]
    fn a_damaged_key_set_is_read_or_explained(damages in damages()) {
        let set = damaged(key_set([&*KEY]).as_bytes(), &damages);
        check_key_source(|options| options.jwks = Some(String::from_utf8_lossy(&set).into_owned().into()));
    }

    #[test]
    fn a_damaged_pem_is_read_or_explained(damages in damages(), in_base64: bool) {
        let pem = damaged(KEY.public_key_pem().as_bytes(), &damages);
        let text = if in_base64 { STANDARD.encode(&pem) } else { String::from_utf8_lossy(&pem).into_owned() };
        check_key_source(|options| options.public_key = Some(text));
    }

    #[test]
    fn any_text_is_refused_as_pem(text: String) {
        check_key_source(|options| options.public_key = Some(text));
    }
}
