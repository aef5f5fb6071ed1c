//! Issuer and audience entries, and what they match.
//!
//! The rules by example: `conformance/cases.json`, ids `names-*`.

use crate::url::{is_authority, is_host, is_labels};

/// One configured issuer or audience.
#[derive(Debug, Clone, PartialEq)]
enum Entry {
    /// `app.example.com`: that text, or `https://app.example.com/` (Pomerium's `jwt_issuer_format` decides which).
    Host(String),
    /// Exactly this text: an entry with a scheme, or a value pinned on first use.
    Exact(String),
    /// `*.example.com` without its star: one or more labels before it, in both forms.
    Pattern(String),
}

/// How a value matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match<'v> {
    /// It is one of the entries.
    Exact,
    /// Only a pattern covers it; this is its host.
    Pattern { host: &'v str },
}

/// The configured issuers, or the configured audiences.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Names(Vec<Entry>);

impl Names {
    /// Reads the entries of the option `option`.
    ///
    /// # Errors
    /// A sentence that names the option and says what to write.
    pub(crate) fn parse(option: &str, entries: &[String]) -> Result<Self, String> {
        if !(1..=64).contains(&entries.len()) {
            return Err(format!("{option} has {} entries; it takes 1 to 64", entries.len()));
        }
        entries.iter().map(|entry| Entry::parse(option, entry)).collect::<Result<_, _>>().map(Self)
    }

    /// Values pinned on first use, each compared byte for byte.
    pub(crate) fn pinned(values: &[&str]) -> Self {
        Self(values.iter().map(|&value| Entry::Exact(value.to_owned())).collect())
    }

    /// Whether `value` is covered; an exact entry wins over a pattern.
    pub(crate) fn find<'v>(&self, value: &'v str) -> Option<Match<'v>> {
        if self.0.iter().any(|entry| entry.is_exactly(value)) {
            return Some(Match::Exact);
        }
        let host = host_of(value);
        self.0.iter().any(|entry| entry.covers(host)).then_some(Match::Pattern { host })
    }

    /// The entries as they were written.
    pub(crate) fn entries(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// What these entries accept, in words.
    pub(crate) fn accepted(&self) -> String {
        let each = self.0.iter().map(|entry| match entry {
            Entry::Host(host) => format!("{host} or https://{host}/"),
            Entry::Exact(text) => text.clone(),
            Entry::Pattern(suffix) => format!("*{suffix} or https://*{suffix}/"),
        });
        each.collect::<Vec<_>>().join(" or ")
    }

    /// The host of the only entry that is not a pattern, if keys can be derived from it.
    pub(crate) fn only_host(&self) -> Option<&str> {
        let mut exact = self.0.iter().filter_map(|entry| match entry {
            Entry::Host(text) | Entry::Exact(text) => Some(host_of(text)),
            Entry::Pattern(_) => None,
        });
        let host = exact.next()?;
        (exact.next().is_none() && is_authority(host)).then_some(host)
    }
}

/// For messages: the entries, quoted and joined.
impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, entry) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { " or " };
            write!(f, "{separator}{:?}", entry.to_string())?;
        }
        Ok(())
    }
}

/// As it was written.
impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Entry::Host(text) | Entry::Exact(text) => f.write_str(text),
            Entry::Pattern(suffix) => write!(f, "*{suffix}"),
        }
    }
}

