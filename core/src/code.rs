//! THE codes: every way a verification can fail has a number, a name, a kind and a meaning here, and nowhere else.

use std::{fmt, str::FromStr};

use crate::wording::quoted;

/// The stable code of a refusal: a name, a number, a kind and a meaning, the same in every language.
///
/// Numbers are never reused and names never change. The list is printed to `conformance/codes.json`.
#[repr(C)]
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorCode {
    /// An option is unknown, of the wrong type or out of its range, or the options contradict each other.
    InvalidOptions = 1,
    /// A function was called with an invalid argument.
    InvalidArgument = 2,
    /// There is no token: the header is absent or empty.
    TokenMissing = 100,
    /// There are several tokens, joined by a comma: Pomerium sends exactly one.
    TokenRepeated = 101,
    /// The token is longer than `max_token_bytes`.
    TokenTooLarge = 102,
    /// The text is not a JWS in compact serialization with a strict JSON object as its header.
    TokenMalformed = 103,
    /// The header's `alg` is not one of `algorithms`.
    AlgorithmNotAllowed = 104,
    /// The header has a `crit`, or a `typ` other than JWT.
    HeaderUnsupported = 105,
    /// No key of the key set fits the header's `kid` and `alg`.
    KeyNotFound = 106,
    /// The signature is not valid under the key.
    SignatureInvalid = 107,
    /// The payload is not a strict JSON object, or a registered claim has the wrong type or range.
    ClaimsMalformed = 108,
    /// `exp` has passed.
    TokenExpired = 109,
    /// `nbf` is in the future.
    TokenNotYetValid = 110,
    /// `iat` is in the future.
    TokenIssuedInFuture = 111,
    /// `iat` is longer ago than `max_token_age`.
    TokenTooOld = 112,
    /// `iss` is not an expected issuer.
    IssuerMismatch = 113,
    /// `aud` holds no expected audience, or not the host of an issuer matched by a pattern.
    AudienceMismatch = 114,
    /// `sub` is missing or empty: nobody is signed in.
    SubjectMissing = 115,
    /// A claim does not have a value that `expect_claims` accepts.
    ClaimMismatch = 116,
    /// There are no keys to check with, and they could not be fetched.
    KeysUnavailable = 200,
    /// The keys have to be fetched first: refresh, then ask again with the ticket.
    KeysNeeded = 201,
    /// The key set has no usable key.
    KeysEmpty = 202,
    /// The user is in none of the groups that `require_group` or a route demands.
    GroupRequired = 300,
    /// A fault in this library or on this machine.
    Internal = 900,
}

