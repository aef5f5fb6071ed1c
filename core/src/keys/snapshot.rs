//! The set in use: an immutable snapshot, replaced whole.

use std::sync::Arc;

use super::{
    age::Loaded,
    key_set::{Found, KeySet},
};
use crate::algorithm::Algorithm;

/// A set, with what the policy has to know about it.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) keys: Arc<KeySet>,
    pub(super) loaded: Loaded,
    pub(super) etag: Option<String>,
    /// False for `jwks_initial`.
    pub(super) fetched: bool,
}

/// The key that a token names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'t> {
    pub(super) kid: Option<&'t str>,
    pub(super) algorithm: Algorithm,
}

impl Snapshot {
    /// The key, if the set has it.
    pub(super) fn find(&self, wanted: Wanted<'_>) -> Option<Found> {
        Found::choose(&self.keys, wanted.kid, wanted.algorithm)
    }
}
