//! The line that describes a verifier when it starts.

use std::fmt;

use crate::{names::Names, request::RequestRules, wording::quoted};

/// What it is written from.
pub(crate) struct Summary<'a> {
    pub(crate) issuer: Option<&'a Names>,
    pub(crate) audience: Option<&'a Names>,
    pub(crate) source: &'a str,
    pub(crate) request: &'a RequestRules,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accepted = |names: Option<&Names>| names.map_or("any, until one is pinned".to_owned(), Names::accepted);
        if self.issuer == self.audience && self.issuer.is_some() {
            write!(f, "accepts issuer and audience {}", accepted(self.issuer))?;
        } else {
            write!(f, "accepts issuer {} and audience {}", accepted(self.issuer), accepted(self.audience))?;
        }
        write!(f, "; keys: {}; header: {}", self.source, self.request.header_name())?;
        if self.request.optional() {
            f.write_str("; optional: requests without a token pass")?;
        }
        let exempt = self.request.exempt_paths();
        if !exempt.is_empty() {
            write!(f, "; exempt_paths: {}", exempt.join(", "))?;
        }
        let groups: Vec<String> = self.request.require_group().iter().map(|group| quoted(group)).collect();
        if !groups.is_empty() {
            write!(f, "; require_group: {}", groups.join(", "))?;
        }
        if self.issuer.is_none() || self.audience.is_none() {
            f.write_str("; WARNING: trust_on_first_use pins what the first token says: for development only")?;
        }
        Ok(())
    }
}
