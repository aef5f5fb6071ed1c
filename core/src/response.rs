//! The HTTP response to a refusal: the same in every language and framework.

use crate::error::Error;

impl Error {
    /// The HTTP status of the response: 401, 403, 500 or 503.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode};
    ///
    /// assert_eq!(Error::new(ErrorCode::GroupRequired, "not an admin").status(), 403);
    /// ```
    #[must_use]
    pub fn status(&self) -> u16 {
        self.code().status()
    }

    /// The headers of the response. A 401 has a `WWW-Authenticate` (RFC 9110 section 15.5.2 demands one), for which no
    /// browser asks for a password (RFC 6750 section 3); a 503 has a `Retry-After` if another attempt can succeed.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode};
    ///
    /// let headers = Error::new(ErrorCode::TokenMissing, "no token").headers();
    /// assert!(headers.contains(&("Cache-Control", "no-store".to_owned())));
    /// ```
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers =
            vec![("Content-Type", "application/json".to_owned()), ("Cache-Control", "no-store".to_owned())];
        if self.status() == 401 {
            headers.push(("WWW-Authenticate", r#"Bearer error="invalid_token""#.to_owned()));
        }
        if let Some(seconds) = self.retry_after_seconds().filter(|_| self.status() == 503) {
            headers.push(("Retry-After", seconds.to_string()));
        }
        headers
    }

    /// The body of the response: `{"error":"token_expired"}`. For HEAD there is none.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode};
    ///
    /// assert_eq!(Error::new(ErrorCode::TokenMissing, "no token").body(), r#"{"error":"token_missing"}"#);
    /// ```
    #[must_use]
    pub fn body(&self) -> String {
        format!(r#"{{"error":"{}"}}"#, self.code())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::code::ErrorCode;

    #[test]
    fn only_an_error_that_ends_by_waiting_says_when_to_try_again() {
        let names = |code: ErrorCode| {
            let error = Error::new(code, "a sentence").after(Duration::from_secs(7));
            error.headers().into_iter().map(|(name, value)| format!("{name}: {value}")).skip(2).collect::<Vec<_>>()
        };
        assert_eq!(names(ErrorCode::TokenExpired), [r#"WWW-Authenticate: Bearer error="invalid_token""#]);
        assert_eq!(names(ErrorCode::KeysUnavailable), ["Retry-After: 7"]);
        assert_eq!(names(ErrorCode::GroupRequired), [""; 0]);
        assert_eq!(names(ErrorCode::Internal), [""; 0]);
    }
}
