//! The options' documentation where each language's editors show it: at the type that they are written with.

pub(crate) mod go;
pub(crate) mod typescript;
