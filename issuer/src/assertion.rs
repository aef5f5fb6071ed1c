//! The claims of one request, in the text Pomerium would write.

use std::io;

use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize as _;
use serde_json::{Map, Serializer, Value, ser::Formatter};
use uuid::{Builder, Uuid};

use crate::{SigningKey, compact};

/// How long Pomerium lets an assertion live, in seconds.
const LIFETIME: i64 = 300;

/// The claims of one request, as Pomerium (v0.29 and later) sends them.
///
/// Nothing is checked: any claim can be set to any value, or taken away.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    claims: Map<String, Value>,
}

impl Assertion {
    /// What Pomerium signs for a request to `host`, without port, at `now` (seconds since 1970) from nobody in
    /// particular: `sub`, `user`, `email`, `name` and `sid` empty, no groups, valid for 300 seconds.
    ///
    /// `iss` and `aud` are the host, `jti` is a new UUID.
    #[must_use]
    pub fn new(host: &str, now: i64) -> Self {
        Self { claims: Map::new() }
            .issuer(host)
            .audience(host)
            .issued_at(now)
            .expires_at(now.saturating_add(LIFETIME))
            .token_id(&random_uuid().to_string())
            .user("", "", "")
            .groups::<&str>([])
            .session("")
    }

    /// The signed-in user. Pomerium writes the subject twice, as `sub` and `user`.
    #[must_use]
    pub fn user(self, subject: &str, email: &str, name: &str) -> Self {
        self.claim("sub", subject).claim("user", subject).claim("email", email).claim("name", name)
    }

    /// `groups`, in this order. From a directory Pomerium lists the ids first, then the names.
    #[must_use]
    pub fn groups<G: Into<String>>(self, groups: impl IntoIterator<Item = G>) -> Self {
        let groups: Vec<String> = groups.into_iter().map(Into::into).collect();
        self.claim("groups", groups)
    }

    /// `sid`, the id of the session or of the service account.
    #[must_use]
    pub fn session(self, id: &str) -> Self {
        self.claim("sid", id)
    }

    /// `jti`.
    #[must_use]
    pub fn token_id(self, id: &str) -> Self {
        self.claim("jti", id)
    }

    /// `iss`. With `jwt_issuer_format: uri` Pomerium writes `https://HOST/`.
    #[must_use]
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// `aud`.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// `exp`, in seconds since 1970.
    #[must_use]
    pub fn expires_at(self, seconds: i64) -> Self {
        self.claim("exp", seconds)
    }

    /// `iat`, in seconds since 1970. Leaves `exp` as it is.
    #[must_use]
    pub fn issued_at(self, seconds: i64) -> Self {
        self.claim("iat", seconds)
    }

    /// Any claim, added or replaced. What `jwt_claims_headers` adds is always a string in Pomerium.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Takes a claim away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// The payload text: see [`go_json`].
    #[must_use]
    pub fn to_json(&self) -> String {
        go_json(&Value::Object(self.claims.clone()))
    }

    /// The token: the compact serialization of Pomerium's JOSE header and these claims.
    #[must_use]
    pub fn mint(&self, key: &SigningKey) -> String {
        compact(key.jose_header().as_bytes(), self.to_json().as_bytes(), key)
    }
}

/// A UUID of version 4 (RFC 9562 section 5.4).
fn random_uuid() -> Uuid {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).expect("the operating system has a random source");
    Builder::from_random_bytes(bytes).into_uuid()
}

/// JSON as Go's `encoding/json` writes it (Go 1.22 and later): names sorted, no spaces, `<`, `>`, `&`, U+2028 and U+2029
/// escaped, numbers with a fraction or exponent as Go's float64.
#[must_use]
pub fn go_json(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    let mut text = Vec::new();
    // A Value has string names only and a Vec takes every byte, so nothing can fail
    let written = value.serialize(&mut Serializer::with_formatter(&mut text, GoFormatter));
    debug_assert!(written.is_ok());
    String::from_utf8(text).unwrap_or_default()
}

struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, found) in fragment.match_indices(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            writer.write_all(&fragment.as_bytes()[plain..at])?;
            let code = found.chars().next().map_or(0, u32::from);
            write!(writer, "\\u{code:04x}")?;
            plain = at + found.len();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }

    /// Go writes an exponent below 1e-6 and from 1e21 on, always with its sign, and never a fraction of zero.
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if size == 0.0 || (1e-6..1e21).contains(&size) {
            return write!(writer, "{value}");
        }
        let text = format!("{value:e}");
        match text.split_once("e-") {
            Some(_) => writer.write_all(text.as_bytes()),
            None => writer.write_all(text.replace('e', "e+").as_bytes()),
        }
    }
}
