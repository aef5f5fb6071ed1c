//! Tokens to verify: many, as the processor learns the branches of a single one and flatters the slower libraries.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pomerium_jwt_issuer::{Assertion, SigningKey, key_set};

/// The application that all tokens are for.
pub const HOST: &str = "app.example.com";

/// Tokens under one key.
pub struct Pool {
    pub key: SigningKey,
    pub x: [u8; 32],
    pub y: [u8; 32],
    pub key_set: String,
    pub signed: Vec<Signed>,
}

/// A token as Pomerium mints it, and what its signature is about.
pub struct Signed {
    pub token: String,
    pub message: Vec<u8>,
    /// r ‖ s
    pub signature: [u8; 64],
}

impl Pool {
    /// 256 tokens signed by the key of this number (1 to 255), of the size that Pomerium usually sends.
    pub fn new(number: u8) -> Self {
        let key = SigningKey::from_scalar(&[number; 32]).expect("a number below the order");
        let jwk: serde_json::Value = serde_json::from_str(&key.jwk()).expect("a JWK");
        let coordinate = |name: &str| bytes(jwk[name].as_str().expect("a coordinate"));
        Self {
            x: coordinate("x"),
            y: coordinate("y"),
            key_set: key_set([&key]),
            signed: (0..256).map(|i| Signed::new(i, &key)).collect(),
            key,
        }
    }

    /// The public key as 04 ‖ x ‖ y.
    pub fn uncompressed_point(&self) -> Vec<u8> {
        [&[4][..], &self.x, &self.y].concat()
    }
}

impl Signed {
    fn new(number: u32, key: &SigningKey) -> Self {
        let token = Assertion::new(HOST, 1_700_000_000)
            .expires_at(4_000_000_000)
            .user(&format!("google-oauth2|{number:09}"), "alice@example.com", "Alice Example")
            .groups(["admins", "staff"])
            .session("7f2b7e0c-3f0d-4d2c-9e0e-0d5a3c1b9a11")
            .mint(key);
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        Self { message: message.into(), signature: bytes(signature), token }
    }
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).expect("base64url of that length")
}
