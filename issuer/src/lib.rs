//! The stand-in for Pomerium: mints the assertions of `X-Pomerium-Jwt-Assertion` and the key sets of
//! `/.well-known/pomerium/jwks.json` byte for byte as Pomerium does (v0.29 and later; compared with tokens of v0.33.1).
//!
//! For tests, examples and the command line. In production Pomerium is the issuer.
//!
//! ```
//! use pomerium_jwt_issuer::{Assertion, SigningKey, key_set};
//!
//! let key = SigningKey::generate();
//! let token = Assertion::new("app.example.com", 1_795_354_137)
//!     .user("google-oauth2|103254719", "alice@example.com", "Alice Example")
//!     .groups(["admins"])
//!     .mint(&key);
//! assert_eq!(token.split('.').count(), 3);
//! assert!(key_set([&key]).contains(&key.thumbprint()));
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

/// The programs in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod assertion;
mod jwk;
mod key;
mod parameters;
mod pem;
#[cfg(feature = "server")]
mod server;

pub use assertion::{Assertion, go_json, random_id};
pub use key::{KeyError, SigningKey};
pub use parameters::check_host;
#[cfg(feature = "server")]
pub use server::{Fault, KEY_SET_PATH, Rotation, Server, ServerOptions, Stats, StopSignal, Tls, Withdrawal};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The JWK Set of these keys (RFC 7517 section 5) as Pomerium serves it, in this order.
///
/// Without keys it is `{"keys":null}`: what Pomerium before v0.33 publishes when `signing_key` is not set.
pub fn key_set<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> String {
    let keys: Vec<String> = keys.into_iter().map(SigningKey::jwk).collect();
    if keys.is_empty() {
        return r#"{"keys":null}"#.to_owned();
    }
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// The JWS compact serialization (RFC 7515 section 7.1) of any header and payload under a signature that holds.
///
/// Neither is looked at, so that hostile tokens can be made: text that is not JSON, another `alg`, a missing `kid`.
/// [`SigningKey::jose_header`] is the header Pomerium would write.
#[must_use]
pub fn compact(header: &[u8], payload: &[u8], key: &SigningKey) -> String {
    let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scalar: u8) -> SigningKey {
        SigningKey::from_scalar(&[scalar; 32]).expect("below the order of the curve")
    }

    #[test]
    fn a_key_set_keeps_the_order_of_its_keys() {
        let (first, second) = (key(1), key(2));
        assert_eq!(key_set([]), r#"{"keys":null}"#);
        assert_eq!(key_set([&first]), format!(r#"{{"keys":[{}]}}"#, first.jwk()));
        assert_eq!(key_set([&second, &first]), format!(r#"{{"keys":[{},{}]}}"#, second.jwk(), first.jwk()));
    }

    #[test]
    fn any_bytes_can_be_signed() {
        let key = key(1);
        let signed = |header: &[u8], payload: &[u8], input: &str| {
            let expected = format!("{input}.{}", URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes())));
            assert_eq!(compact(header, payload, &key), expected);
        };
        signed(b"", b"", ".");
        signed(b"\xff\xfe", b"{}", "__4.e30");
        signed(br#"{"alg":"none"}"#, b"not JSON", "eyJhbGciOiJub25lIn0.bm90IEpTT04");
    }

    #[test]
    fn the_same_claims_and_key_make_the_same_token() {
        let assertion = Assertion::new("app.example.com", 1_795_354_137);
        assert_eq!(assertion.mint(&key(1)), assertion.mint(&key(1)));
        assert_ne!(assertion.mint(&key(1)), assertion.mint(&key(2)));
    }
}
