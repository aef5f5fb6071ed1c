//! The options' documentation in each language's own form, so that editors show it where an option is typed.

mod python;

/// Each file's name below `conformance/` and its content.
pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    vec![(python::FILE.to_owned(), python::options().into_bytes())]
}
