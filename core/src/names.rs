//! Issuer and audience entries, their patterns, and Pomerium's route URLs.
//!
//! The rules by example: `conformance/cases.json`, ids `names-*`.

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

/// For messages: the entries, joined.
impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, entry) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { " or " };
            match entry {
                Entry::Host(text) | Entry::Exact(text) => write!(f, "{separator}{text:?}")?,
                Entry::Pattern(suffix) => write!(f, "{separator}{:?}", format!("*{suffix}"))?,
            }
        }
        Ok(())
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

/// One or more labels joined by dots.
fn is_labels(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

/// A host name in ASCII, perhaps fully qualified with a dot at its end.
fn is_host(text: &str) -> bool {
    text.len() <= 255 && is_labels(text.strip_suffix('.').unwrap_or(text))
}

/// `host` or `host:port`.
pub(crate) fn is_authority(text: &str) -> bool {
    match text.split_once(':') {
        None => is_host(text),
        Some((host, port)) => is_host(host) && is_port(port),
    }
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The `from:` URL of a Pomerium route.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    /// `https://app.example.com:8443`, lower-cased, without a slash at its end.
    origin: String,
    /// The host without its port: Pomerium never writes the port into a token.
    pub(crate) host: String,
}

impl Route {
    /// # Errors
    /// A sentence that says what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let shape = || {
            format!(
                "route {text:?}: write Pomerium's from: URL as https://host[:port], nothing after it: a token names the \
                 host alone, without port or path"
            )
        };
        let lower = text.to_ascii_lowercase();
        let origin = lower.strip_suffix('/').unwrap_or(&lower);
        let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).ok_or_else(shape)?;
        if authority.starts_with('[') {
            let why = "Pomerium garbles an IPv6 address in its tokens; give the route a host name";
            return Err(format!("route {text:?}: IPv6 cannot be used; {why}"));
        }
        let host = authority.split_once(':').map_or(authority, |(host, _)| host);
        let name = host.strip_prefix("*.").unwrap_or(host);
        if name.contains('*') {
            return Err(format!("route {text:?}: * only as the first label, followed by a host"));
        }
        if !is_authority(&authority[host.len() - name.len()..]) {
            return Err(shape());
        }
        Ok(Self { host: host.to_owned(), origin: origin.to_owned() })
    }

    /// The URL at which this route publishes the keys; none for a wildcard.
    pub(crate) fn jwks_url(&self) -> Option<String> {
        (!self.host.contains('*')).then(|| well_known(&self.origin))
    }
}

/// The key set's address below an origin (Pomerium >= 0.20 serves it on every route's host).
pub(crate) fn well_known(origin: &str) -> String {
    format!("{origin}/.well-known/pomerium/jwks.json")
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

    #[test]
    fn routes_are_origins_and_nothing_else() {
        let good = [
            ("https://app.example.com", "app.example.com", Some("https://app.example.com")),
            ("HTTPS://App.Example.COM:8443/", "app.example.com", Some("https://app.example.com:8443")),
            ("https://*.apps.example.com", "*.apps.example.com", None),
        ];
        for (text, host, origin) in good {
            let route = Route::parse(text).unwrap();
            assert_eq!((route.host.as_str(), route.jwks_url()), (host, origin.map(well_known)), "{text}");
        }
        for bad in [
            "",
            "https://",
            "https:///",
            "https://a//",
            "https://a/b",
            "https://a?b",
            "https://a#b",
            "https://u@a",
            "https://a:",
            "https://a:0",
            "https://a:65536",
            "https://a:080",
            "https://a:8a",
            "ftp://a",
            "https://.a",
            "https://a b",
            "https://a\\b",
            "https://a%2eb",
            "https://*",
            "https://*.",
            "https://*.*.a",
            "https://é",
            " https://a",
            "https://a:1:2",
            "https://[::1]",
            "https://*a.b",
        ] {
            assert!(Route::parse(bad).is_err(), "{bad:?} must be refused");
        }
    }
}