/// From a number or a name to everything else. (The example is here and not above, which is also in the C header.)
///
/// ```
/// use pomerium_jwt::{ErrorCode, ErrorKind};
///
/// let code: ErrorCode = "token_expired".parse()?;
/// assert_eq!((code.number(), code.kind(), code.status()), (109, ErrorKind::Token, 401));
/// assert_eq!(ErrorCode::try_from(109), Ok(code));
/// # Ok::<(), pomerium_jwt::UnknownCode>(())
/// ```
impl ErrorCode {
    /// Every code, in the order of their numbers.
    ///
    /// ```
    /// for code in pomerium_jwt::ErrorCode::ALL {
    ///     println!("{} {code}: {}", code.number(), code.meaning());
    /// }
    /// ```
    pub const ALL: &'static [ErrorCode] = &[
        ErrorCode::InvalidOptions,
        ErrorCode::InvalidArgument,
        ErrorCode::TokenMissing,
        ErrorCode::TokenRepeated,
        ErrorCode::TokenTooLarge,
        ErrorCode::TokenMalformed,
        ErrorCode::AlgorithmNotAllowed,
        ErrorCode::HeaderUnsupported,
        ErrorCode::KeyNotFound,
        ErrorCode::SignatureInvalid,
        ErrorCode::ClaimsMalformed,
        ErrorCode::TokenExpired,
        ErrorCode::TokenNotYetValid,
        ErrorCode::TokenIssuedInFuture,
        ErrorCode::TokenTooOld,
        ErrorCode::IssuerMismatch,
        ErrorCode::AudienceMismatch,
        ErrorCode::SubjectMissing,
        ErrorCode::ClaimMismatch,
        ErrorCode::KeysUnavailable,
        ErrorCode::KeysNeeded,
        ErrorCode::KeysEmpty,
        ErrorCode::GroupRequired,
        ErrorCode::Internal,
    ];

    /// The stable number.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::ErrorCode::TokenMissing.number(), 100);
    /// ```
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The stable name, in snake case: `token_expired`.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::ErrorCode::TokenMissing.name(), "token_missing");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ErrorCode::InvalidOptions => "invalid_options",
            ErrorCode::InvalidArgument => "invalid_argument",
            ErrorCode::TokenMissing => "token_missing",
            ErrorCode::TokenRepeated => "token_repeated",
            ErrorCode::TokenTooLarge => "token_too_large",
            ErrorCode::TokenMalformed => "token_malformed",
            ErrorCode::AlgorithmNotAllowed => "algorithm_not_allowed",
            ErrorCode::HeaderUnsupported => "header_unsupported",
            ErrorCode::KeyNotFound => "key_not_found",
            ErrorCode::SignatureInvalid => "signature_invalid",
            ErrorCode::ClaimsMalformed => "claims_malformed",
            ErrorCode::TokenExpired => "token_expired",
            ErrorCode::TokenNotYetValid => "token_not_yet_valid",
            ErrorCode::TokenIssuedInFuture => "token_issued_in_future",
            ErrorCode::TokenTooOld => "token_too_old",
            ErrorCode::IssuerMismatch => "issuer_mismatch",
            ErrorCode::AudienceMismatch => "audience_mismatch",
            ErrorCode::SubjectMissing => "subject_missing",
            ErrorCode::ClaimMismatch => "claim_mismatch",
            ErrorCode::KeysUnavailable => "keys_unavailable",
            ErrorCode::KeysNeeded => "keys_needed",
            ErrorCode::KeysEmpty => "keys_empty",
            ErrorCode::GroupRequired => "group_required",
            ErrorCode::Internal => "internal",
        }
    }

    /// What the code means and what to do, in one sentence for documentation and logs.
    ///
    /// ```
    /// assert!(pomerium_jwt::ErrorCode::TokenExpired.meaning().ends_with("check the clocks."));
    /// ```
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            ErrorCode::InvalidOptions => "The options are invalid; the message says how to fix them.",
            ErrorCode::InvalidArgument => "A function was called with an invalid argument.",
            ErrorCode::TokenMissing => {
                "No token: the request did not come through Pomerium, or pass_identity_headers is off."
            }
            ErrorCode::TokenRepeated => "Several tokens in one request: Pomerium sends exactly one.",
            ErrorCode::TokenTooLarge => "The token is longer than max_token_bytes.",
            ErrorCode::TokenMalformed => "The text is not a JWT in compact serialization.",
            ErrorCode::AlgorithmNotAllowed => {
                "The token's alg is not one of algorithms; add RS256 if Pomerium's signing key is RSA."
            }
            ErrorCode::HeaderUnsupported => "The JOSE header has crit, or a typ other than JWT.",
            ErrorCode::KeyNotFound => {
                "No key of the set fits the token: another deployment signed it, or its key was withdrawn."
            }
            ErrorCode::SignatureInvalid => {
                "The signature is invalid: the token was altered or signed with another key."
            }
            ErrorCode::ClaimsMalformed => "The signed payload is not a strict JSON object of well-typed claims.",
            ErrorCode::TokenExpired => "The token has expired; if it was just issued, check the clocks.",
            ErrorCode::TokenNotYetValid => "The token is not valid yet; check the clocks.",
            ErrorCode::TokenIssuedInFuture => "The token was issued in the future; check the clocks.",
            ErrorCode::TokenTooOld => "The token was issued longer ago than max_token_age.",
            ErrorCode::IssuerMismatch => "iss is not an expected issuer; compare route or issuer with the message.",
            ErrorCode::AudienceMismatch => {
                "The token is for another application; compare route or audience with the message."
            }
            ErrorCode::SubjectMissing => {
                "Nobody is signed in: the route is public. Set allow_anonymous to let such requests in."
            }
            ErrorCode::ClaimMismatch => "A claim does not have a value that expect_claims accepts.",
            ErrorCode::KeysUnavailable => {
                "The signing keys could not be loaded; see the message and the status. Try again later."
            }
            ErrorCode::KeysNeeded => "The signing keys must be fetched first: refresh, then ask again with the ticket.",
            ErrorCode::KeysEmpty => "The key set has no usable key: is signing_key set in Pomerium?",
            ErrorCode::GroupRequired => "The user is not in a group that require_group or the route demands.",
            ErrorCode::Internal => "A fault in this library or on this machine.",
        }
    }

    /// What the code is about, which decides the HTTP status.
    ///
    /// ```
    /// use pomerium_jwt::{ErrorCode, ErrorKind};
    ///
    /// assert_eq!(ErrorCode::GroupRequired.kind(), ErrorKind::Access);
    /// ```
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        match self.number() {
            ..100 => ErrorKind::Options,
            100..200 => ErrorKind::Token,
            200..300 => ErrorKind::Keys,
            300..400 => ErrorKind::Access,
            _ => ErrorKind::Internal,
        }
    }

    /// The HTTP status to answer with: 401, 403, 500 or 503.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::ErrorCode::KeysUnavailable.status(), 503);
    /// ```
    #[must_use]
    pub const fn status(self) -> u16 {
        self.kind().status()
    }
}

