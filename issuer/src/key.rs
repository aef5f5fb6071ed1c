//! Signing keys: P-256 and RSA.

use std::{fmt, sync::Arc};

use p256::{
    SecretKey,
    ecdsa::{self, signature::Signer as _},
    elliptic_curve::Generate as _,
    pkcs8::{
        AlgorithmIdentifierRef, EncodePublicKey as _, LineEnding, SubjectPublicKeyInfoRef,
        der::{
            Encode as _,
            asn1::{AnyRef, BitStringRef},
        },
    },
};
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};

use crate::{jwk::PublicKey, pem};

/// What Pomerium calls `signing_key`: a private key on P-256 (ES256) or an RSA key (RS256).
///
/// Cheap to clone. Its `Debug` shows the algorithm and the thumbprint, never the private part.
#[derive(Clone)]
pub struct SigningKey(pub(crate) PrivateKey);

#[derive(Clone)]
pub(crate) enum PrivateKey {
    P256(ecdsa::SigningKey),
    Rsa(Arc<RsaKey>),
}

pub(crate) struct RsaKey {
    pub(crate) pair: RsaKeyPair,
    /// ring gives no private key back, so the text it came from is kept
    pub(crate) pem: String,
}

impl SigningKey {
    /// A new P-256 key from the operating system's random source.
    ///
    /// # Panics
    /// If the operating system has no random source.
    #[must_use]
    pub fn generate() -> Self {
        Self(PrivateKey::P256(ecdsa::SigningKey::generate()))
    }

    /// The P-256 key with this private scalar, big-endian: the same key in every run.
    ///
    /// # Errors
    /// [`KeyError::ScalarOutOfRange`] for zero and for the order of the curve or more.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ecdsa::SigningKey::from_slice(scalar).map_err(|_| KeyError::ScalarOutOfRange)?;
        Ok(Self(PrivateKey::P256(key)))
    }

    /// The first key of what Pomerium's `signing_key` takes: PEM, or the base64 of PEM. Pomerium signs with the first.
    ///
    /// EC keys on P-256 as SEC1 (`openssl ecparam -genkey -name prime256v1`) or PKCS#8 (`openssl genpkey`), RSA keys of
    /// 2048 to 4096 bits as PKCS#1 or PKCS#8. Blocks that hold no private key are passed over: EC PARAMETERS, which
    /// `openssl ecparam` writes first unless it is told `-noout`, and certificates. Pomerium itself refuses such a text.
    ///
    /// # Errors
    /// As [`all_from_pem`](Self::all_from_pem).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Ok(Self::all_from_pem(text)?.swap_remove(0))
    }

    /// All keys of what Pomerium's `signing_key` takes, at least one. Pomerium publishes all of them.
    ///
    /// # Errors
    /// [`KeyError`] if there is no private key or one of them cannot be used.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, KeyError> {
        pem::private_keys(text)
    }

    /// The private key as PEM, for Pomerium's `signing_key`: SEC1 for P-256, the given form for RSA.
    #[must_use]
    pub fn to_pem(&self) -> String {
        match &self.0 {
            PrivateKey::P256(key) => SecretKey::from(key)
                .to_sec1_pem(LineEnding::LF)
                .expect("a valid key has a SEC1 form")
                .as_str()
                .to_owned(),
            PrivateKey::Rsa(key) => key.pem.clone(),
        }
    }

    /// The public key as PEM, `PUBLIC KEY` (SubjectPublicKeyInfo, RFC 5280).
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        match &self.0 {
            PrivateKey::P256(key) => {
                key.verifying_key().to_public_key_pem(LineEnding::LF).expect("a valid key has an SPKI form")
            }
            PrivateKey::Rsa(key) => rsa_public_key_pem(&key.pair),
        }
    }

    /// `ES256` or `RS256` (RFC 7518 section 3.1).
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self.0 {
            PrivateKey::P256(_) => "ES256",
            PrivateKey::Rsa(_) => "RS256",
        }
    }

    /// The SHA-256 thumbprint of RFC 7638 in lower-case hex: Pomerium's `kid`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.public_key().thumbprint()
    }

    /// The public key as a JWK (RFC 7517), text as Pomerium publishes it.
    #[must_use]
    pub fn jwk(&self) -> String {
        self.public_key().to_json()
    }

    /// The JOSE header Pomerium writes with this key: `{"alg":...,"kid":...,"typ":"JWT"}`.
    #[must_use]
    pub fn jose_header(&self) -> String {
        format!(r#"{{"alg":"{}","kid":"{}","typ":"JWT"}}"#, self.algorithm(), self.thumbprint())
    }

    /// The JWS signature of `message`: the 64 bytes r ‖ s for ES256 (RFC 7518 section 3.4; deterministic, RFC 6979),
    /// RSASSA-PKCS1-v1_5 with SHA-256 for RS256.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            PrivateKey::P256(key) => {
                let signature: ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            PrivateKey::Rsa(key) => {
                let mut signature = vec![0; key.pair.public().modulus_len()];
                key.pair
                    .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .expect("the buffer has the size of the modulus");
                signature
            }
        }
    }

    fn public_key(&self) -> PublicKey {
        match &self.0 {
            PrivateKey::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                // SEC 1 section 2.3.3: 04 ‖ x ‖ y
                let (x, y) = point.as_bytes()[1..].split_at(32);
                PublicKey::P256 { x: x.to_vec(), y: y.to_vec() }
            }
            PrivateKey::Rsa(key) => {
                let PublicKeyComponents { n, e } = key.pair.public().into();
                PublicKey::Rsa { n, e }
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("thumbprint", &self.thumbprint())
            .finish_non_exhaustive()
    }
}

