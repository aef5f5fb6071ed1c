//! ECDSA on P-256 with SHA-256 (ES256, RFC 7518 section 3.4) under keys that live long.
//!
//! A [`Key`] is checked once and used for months, and so carries 256 kB of precomputed multiples of its point, which
//! make a verification several times faster than one under a fresh key, and faster still where the processor has AVX-512
//! IFMA. It knows nothing of tokens.
//!
//! ```
//! let (x, y) = ([0x11; 32], [0x22; 32]);
//! assert!(pomerium_jwt_es256::Key::new(&x, &y).is_err(), "not a point of the curve");
//! ```
#![deny(unsafe_code)]
#![deny(missing_docs)]

/// The programs in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod field;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod ifma;
mod inverse;
#[cfg(any(target_arch = "x86_64", test))]
mod lanes;
mod limbs;
mod point;
mod scalar;
mod table;
#[cfg(test)]
mod testing;
mod verify;
mod way;

use std::{fmt, sync::Arc};

use p256::{Sec1Point, ecdsa::VerifyingKey};
use sha2::{Digest as _, Sha256};

#[doc(hidden)]
pub use crate::way::Way;
use crate::{field::FieldElement, point::AffinePoint, table::Table};

/// A public key, ready for use: cheap to clone, shared between its clones, equal by its coordinates.
#[derive(Clone)]
pub struct Key(Arc<Inner>);

struct Inner {
    x: [u8; 32],
    y: [u8; 32],
    table: Table,
}

impl Key {
    /// The key with these affine coordinates, big-endian (JWK `x` and `y`, RFC 7518 section 6.2.1).
    ///
    /// It takes about half a millisecond, once more for the first key of the process.
    ///
    /// # Errors
    /// [`InvalidPoint`] for a coordinate of p or more and for a point that is not on the curve.
    pub fn new(x: &[u8; 32], y: &[u8; 32]) -> Result<Self, InvalidPoint> {
        check_point(x, y)?;
        table::generator();
        let coordinate = |bytes| FieldElement::new(limbs::from_be_bytes(bytes));
        let table = Table::new(&AffinePoint { x: coordinate(x), y: coordinate(y) });
        Ok(Self(Arc::new(Inner { x: *x, y: *y, table })))
    }

    /// Checks `signature`, the 64 bytes r ‖ s of RFC 7518 section 3.4, over the SHA-256 of `message`.
    ///
    /// Both (r, s) and (r, n − s) are valid: ECDSA makes no difference and neither does RFC 7518.
    ///
    /// # Errors
    /// [`InvalidSignature`] for anything else, a wrong length included.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        self.verify_by(Way::current(), message, signature)
    }

    /// The same by a certain way. For this project's own tests.
    ///
    /// # Errors
    /// As `verify`.
    #[doc(hidden)]
    pub fn verify_by(&self, way: Way, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let hash = Sha256::digest(message).into();
        if verify::verify(way, &self.0.table, &hash, signature) { Ok(()) } else { Err(InvalidSignature) }
    }

    /// The affine coordinate x, big-endian.
    #[must_use]
    pub fn x(&self) -> &[u8; 32] {
        &self.0.x
    }

    /// The affine coordinate y, big-endian.
    #[must_use]
    pub fn y(&self) -> &[u8; 32] {
        &self.0.y
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.x == other.0.x && self.0.y == other.0.y)
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// Whether [`Key::new`] would take these coordinates, without preparing anything.
///
/// ```
/// assert!(pomerium_jwt_es256::check_point(&[0x11; 32], &[0x22; 32]).is_err());
/// ```
///
/// # Errors
/// As `Key::new`.
pub fn check_point(x: &[u8; 32], y: &[u8; 32]) -> Result<(), InvalidPoint> {
    let encoded = Sec1Point::from_affine_coordinates(x.into(), y.into(), false);
    VerifyingKey::from_sec1_point(&encoded).map(drop).map_err(|_| InvalidPoint)
}

/// The coordinates are not those of a point on P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPoint;

impl fmt::Display for InvalidPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the coordinates are not a point on P-256")
    }
}

impl std::error::Error for InvalidPoint {}

/// The signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSignature;

impl fmt::Display for InvalidSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature does not hold")
    }
}

impl std::error::Error for InvalidSignature {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The generator G, and -G: one x, and y and p - y.
    fn opposite_keys() -> [Key; 2] {
        const X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
        const Y: [&str; 2] = [
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
            "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a",
        ];
        Y.map(|y| Key::new(&bytes(X), &bytes(y)).expect("a point of the curve"))
    }

    fn bytes(hex: &str) -> [u8; 32] {
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex"))
    }

    #[test]
    fn a_key_is_not_its_opposite_although_they_share_x() {
        let [key, opposite] = opposite_keys();
        assert_eq!(key.x(), opposite.x());
        assert_ne!(key, opposite);
        assert_eq!(key, key.clone());
        assert_eq!(key, Key::new(key.x(), key.y()).expect("a point"), "equal without a shared table");
    }
}
