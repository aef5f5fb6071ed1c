//! The cases that every language runs: each says itself what must come out, no verifier is asked.
//!
//! A case is a token as Pomerium mints it, and options that accept it, with something changed: see `case.rs`.
#![forbid(unsafe_code)]

pub mod application;
mod case;
mod cases;
mod documents;
mod editors;
mod fixtures;
pub mod http;
mod reference;
mod requests;

pub use case::{Case, Expect};
pub use requests::RequestCase;

/// Every case, in the order of the file.
#[must_use]
pub fn cases() -> Vec<Case> {
    cases::all()
}

/// Every case of `requests.json`, in the order of the file.
#[must_use]
pub fn requests() -> Vec<RequestCase> {
    requests::all()
}

/// Every file that is written: its name below `conformance/` and its content.
#[must_use]
pub fn outputs() -> Vec<(String, Vec<u8>)> {
    let lines: Vec<String> = cases().iter().map(Case::to_json).collect();
    let requests: Vec<String> = requests().iter().map(RequestCase::to_json).collect();
    let mut outputs = vec![
        ("cases.json".to_owned(), one_a_line(&lines)),
        ("requests.json".to_owned(), one_a_line(&requests)),
        ("codes.json".to_owned(), one_a_line(&reference::codes())),
        ("options.json".to_owned(), one_a_line(&reference::options())),
        ("../cli/src/genuine.json".to_owned(), fixtures::genuine("typical-user")),
    ];
    outputs.extend(documents::files());
    outputs.extend(editors::files());
    outputs.extend(fixtures::files().into_iter().map(|(name, content)| (format!("files/{name}"), content)));
    outputs
}

fn one_a_line(entries: &[String]) -> Vec<u8> {
    format!("[\n{}\n]\n", entries.join(",\n")).into_bytes()
}
