//! The key that a set has for a token, and what is known of the set as a whole.

use std::{fmt::Write as _, sync::Arc};

use sha2::{Digest, Sha256};

use super::{Algorithm, KeySet, PublicKey};
use crate::error::Error;

/// A key, together with the set it was found in.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) keys: Arc<KeySet>,
    key: PublicKey,
}

impl Found {
    /// The key of this set for a token's `kid` and `alg`.
    ///
    /// # Errors
    /// `keys_empty` or `key_not_found`, with a sentence that says what there is.
    pub(crate) fn find(keys: Arc<KeySet>, kid: Option<&str>, algorithm: Algorithm) -> Result<Self, Error> {
        let key = keys.find(kid, algorithm)?.clone();
        Ok(Self { keys, key })
    }

    /// The same without the message, which would be composed several times for each token of a flood of unknown kids.
    pub(super) fn choose(keys: &Arc<KeySet>, kid: Option<&str>, algorithm: Algorithm) -> Option<Self> {
        let key = keys.choose(kid, algorithm)?.clone();
        Some(Self { keys: keys.clone(), key })
    }

    /// The key: a clone that shares all that was prepared for it.
    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }
}

impl KeySet {
    /// What tokens call the usable keys.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, Algorithm)> {
        self.keys.iter().filter_map(|listed| Some((listed.name()?, listed.key.as_ref().ok()?.algorithm())))
    }

    /// SHA-256 over the thumbprints, sorted and one after the other, in hex: two instances with the same one have the
    /// same keys. None if no key could be read.
    pub(super) fn digest(&self) -> Option<String> {
        let mut thumbprints: Vec<&str> = self.keys.iter().filter_map(|listed| listed.thumbprint.as_deref()).collect();
        thumbprints.sort_unstable();
        thumbprints.dedup();
        if thumbprints.is_empty() {
            return None;
        }
        Some(Sha256::digest(thumbprints.concat()).iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}"); // writing to a String cannot fail
            hex
        }))
    }
}
