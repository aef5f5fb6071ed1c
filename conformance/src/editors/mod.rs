//! The options' documentation in each language's own form, so that editors show it where an option is typed.

mod csharp;
mod go;
mod java;
mod php;
mod python;
mod spring;
mod typescript;

/// Each file's name below `conformance/` and its content.
pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        (csharp::FILE.to_owned(), csharp::options().into_bytes()),
        ("../clients/go/options_generated.go".to_owned(), go::options().into_bytes()),
        (python::FILE.to_owned(), python::options().into_bytes()),
        ("../bindings-node/src/option-types.ts".to_owned(), typescript::options()),
    ];
    files.extend(java::files());
    files.extend(spring::files());
    files.extend(php::files());
    files
}
