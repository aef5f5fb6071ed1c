//! The signer of `pomerium-jwt/testing`.

use napi::bindgen_prelude::Either;
use napi_derive::napi;
use pomerium_jwt::ErrorCode;
use pomerium_jwt_issuer::{Assertion, SigningKey, key_set};

use crate::refusal::{Refusal, either};

/// Signs as Pomerium would, with a key of its own.
#[napi]
pub struct Signer {
    key: SigningKey,
}

#[napi]
impl Signer {
    /// A signer with a new key.
    #[napi(constructor)]
    #[allow(clippy::new_without_default)] // JavaScript calls it
    pub fn new() -> Self {
        Self { key: SigningKey::generate() }
    }

    /// The token of a request to `host` at `now` with these claims, a JSON object.
    #[napi]
    pub fn token(&self, host: String, now: i64, claims: String) -> Either<String, Refusal> {
        let assertion = serde_json::from_str(&claims)
            .map_err(|error| error.to_string())
            .and_then(|claims| Assertion::from_claims(&host, now, claims));
        either(
            assertion
                .map(|assertion| assertion.mint(&self.key))
                .map_err(|why| Refusal::new(ErrorCode::InvalidArgument, why)),
        )
    }

    /// The JWK Set as Pomerium serves it.
    #[napi]
    pub fn key_set(&self) -> String {
        key_set([&self.key])
    }
}
