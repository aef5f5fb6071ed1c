//! The applications: one line each.

use super::Feature::{self, Cors, Rewrite, WebSockets};

/// An application of the repository.
#[derive(Debug)]
pub struct Listed {
    /// Its name in reports, and in the table of limits.
    pub name: &'static str,
    /// The language whose `make test-LANGUAGE` runs it.
    pub language: &'static str,
    /// Where it is started, below the repository.
    pub folder: &'static str,
    /// What starts it.
    pub command: &'static str,
    /// The page that says so, below the repository. It must hold the command.
    pub readme: &'static str,
    /// What its framework and server have.
    pub features: &'static [Feature],
}

const fn application(
    name: &'static str,
    language: &'static str,
    folder: &'static str,
    command: &'static str,
    readme: &'static str,
    features: &'static [Feature],
) -> Listed {
    Listed { name, language, folder, command, readme, features }
}

static LISTED: &[Listed] = &[application(
    "reference",
    "rust",
    "conformance",
    "cargo run -q --locked -p pomerium-jwt-conformance --bin http-reference",
    "conformance/http.md",
    &[WebSockets, Rewrite, Cors],
)];

/// Every application.
#[must_use]
pub fn listed() -> &'static [Listed] {
    LISTED
}
