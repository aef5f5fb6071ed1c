//! The public half of a key as Pomerium publishes it, and its thumbprint.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A public key in the terms of RFC 7518 section 6, numbers big-endian.
pub(crate) enum PublicKey {
    P256 { x: Vec<u8>, y: Vec<u8> },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl PublicKey {
    /// The JWK in the member order of go-jose, which Pomerium publishes with.
    pub(crate) fn to_json(&self) -> String {
        let kid = self.thumbprint();
        match self {
            Self::P256 { x, y } => format!(
                r#"{{"use":"sig","kty":"EC","kid":"{kid}","crv":"P-256","alg":"ES256","x":"{}","y":"{}"}}"#,
                base64url(x),
                base64url(y)
            ),
            Self::Rsa { n, e } => format!(
                r#"{{"use":"sig","kty":"RSA","kid":"{kid}","alg":"RS256","n":"{}","e":"{}"}}"#,
                base64url(n),
                base64url(e)
            ),
        }
    }

    /// RFC 7638: SHA-256 of the required members, sorted by name, without spaces. Pomerium writes it in hex.
    pub(crate) fn thumbprint(&self) -> String {
        let required = match self {
            Self::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, base64url(x), base64url(y))
            }
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, base64url(e), base64url(n)),
        };
        Sha256::digest(required).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    const GENUINE: &str = include_str!("../../conformance/genuine.json");

    /// The keys that Pomerium published, and the id of the case.
    fn genuine_keys() -> Vec<(String, Value)> {
        let cases: Vec<Value> = serde_json::from_str(GENUINE).expect("genuine.json is valid");
        let keys = |case: &Value| case["options"]["jwks"]["keys"].as_array().cloned().unwrap_or_default();
        cases.iter().flat_map(|case| keys(case).into_iter().map(|key| (case["id"].to_string(), key))).collect()
    }

    /// `None` for the curves and kinds we do not sign with.
    fn parse(jwk: &Value) -> Option<PublicKey> {
        let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().expect(name)).expect(name);
        match (jwk["kty"].as_str(), jwk["crv"].as_str()) {
            (Some("EC"), Some("P-256")) => Some(PublicKey::P256 { x: number("x"), y: number("y") }),
            (Some("RSA"), _) => Some(PublicKey::Rsa { n: number("n"), e: number("e") }),
            _ => None,
        }
    }

    #[test]
    fn every_key_pomerium_published_is_written_as_pomerium_wrote_it() {
        let mut compared = BTreeSet::new();
        for (id, jwk) in genuine_keys() {
            let Some(key) = parse(&jwk) else { continue };
            assert_eq!(key.thumbprint(), jwk["kid"], "{id}: the kid is not the thumbprint");
            // v0.15 wrote no alg
            if jwk["alg"].is_string() {
                assert!(GENUINE.contains(&key.to_json()), "{id}: {} is written otherwise", key.to_json());
            }
            compared.insert(key.thumbprint());
        }
        assert_eq!(compared.len(), 12, "genuine.json has another number of keys now: count them and write it here");
    }
}