/// Why a text or scalar is not a signing key: a sentence that says what to write instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The scalar is zero, or the order of P-256 or more.
    ScalarOutOfRange,
    /// The text is neither PEM nor the base64 of PEM.
    NotPem,
    /// A block is cut off or its base64 is damaged.
    Damaged,
    /// Every block is something else, for example EC PARAMETERS or a certificate.
    NoPrivateKey,
    /// There are only public keys or certificates.
    PublicKeyOnly,
    /// The private key is encrypted.
    Encrypted,
    /// An EC key on another curve than P-256, or a damaged one.
    NotP256,
    /// An RSA key outside 2048 to 4096 bits, or a damaged one.
    RsaRejected,
    /// A key of another kind, for example Ed25519.
    OtherKind,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ScalarOutOfRange => "the scalar is zero or not below the order of P-256: give another 32 bytes",
            Self::NotPem => {
                "no PEM block found: give the text of a private key from `-----BEGIN` to `-----END ...-----`, or its base64"
            }
            Self::Damaged => "the PEM is cut off or damaged: give the whole text with its line breaks, from `-----BEGIN` to `-----END ...-----`",
            Self::NoPrivateKey => {
                "the PEM holds no private key: make one with `openssl ecparam -genkey -name prime256v1 -noout`"
            }
            Self::PublicKeyOnly => "the PEM holds a public key or a certificate only: give the private key that belongs to it",
            Self::Encrypted => "the private key is encrypted: decrypt it with `openssl pkey -in FILE` and give the result",
            Self::NotP256 => {
                "the EC key is damaged or not on P-256: make one with `openssl ecparam -genkey -name prime256v1 -noout`"
            }
            Self::RsaRejected => {
                "the RSA key is damaged or its size is not supported: make one with `openssl genrsa 2048` (up to 4096 bits)"
            }
            Self::OtherKind => {
                "Pomerium signs with EC or RSA keys only: make one with `openssl ecparam -genkey -name prime256v1 -noout`"
            }
        })
    }
}

impl std::error::Error for KeyError {}

/// ring exports the PKCS#1 form only; SubjectPublicKeyInfo wraps it (RFC 3279 section 2.3.1).
fn rsa_public_key_pem(pair: &RsaKeyPair) -> String {
    let spki = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef { oid: pem::RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) },
        subject_public_key: BitStringRef::from_bytes(pair.public().as_ref()).expect("a public key is short"),
    };
    let der = spki.to_der().expect("a public key is short");
    pem::encode("PUBLIC KEY", &der)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6979 appendix A.2.5.
    const SCALAR: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    }

    fn from_scalar(hex: &str) -> Result<SigningKey, KeyError> {
        SigningKey::from_scalar(&bytes(hex).try_into().expect("32 bytes"))
    }

    #[test]
    fn signatures_are_those_of_rfc_6979() {
        let key = from_scalar(SCALAR).expect("the scalar of the RFC");
        for (message, r, s) in [
            (
                "sample",
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
                "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
            ),
            (
                "test",
                "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
                "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
            ),
        ] {
            assert_eq!(key.sign(message.as_bytes()), [bytes(r), bytes(s)].concat(), "{message}");
        }
    }

    #[test]
    fn scalars_end_below_the_order_of_the_curve() {
        let zero = "0".repeat(64);
        let one = format!("{}1", "0".repeat(63));
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let below = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
        for (scalar, usable) in [(zero.as_str(), false), (&one, true), (below, true), (order, false)] {
            match from_scalar(scalar) {
                Ok(_) => assert!(usable, "{scalar} was accepted"),
                Err(error) => assert!(!usable && error == KeyError::ScalarOutOfRange, "{scalar}: {error}"),
            }
        }
    }

    #[test]
    fn a_key_of_the_moment_is_another_each_time() {
        assert_ne!(SigningKey::generate().thumbprint(), SigningKey::generate().thumbprint());
    }

    #[test]
    fn debug_shows_no_private_key() {
        let key = from_scalar(SCALAR).expect("the scalar of the RFC");
        let expected = format!(r#"SigningKey {{ algorithm: "ES256", thumbprint: "{}", .. }}"#, key.thumbprint());
        assert_eq!(format!("{key:?}"), expected);
    }
}
