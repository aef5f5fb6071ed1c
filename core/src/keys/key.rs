//! A public key, and whether a signature holds under it.

use std::{fmt::Write as _, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

#[cfg(not(feature = "ring-es256"))]
use pomerium_jwt_es256::{Key as Es256Key, Way};

#[cfg(feature = "ring-es256")]
use super::ring_es256::Key as Es256Key;
use crate::algorithm::Algorithm;

/// What checks ES256 signatures: `pomerium-jwt-es256`, and by which of its ways on this processor, or `ring` with the
/// feature `ring-es256`. For people: the text may change.
///
/// ```
/// println!("signatures: {}", pomerium_jwt::es256_checked_by());
/// ```
#[must_use]
pub fn es256_checked_by() -> &'static str {
    #[cfg(feature = "ring-es256")]
    return "ring";
    #[cfg(not(feature = "ring-es256"))]
    match Way::current() {
        Way::Scalar => "pomerium-jwt-es256",
        Way::Ifma => "pomerium-jwt-es256 (AVX-512 IFMA)",
    }
}

/// A public key, ready for use. Clones share all that was prepared for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PublicKey {
    Es256(Es256Key),
    Rs256(RsaKey),
}

/// An RSA public key of 2048 to 8192 bits, big-endian without leading zeros.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RsaKey {
    modulus: Arc<[u8]>,
    exponent: Arc<[u8]>,
}

impl PublicKey {
    /// An ES256 key with these coordinates. If `prepared` holds it, that one is kept, with all that was prepared for it.
    ///
    /// # Errors
    /// A sentence, if they are not a point of the curve.
    pub(super) fn es256(x: &[u8; 32], y: &[u8; 32], prepared: &[PublicKey]) -> Result<Self, String> {
        let kept = prepared.iter().find(|key| matches!(key, PublicKey::Es256(key) if key.x() == x && key.y() == y));
        match kept {
            Some(key) => Ok(key.clone()),
            None => Es256Key::new(x, y).map(PublicKey::Es256).map_err(|error| error.to_string()),
        }
    }

    /// An RS256 key.
    ///
    /// # Errors
    /// A sentence that says which keys are accepted.
    pub(super) fn rs256(modulus: &[u8], exponent: &[u8]) -> Result<Self, String> {
        let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        if modulus.first() == Some(&0) || exponent.first() == Some(&0) {
            return Err("n or e has leading zero bytes".to_owned());
        }
        if !(2048..=8192).contains(&bits) {
            return Err(format!("RSA of {bits} bits, 2048 to 8192 are accepted"));
        }
        // ring takes odd exponents of 3 to 2^33-1
        let value = exponent.iter().fold(0_u64, |value, byte| value.saturating_mul(256).saturating_add((*byte).into()));
        if !(3..1 << 33).contains(&value) || value % 2 == 0 {
            return Err("the RSA exponent is not an odd number from 3 to 2^33-1".to_owned());
        }
        Ok(PublicKey::Rs256(RsaKey { modulus: modulus.into(), exponent: exponent.into() }))
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            PublicKey::Es256(_) => Algorithm::Es256,
            PublicKey::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// Whether the signature over `message` holds (RFC 7518 sections 3.3 and 3.4).
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            PublicKey::Es256(key) => key.verify(message, signature).is_ok(),
            #[cfg(feature = "rs256")]
            PublicKey::Rs256(RsaKey { modulus: n, exponent: e }) => {
                use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            #[cfg(not(feature = "rs256"))]
            PublicKey::Rs256(_) => false, // the options refuse RS256
        }
    }

    /// The RFC 7638 thumbprint over SHA-256 in lower-case hex: what Pomerium uses as `kid`.
    pub(super) fn thumbprint(&self) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let members = match self {
            PublicKey::Es256(key) => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(key.x()), encode(key.y()))
            }
            PublicKey::Rs256(key) => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(&key.exponent), encode(&key.modulus))
            }
        };
        sha256_hex(members.as_bytes())
    }
}

/// SHA-256 in lower-case hex.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // writing to a String cannot fail
        hex
    })
}