/// From its [`number`](ErrorCode::number).
impl TryFrom<i32> for ErrorCode {
    type Error = UnknownCode;

    fn try_from(number: i32) -> Result<Self, UnknownCode> {
        let unknown = || UnknownCode(format!("no error code has the number {number}"));
        ErrorCode::ALL.iter().copied().find(|code| code.number() == number).ok_or_else(unknown)
    }
}

/// From its [`name`](ErrorCode::name).
impl FromStr for ErrorCode {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        let unknown = || UnknownCode(format!("{} is not an error code", quoted(name)));
        ErrorCode::ALL.iter().copied().find(|code| code.name() == name).ok_or_else(unknown)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an error is about.
///
/// ```
/// use pomerium_jwt::{ErrorCode, ErrorKind};
///
/// let retry = |code: ErrorCode| code.kind() == ErrorKind::Keys;
/// assert!(retry(ErrorCode::KeysUnavailable) && !retry(ErrorCode::TokenExpired));
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The application's configuration or call is wrong. HTTP 500.
    Options,
    /// The token is refused. HTTP 401.
    Token,
    /// There are no keys to check the token with. HTTP 503, with Retry-After if they are fetched.
    Keys,
    /// The user is known and may not do this. HTTP 403.
    Access,
    /// A fault in this library or on this machine. HTTP 500.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the numbers of their codes.
    ///
    /// ```
    /// let names: Vec<&str> = pomerium_jwt::ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
    /// assert_eq!(names, ["options", "token", "keys", "access", "internal"]);
    /// ```
    pub const ALL: &'static [ErrorKind] =
        &[ErrorKind::Options, ErrorKind::Token, ErrorKind::Keys, ErrorKind::Access, ErrorKind::Internal];

    /// The stable name: `options`, `token`, `keys`, `access` or `internal`.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::ErrorKind::Access.name(), "access");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ErrorKind::Options => "options",
            ErrorKind::Token => "token",
            ErrorKind::Keys => "keys",
            ErrorKind::Access => "access",
            ErrorKind::Internal => "internal",
        }
    }

    /// The HTTP status to answer with: 401, 403, 500 or 503.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::ErrorKind::Keys.status(), 503);
    /// ```
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            ErrorKind::Token => 401,
            ErrorKind::Keys => 503,
            ErrorKind::Access => 403,
            ErrorKind::Options | ErrorKind::Internal => 500,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// From its [`name`](ErrorKind::name).
impl FromStr for ErrorKind {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        let unknown = || UnknownCode(format!("{} is not a kind of errors", quoted(name)));
        ErrorKind::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(unknown)
    }
}

/// A number or a name that no [`ErrorCode`] or [`ErrorKind`] has.
///
/// ```
/// let unknown = pomerium_jwt::ErrorCode::try_from(99).unwrap_err();
/// assert_eq!(unknown.to_string(), "no error code has the number 99");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCode(String);

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_kinds_are_the_documented_ones() {
        let blocks = [
            (ErrorKind::Options, 1, 2),
            (ErrorKind::Token, 100, 17),
            (ErrorKind::Keys, 200, 3),
            (ErrorKind::Access, 300, 1),
            (ErrorKind::Internal, 900, 1),
        ];
        let mut listed = ErrorCode::ALL.iter().copied();
        for (kind, first, count) in blocks {
            for number in first..first + count {
                let code = listed.next().expect("a code is missing from ErrorCode::ALL");
                assert_eq!((code.number(), code.kind()), (number, kind), "{code}: number or kind differs");
                assert_eq!((ErrorCode::try_from(number), code.name().parse()), (Ok(code), Ok(code)));
                let pascal: String = code.name().split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
                assert_eq!(format!("{code:?}"), pascal, "the name does not follow from the variant");
            }
        }
        assert_eq!(listed.next(), None);
        assert_eq!(
            ErrorCode::try_from(0).map_err(|unknown| unknown.to_string()),
            Err("no error code has the number 0".to_owned())
        );
        assert!("Token_missing".parse::<ErrorCode>().is_err());
        for kind in ErrorKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(*kind));
        }
    }
}
