//! What a diagnosis says: every check of a token, and how it ended.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, Facts};

/// What [`Verifier::inspect`](crate::Verifier::inspect) found. For people who look for the reason, **never for letting anyone in**: what it shows
/// of the token is NOT VERIFIED, and holds personal data.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The JOSE header's text, if it could be decoded.
    pub header: Option<String>,
    /// The payload's text, if it could be decoded.
    pub claims: Option<String>,
    /// Every check, in the order in which a verification makes them.
    pub checks: Vec<Check>,
}

impl Inspection {
    /// The first check that failed: the error of [`Verifier::verify_at`](crate::Verifier::verify_at).
    #[must_use]
    pub fn first_failure(&self) -> Option<&Error> {
        self.checks.iter().find_map(|check| match &check.outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        })
    }
}

/// One check of a token.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is checked: `token size form header typ crit alg key signature claims exp nbf iat max_token_age iss aud sub
    /// require_group pinned`, or `expect_claims.<claim>`.
    pub name: String,
    /// What the options, the keys and the time demand, for people.
    pub expected: String,
    /// What the token has, for people; empty if it was not judged.
    pub actual: String,
    /// The verdict.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How one check ended.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The token passes.
    Passed,
    /// The token is refused.
    Failed(Error),
    /// An earlier failure left nothing to judge.
    NotJudged,
}

impl Outcome {
    /// `passed`, `failed` or `not_judged`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed(_) => "failed",
            Outcome::NotJudged => "not_judged",
        }
    }
}

/// As `{"outcome":"failed","code":"token_expired","message":"...","facts":{"claim":"exp","value":1,"now":2}}`; code and
/// message are null unless it failed, and the facts are left out if there are none.
impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members<'a> {
            outcome: &'a str,
            code: Option<&'a str>,
            message: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            facts: Option<&'a Facts>,
        }
        let error = match self {
            Outcome::Failed(error) => Some(error),
            _ => None,
        };
        let code = error.map(|error| error.code().name());
        let (message, facts) = (error.map(Error::message), error.and_then(Error::facts));
        Members { outcome: self.name(), code, message, facts }.serialize(serializer)
    }
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection").field("checks", &self.checks).finish_non_exhaustive()
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.outcome)
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Failed(error) => write!(f, "failed with {}", error.code()),
            other => f.write_str(other.name()),
        }
    }
}
