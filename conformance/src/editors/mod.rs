//! The options' documentation where each language's editors show it.

pub(crate) mod typescript;
