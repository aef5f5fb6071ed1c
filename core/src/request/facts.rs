//! The facts of a request.

use std::fmt;

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
    /// without the query. The path of an absolute-form target is what follows the authority.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_facts_and_no_token() {
        let request = Request { token: b"secret", path: b"/a\n", upgrade: true, marked_public: false };
        let shown = format!("{request:?}");
        assert!(shown.contains("6 bytes") && shown.contains(r"/a\\n") && shown.contains("upgrade: true"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
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
