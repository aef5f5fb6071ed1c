//! Signing keys: P-256 and RSA.

use std::{fmt, sync::Arc};

use p256::{
    SecretKey,
    ecdsa::{self, signature::Signer as _},
    elliptic_curve::Generate as _,
    pkcs8::{
        AlgorithmIdentifierRef, LineEnding, SubjectPublicKeyInfoRef,
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
    /// 2048 to 4096 bits as PKCS#1 or PKCS#8. Blocks that hold no key (EC PARAMETERS, certificates) are passed over.
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
                use p256::pkcs8::EncodePublicKey as _;
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
        self.with_public_key(|key| key.thumbprint())
    }

    /// The public key as a JWK (RFC 7517), text as Pomerium publishes it.
    #[must_use]
    pub fn jwk(&self) -> String {
        self.with_public_key(|key| key.to_json())
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

    fn with_public_key<R>(&self, read: impl FnOnce(PublicKey<'_>) -> R) -> R {
        match &self.0 {
            PrivateKey::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let coordinates = &point.as_bytes()[1..];
                let (x, y) = coordinates.split_at(32);
                read(PublicKey::P256 { x, y })
            }
            PrivateKey::Rsa(key) => {
                let PublicKeyComponents::<Vec<u8>> { n, e } = key.pair.public().into();
                read(PublicKey::Rsa { n: &n, e: &e })
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

/// Why a text or scalar is no signing key: a sentence that says what to write instead.
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
            Self::Damaged => "the PEM is cut off or damaged: give the whole text, from `-----BEGIN` to `-----END ...-----`",
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
                "the key is neither EC nor RSA: make one with `openssl ecparam -genkey -name prime256v1 -noout`"
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
