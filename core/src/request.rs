//! The facts of a request, the rules about requests, and what one route demands of those who got in.

use std::fmt;

use crate::{
    code::ErrorCode,
    error::{Error, Facts},
    identity::Identity,
    wording::quoted,
};

/// The facts of a request, as an integration finds them. Their meaning is exact; read each before collecting it.
///
/// ```
/// use pomerium_jwt::Request;
///
/// let request = Request { token: b"eyJ...", path: b"/reports", ..Request::default() };
/// ```
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    /// All values of the header, joined by `,`; empty if there are none.
    pub token: &'a [u8],
    /// The path as the client sent it, whole (with the prefix under which the application is mounted), undecoded and
    /// without the query. Of an absolute-form target the path after the authority.
    ///
    /// Empty, which is never exempt, if a later handler routes by something else (a middleware in front rewrote the
    /// path), for `*` and CONNECT, and if only a decoded path is available and it holds anything but
    /// `A-Z a-z 0-9 . _ ~ - /`.
    pub path: &'a [u8],
    /// True unless all values of the `Upgrade` header, joined by `,` and trimmed, are empty or exactly `h2c` in any
    /// case; also for a CONNECT of HTTP/2 and HTTP/3, and for every request that the server itself reports as a
    /// WebSocket.
    pub upgrade: bool,
    /// The endpoint is marked as public by the host's own means, known after routing (`AllowAnonymous` of ASP.NET).
    pub marked_public: bool,
}

impl Request<'_> {
    /// Whether the values of a request's `Upgrade` header, joined by `,`, ask for an upgrade: see
    /// [`upgrade`](Self::upgrade).
    ///
    /// ```
    /// use pomerium_jwt::Request;
    ///
    /// assert!(Request::is_upgrade("websocket"));
    /// assert!(!Request::is_upgrade(" h2c ") && !Request::is_upgrade(""));
    /// ```
    #[must_use]
    pub fn is_upgrade(joined: impl AsRef<[u8]>) -> bool {
        let value = joined.as_ref().trim_ascii();
        !(value.is_empty() || value.eq_ignore_ascii_case(b"h2c"))
    }
}

/// Shows no token.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("token", &format_args!("{} bytes", self.token.len()))
            .field("path", &self.path.escape_ascii().to_string())
            .field("upgrade", &self.upgrade)
            .field("marked_public", &self.marked_public)
            .finish()
    }
}

/// A request that gets in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request that passed has no identity"]
#[allow(clippy::large_enum_variant, reason = "nearly every admission has an identity")]
pub enum Admission {
    /// The token verified: this is who is calling.
    Verified(Identity),
    /// The request needs no token: nothing is known about the caller.
    Passed,
}

impl Admission {
    /// Who is calling; none if the request passed without an identity.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Admission::Verified(identity) => Some(identity),
            Admission::Passed => None,
        }
    }

    /// Demands a signed-in user, for one route.
    ///
    /// # Errors
    /// `token_missing` if the request passed without an identity, `subject_missing` if the identity is anonymous.
    pub fn require_user(&self) -> Result<&Identity, Error> {
        self.require_identity()?.require_user()
    }

    /// Demands a signed-in user in at least one of these groups, for one route.
    ///
    /// # Errors
    /// As [`require_user`](Self::require_user), and `group_required`. `invalid_argument` for an empty list.
    pub fn require_group<S: AsRef<str>>(&self, groups: &[S]) -> Result<&Identity, Error> {
        check_groups(groups)?;
        self.require_identity()?.require_group(groups)
    }

    fn require_identity(&self) -> Result<&Identity, Error> {
        self.identity().ok_or_else(|| {
            let message = "this route demands a signed-in user, and the request passed without a token";
            Error::new(ErrorCode::TokenMissing, message)
        })
    }
}

impl Identity {
    /// Demands a signed-in user, for one route.
    ///
    /// # Errors
    /// `subject_missing` if the identity is anonymous.
    pub fn require_user(&self) -> Result<&Self, Error> {
        if self.is_user() {
            return Ok(self);
        }
        let message = "this route demands a signed-in user, and sub is empty";
        Err(Error::new(ErrorCode::SubjectMissing, message))
    }

    /// Demands a signed-in user in at least one of these groups, for one route.
    ///
    /// # Errors
    /// As [`require_user`](Self::require_user), and `group_required`. `invalid_argument` for an empty list.
    pub fn require_group<S: AsRef<str>>(&self, groups: &[S]) -> Result<&Self, Error> {
        check_groups(groups)?;
        self.require_user()?;
        if groups.iter().any(|group| self.in_group(group.as_ref())) {
            return Ok(self);
        }
        Err(group_required("this route", self, groups))
    }
}

fn check_groups<S: AsRef<str>>(groups: &[S]) -> Result<(), Error> {
    if !groups.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorCode::InvalidArgument, "require_group got an empty list: name at least one group"))
}

fn group_required<S: AsRef<str>>(who: &str, identity: &Identity, groups: &[S]) -> Error {
    const SHOWN: usize = 4;
    let names: Vec<String> = groups.iter().take(SHOWN).map(|group| quoted(group.as_ref())).collect();
    let more = if groups.len() > SHOWN { ", ..." } else { "" };
    let message = format!("the user is in none of the groups that {who} demands: {}{more}", names.join(", "));
    let facts = Facts::Mismatch {
        claim: "groups".to_owned(),
        actual: identity.groups.clone(),
        expected: groups.iter().map(|group| group.as_ref().to_owned()).collect(),
    };
    Error::new(ErrorCode::GroupRequired, message).about(facts)
}

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

    #[test]
    fn an_upgrade_is_everything_but_nothing_and_h2c() {
        for upgrade in ["websocket", "WebSocket", "h2c, websocket", "h2c,h2c", ",", "h2c,", "h2", "tls/1.0", "x"] {
            assert!(Request::is_upgrade(upgrade), "{upgrade:?}");
        }
        for other in ["", " ", "\t", "h2c", "H2C", " h2c\t"] {
            assert!(!Request::is_upgrade(other), "{other:?}");
        }
    }
}
