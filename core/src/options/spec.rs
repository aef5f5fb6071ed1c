//! One row of the table of options, as documentation and clients see it.

use super::value::OptionKind;

/// What the name of every environment variable begins with.
pub(super) const PREFIX: &str = "POMERIUM_JWT_";

/// One option, for documentation and for clients.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionSpec {
    /// The name in JSON, snake case.
    pub name: &'static str,
    /// What the option is about.
    pub group: OptionGroup,
    /// The type and range.
    pub kind: OptionKind,
    /// What it means, in Markdown.
    pub meaning: &'static str,
}

impl OptionSpec {
    /// The environment variable that sets it, such as `POMERIUM_JWT_ROUTE`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{}{}", PREFIX, self.name.to_ascii_uppercase())
    }
}

/// What an option is about.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionGroup {
    /// Whom the token must be from, and for.
    Names,
    /// Where the keys come from: at most one of these.
    Keys,
    /// Further demands on a token.
    Token,
    /// When a token is valid.
    Times,
    /// How keys are fetched.
    Fetch,
    /// How long fetched keys are used.
    Cache,
    /// Which requests get in: what [`Verifier::with`](crate::Verifier::with) may replace.
    Request,
}

impl OptionGroup {
    /// The name in lower case, as `conformance/options.json` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            OptionGroup::Names => "names",
            OptionGroup::Keys => "keys",
            OptionGroup::Token => "token",
            OptionGroup::Times => "times",
            OptionGroup::Fetch => "fetch",
            OptionGroup::Cache => "cache",
            OptionGroup::Request => "request",
        }
    }
}
