//! The signature algorithms.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::{error::Error, wording::quoted};

/// A signature algorithm (RFC 7518 section 3.1), for [`Options::algorithms`](crate::Options::algorithms).
///
/// ```
/// use pomerium_jwt::Algorithm;
///
/// assert_eq!("RS256".parse(), Ok(Algorithm::Rs256));
/// assert_eq!(Algorithm::Es256.to_string(), "ES256");
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on the curve P-256 with SHA-256: what Pomerium signs with.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256: what Pomerium signs with if its signing key is RSA. Needs the feature `rs256`.
    Rs256,
}

impl Algorithm {
    /// Every algorithm.
    ///
    /// ```
    /// let names: Vec<&str> = pomerium_jwt::Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
    /// assert_eq!(names, ["ES256", "RS256"]);
    /// ```
    pub const ALL: &'static [Self] = &[Self::Es256, Self::Rs256];

    /// The name in JOSE headers and keys: `ES256` or `RS256`.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::Algorithm::Rs256.name(), "RS256");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Es256 => "ES256",
            Algorithm::Rs256 => "RS256",
        }
    }

    /// `kty` and `crv` of its keys.
    pub(crate) const fn key_type(self) -> &'static str {
        match self {
            Algorithm::Es256 => "EC P-256",
            Algorithm::Rs256 => "RSA",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// From its [`name`](Algorithm::name); another one is `invalid_options`.
impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let unknown = || Error::options(format!("algorithms takes ES256 and RS256, not {}", quoted(name)));
        Self::from_name(name).ok_or_else(unknown)
    }
}

/// As its [`name`](Algorithm::name).
impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