impl Entry {
    fn parse(option: &str, text: &str) -> Result<Self, String> {
        if !(1..=255).contains(&text.len()) || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("{option} has an entry that is not 1 to 255 bytes without spaces and controls"));
        }
        let has_scheme = text.contains("://");
        if !text.contains('*') {
            return Ok(if has_scheme { Entry::Exact(text.to_owned()) } else { Entry::Host(text.to_owned()) });
        }
        if has_scheme {
            return Err(format!("{option} {text:?}: a pattern has no scheme, write *.suffix; it matches both forms"));
        }
        match text.strip_prefix('*') {
            Some(suffix) if suffix.strip_prefix('.').is_some_and(is_host) => Ok(Entry::Pattern(suffix.to_owned())),
            _ => Err(format!("{option} {text:?}: * only as the first label, followed by a host: *.example.com")),
        }
    }

    fn is_exactly(&self, value: &str) -> bool {
        match self {
            Entry::Host(host) => host == value || uri_host(value) == Some(host),
            Entry::Exact(text) => text == value,
            Entry::Pattern(_) => false,
        }
    }

    fn covers(&self, host: &str) -> bool {
        let Entry::Pattern(suffix) = self else { return false };
        host.strip_suffix(suffix.as_str()).is_some_and(is_labels)
    }
}

/// The host in the URI form that `jwt_issuer_format: uri` writes: `https://HOST/`.
fn uri_host(value: &str) -> Option<&str> {
    value.strip_prefix("https://")?.strip_suffix('/')
}

/// The host of either form.
fn host_of(value: &str) -> &str {
    uri_host(value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(entries: &[&str]) -> Result<Names, String> {
        Names::parse("issuer", &entries.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn patterns_stand_for_whole_labels() {
        let pattern = names(&["*.example.com"]).unwrap();
        let long = "a".repeat(63);
        for covered in ["a.example.com", "https://a.example.com/", "a.b.example.com", "A_-9.example.com"] {
            let host = host_of(covered);
            assert_eq!(pattern.find(covered), Some(Match::Pattern { host }), "{covered} must be covered");
        }
        assert!(pattern.find(&format!("{long}.example.com")).is_some());
        for foreign in [
            "example.com",
            ".example.com",
            "evilexample.com",
            "a.example.com.evil",
            "a..example.com",
            "a.example.com.",
            "a/b.example.com",
            "a@b.example.com",
            "a b.example.com",
            "*.example.com",
            "a.Example.com",
            "é.example.com",
            "https://a.example.com",
            "http://a.example.com/",
            "https://a.example.com//",
            "a.example.com:443",
            "",
            "https://https://a.example.com//",
            "-\0.example.com",
        ] {
            assert_eq!(pattern.find(foreign), None, "{foreign:?} must not be covered");
        }
        assert_eq!(pattern.find(&format!("a{long}.example.com")), None);
    }

    #[test]
    fn exact_entries_compare_byte_for_byte() {
        let both = names(&["*.example.com", "a.example.com", "https://b.example.com/"]).unwrap();
        let table = [
            ("a.example.com", Some(Match::Exact)),
            ("https://a.example.com/", Some(Match::Exact)),
            ("https://b.example.com/", Some(Match::Exact)),
            ("b.example.com", Some(Match::Pattern { host: "b.example.com" })),
            ("https://a.example.com", None),
        ];
        for (value, expected) in table {
            assert_eq!(both.find(value), expected, "{value}");
        }
        assert_eq!(Names::pinned(&["*.example.com"]).find("a.example.com"), None, "a pinned value is not a pattern");
    }

    #[test]
    fn bad_entries_are_explained() {
        let table = [
            ("", "1 to 255 bytes"),
            ("a b", "spaces"),
            ("a\n", "controls"),
            ("*", "first label"),
            ("*.", "first label"),
            ("a.*.example.com", "first label"),
            ("*.*.example.com", "first label"),
            ("*..example.com", "first label"),
            ("a*.example.com", "first label"),
            ("https://*.example.com/", "no scheme"),
        ];
        for (entry, why) in table {
            let error = names(&[entry]).expect_err(entry);
            assert!(error.contains(why) && error.starts_with("issuer"), "{entry}: {error}");
        }
        assert!(names(&[]).unwrap_err().contains("1 to 64"));
        assert!(names(&["a"; 65]).unwrap_err().contains("1 to 64"));
        assert!(names(&["a".repeat(256).as_str()]).is_err());
        assert!(names(&["a".repeat(255).as_str()]).is_ok());
    }
}
