//! The public half of a key as Pomerium publishes it, and its thumbprint.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A public key in the terms of RFC 7518 section 6, numbers big-endian.
pub(crate) enum PublicKey<'a> {
    P256 { x: &'a [u8], y: &'a [u8] },
    Rsa { n: &'a [u8], e: &'a [u8] },
}

impl PublicKey<'_> {
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
