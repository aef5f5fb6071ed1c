//! The cases, one file for each subject.

pub(crate) mod codes;
pub(crate) mod connections;
pub(crate) mod front;
pub(crate) mod headers;
pub(crate) mod identity;
pub(crate) mod log;
pub(crate) mod methods;
pub(crate) mod open;
pub(crate) mod paths;
pub(crate) mod upgrades;
