//! The signature algorithms.

/// A signature algorithm (RFC 7518 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Es256,
    Rs256,
}

impl Algorithm {
    pub(crate) const fn name(self) -> &'static str {
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
        [Algorithm::Es256, Algorithm::Rs256].into_iter().find(|algorithm| algorithm.name() == name)
    }
}
