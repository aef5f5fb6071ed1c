//! The rules about requests: the options `header_name`, `optional`, `exempt_paths` and `require_group`.

use std::fmt;

use super::{admission::group_required, facts::Request};
use crate::{error::Error, identity::Identity, wording::quoted};

/// The request options, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RequestRules {
    header_name: String,
    optional: bool,
    exempt: Vec<Exempt>,
    require_group: Vec<String>,
}

impl RequestRules {
    /// # Errors
    /// A sentence for `invalid_options`.
    pub(crate) fn new(
        header_name: String,
        optional: bool,
        exempt_paths: Vec<String>,
        require_group: Vec<String>,
    ) -> Result<Self, String> {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if !(1..=64).contains(&header_name.len()) || !header_name.bytes().all(is_name) {
            return Err("header_name takes the name of a request header, 1 to 64 of A-Z a-z 0-9 -".to_owned());
        }
        if require_group.iter().any(String::is_empty) {
            return Err("require_group has an empty name: remove it".to_owned());
        }
        if optional && !require_group.is_empty() {
            return Err(
                "optional and require_group contradict each other: a request without a token would get in; set \
                        only one of them"
                    .to_owned(),
            );
        }
        let exempt = exempt_paths.into_iter().map(Exempt::parse).collect::<Result<_, _>>()?;
        Ok(Self { header_name, optional, exempt, require_group })
    }

    pub(crate) fn header_name(&self) -> &str {
        &self.header_name
    }

    pub(crate) fn optional(&self) -> bool {
        self.optional
    }

    /// As they were written.
    pub(crate) fn exempt_paths(&self) -> Vec<String> {
        self.exempt.iter().map(Exempt::to_string).collect()
    }

    pub(crate) fn require_group(&self) -> &[String] {
        &self.require_group
    }

    /// The option `require_group`, for every verification. An anonymous identity has no groups.
    pub(crate) fn check_group(&self, identity: &Identity) -> Result<(), Error> {
        if self.require_group.is_empty() || self.require_group.iter().any(|group| identity.in_group(group)) {
            return Ok(());
        }
        Err(group_required("require_group", identity, &self.require_group))
    }

    /// Whether the path is one of `exempt_paths`. An upgrade is never exempt.
    pub(crate) fn exempts(&self, request: &Request<'_>) -> bool {
        !request.upgrade && self.exempt.iter().any(|entry| entry.covers(request.path))
    }

    /// Whether a request without a token gets in.
    pub(crate) fn passes_without_token(&self, request: &Request<'_>) -> bool {
        self.optional || (request.marked_public && !request.upgrade)
    }
}

/// One entry of `exempt_paths`. It consists of characters that no decoding changes and of no segment that a router
/// could resolve, so the path compared here is the path that is routed.
#[derive(Debug, Clone, PartialEq)]
enum Exempt {
    /// `/health`: this path.
    Exact(String),
    /// `/public/*` without its star: everything below.
    Below(String),
}

impl Exempt {
    fn parse(text: String) -> Result<Self, String> {
        let (path, below) = match text.strip_suffix('*') {
            Some(path) if path.ends_with('/') => (path, true),
            _ => (text.as_str(), false),
        };
        if below && path == "/" {
            return Err("exempt_paths: /* would exempt every path; name the ones that need no token".to_owned());
        }
        let inner = path.strip_prefix('/').map(|inner| inner.strip_suffix('/').unwrap_or(inner));
        if path != "/" && !inner.is_some_and(|inner| are_plain_segments(inner.as_bytes())) {
            return Err(format!(
                "exempt_paths {}: write a path such as /health, or /public/* for everything below it; it consists of \
                 A-Z a-z 0-9 . _ ~ - / without empty or dot segments",
                quoted(&text)
            ));
        }
        Ok(if below { Self::Below(path.to_owned()) } else { Self::Exact(text) })
    }

    fn covers(&self, path: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => path == exact.as_bytes(),
            Self::Below(prefix) => path.strip_prefix(prefix.as_bytes()).is_some_and(are_plain_segments),
        }
    }
}

impl fmt::Display for Exempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => f.write_str(path),
            Self::Below(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// One or more segments, none of them empty, `.` or `..`, of characters that mean the same encoded and decoded.
fn are_plain_segments(text: &[u8]) -> bool {
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"._~-".contains(b);
    text.split(|b| *b == b'/').all(|segment| !matches!(segment, b"" | b"." | b"..") && segment.iter().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(exempt: &[&str]) -> Result<RequestRules, String> {
        let exempt = exempt.iter().map(|&path| path.to_owned()).collect();
        RequestRules::new("X-Pomerium-Jwt-Assertion".to_owned(), false, exempt, Vec::new())
    }

    #[test]
    fn exempt_paths_are_plain_or_refused() {
        for good in ["/", "/health", "/health/", "/a/b.c_d~e-f", "/public/*", "/a/b/*", "/...", "/.well-known/x"] {
            assert_eq!(rules(&[good]).map(|rules| rules.exempt_paths()), Ok(vec![good.to_owned()]), "{good}");
        }
        let bad = [
            "",
            "*",
            "/*",
            "health",
            "//",
            "/a//b",
            "//a",
            "/a//",
            "/.",
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/a*",
            "/*/a",
            "/a/*/b",
            "/a/**",
            "/%61",
            "/a b",
            "/a;b",
            "/a\\b",
            "/a?b",
            "/a#b",
            "/a+b",
            "/é",
            "/a\0",
            "/a//*",
            "/../*",
            "/a:b",
            "https://a/b",
        ];
        for bad in bad {
            let why = rules(&[bad]).expect_err(bad);
            assert!(why.starts_with("exempt_paths"), "{bad}: {why}");
        }
    }

    #[test]
    fn exempt_paths_are_compared_byte_for_byte() {
        let rules = rules(&["/health", "/", "/slash/", "/public/*"]).expect("rules");
        let exempts = |path: &str| rules.exempts(&Request { path: path.as_bytes(), ..Request::default() });
        for exempt in ["/", "/health", "/slash/", "/public/a", "/public/a/b.css", "/public/...", "/public/.hidden"] {
            assert!(exempts(exempt), "{exempt}");
        }
        for guarded in [
            "",
            "/Health",
            "/health/",
            "//health",
            "/health/x",
            "/%68ealth",
            "/health;x",
            "/health%00",
            "/./health",
            "/slash",
            "/public",
            "/public/",
            "/public/*",
            "/public//a",
            "/public/a//b",
            "/public/a/",
            "/public/./a",
            "/public/../admin",
            "/public/a/..",
            "/public/%2e%2e/admin",
            "/public/a;b",
            "/public/a\\..\\b",
            "/public/a b",
            "/publicity",
            "*",
            "/public/a?b",
            "/x/public/a",
            "/public/é",
            "https://a/health",
        ] {
            assert!(!exempts(guarded), "{guarded}");
        }
        let upgrade = Request { path: b"/health", upgrade: true, ..Request::default() };
        assert!(!rules.exempts(&upgrade), "an upgrade is never exempt");
    }
}
