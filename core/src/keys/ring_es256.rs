//! ES256 keys checked by `ring`, for those who prefer it: the feature `ring-es256`. The same functions as those of
//! `pomerium_jwt_es256::Key`.

use std::sync::Arc;

use pomerium_jwt_es256::{InvalidPoint, InvalidSignature, check_point};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

/// A public key: cheap to clone, equal by its coordinates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(Arc<Coordinates>);

#[derive(Debug, PartialEq, Eq)]
struct Coordinates {
    x: [u8; 32],
    y: [u8; 32],
    /// Both as ring takes them, in the uncompressed form of SEC 1 section 2.3.3.
    point: [u8; 65],
}

impl Key {
    /// The key with these affine coordinates, big-endian. They are checked here, since ring checks them with each
    /// signature and a key that can never be used must not count as usable.
    pub(super) fn new(x: &[u8; 32], y: &[u8; 32]) -> Result<Self, InvalidPoint> {
        check_point(x, y)?;
        let mut point = [4; 65];
        point[1..33].copy_from_slice(x);
        point[33..].copy_from_slice(y);
        Ok(Self(Arc::new(Coordinates { x: *x, y: *y, point })))
    }

    /// Checks `signature`, the 64 bytes r ‖ s of RFC 7518 section 3.4, over the SHA-256 of `message`.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0.point);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    pub(crate) fn x(&self) -> &[u8; 32] {
        &self.0.x
    }

    pub(crate) fn y(&self) -> &[u8; 32] {
        &self.0.y
    }
}
