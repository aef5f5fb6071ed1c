//! The claims of one request, in the text Pomerium would write.

use std::io;

use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize as _;
use serde_json::{Map, Serializer, Value, ser::Formatter};
use uuid::Builder;

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
    ///
    /// # Panics
    /// If the operating system has no random source.
    #[must_use]
    pub fn new(host: &str, now: i64) -> Self {
        Self { claims: Map::new() }
            .issuer(host)
            .audience(host)
            .issued_at(now)
            .expires_at(now.saturating_add(LIFETIME))
            .token_id(&random_id())
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

/// A new id as Pomerium makes them for tokens and sessions: a UUID of version 4 (RFC 9562 section 5.4), 122 random bits.
///
/// # Panics
/// If the operating system has no random source.
#[must_use]
pub fn random_id() -> String {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).expect("the operating system has a random source");
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// JSON as Go's `encoding/json` writes it (Go 1.22 and later): names sorted, no spaces, `<`, `>`, `&`, U+2028 and U+2029
/// escaped, numbers with a fraction or an exponent as Go's float64.
#[must_use]
pub fn go_json(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    let mut bytes = Vec::new();
    sorted
        .serialize(&mut Serializer::with_formatter(&mut bytes, GoNumbers))
        .expect("a Value has string names only, and a Vec takes every byte");
    let text = String::from_utf8(bytes).expect("serde_json writes UTF-8");
    // In JSON these characters occur inside strings only
    text.replace('&', r"\u0026")
        .replace('<', r"\u003c")
        .replace('>', r"\u003e")
        .replace('\u{2028}', r"\u2028")
        .replace('\u{2029}', r"\u2029")
}

struct GoNumbers;

impl Formatter for GoNumbers {
    /// Go writes an exponent below 1e-6 and from 1e21 on, always with its sign, and no fraction that is zero. If two
    /// shortest texts are equally near (1209066101186451.25), Go ends in the even digit and we in the upper one.
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let magnitude = value.abs();
        if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
            return write!(writer, "{value}");
        }
        let text = format!("{value:e}");
        if magnitude < 1.0 { write!(writer, "{text}") } else { write!(writer, "{}", text.replace('e', "e+")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn go_json_writes_what_go_writes() {
        for (value, expected) in [
            (json!({"b": 1, "a": {"d": [], "c": {}}, "B": null}), r#"{"B":null,"a":{"c":{},"d":[]},"b":1}"#),
            (
                json!({"é": 1, "z": 2, "\u{10000}": 3, "\u{ffff}": 4}),
                "{\"z\":2,\"é\":1,\"\u{ffff}\":4,\"\u{10000}\":3}",
            ),
            (json!("<a href=\"?x&y\">"), r#""\u003ca href=\"?x\u0026y\"\u003e""#),
            (json!({"<&>": true}), r#"{"\u003c\u0026\u003e":true}"#),
            (json!("\u{2027}\u{2028}\u{2029}\u{202a}"), "\"\u{2027}\\u2028\\u2029\u{202a}\""),
            (json!("\0\u{8}\t\n\u{b}\u{c}\r\u{1f}\u{7f}\\/"), "\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\u{7f}\\\\/\""),
            (json!([i64::MIN, u64::MAX, 0, -1]), "[-9223372036854775808,18446744073709551615,0,-1]"),
            (json!([1.0, -0.0, 0.1, -17.5, 1_795_354_437.0]), "[1,-0,0.1,-17.5,1795354437]"),
            (json!([1e20, 1e21, -1.5e21, 1e300]), "[100000000000000000000,1e+21,-1.5e+21,1e+300]"),
            (json!([1e-6, 9.99e-7, -1e-7, 1e-300]), "[0.000001,9.99e-7,-1e-7,1e-300]"),
        ] {
            assert_eq!(go_json(&value), expected);
        }
    }

    #[test]
    fn an_assertion_starts_as_that_of_an_anonymous_request() {
        let text = Assertion::new("app.example.com", 1_795_354_137).token_id("id").to_json();
        let expected = concat!(
            r#"{"aud":"app.example.com","email":"","exp":1795354437,"groups":[],"iat":1795354137,"#,
            r#""iss":"app.example.com","jti":"id","name":"","sid":"","sub":"","user":""}"#
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn the_token_id_is_a_new_random_uuid_each_time() {
        let token_id = || {
            let claims = Assertion::new("app.example.com", 0).claims;
            claims["jti"].as_str().unwrap_or_default().to_owned()
        };
        let (first, second) = (token_id(), token_id());
        assert_ne!(first, second);
        let uuid = Uuid::try_parse(&first).expect("jti is a UUID");
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122));
        assert_eq!(uuid.to_string(), first, "Pomerium writes it in lower case with hyphens");
    }

    #[test]
    fn claims_can_be_replaced_and_taken_away() {
        let text = Assertion::new("app.example.com", 0)
            .claim("aud", json!(["a", "b"]))
            .claim("exp", 1.5)
            .claim("department", "R&D")
            .without("jti")
            .without("groups")
            .without("never there")
            .to_json();
        let expected = concat!(
            r#"{"aud":["a","b"],"department":"R\u0026D","email":"","exp":1.5,"#,
            r#""iat":0,"iss":"app.example.com","name":"","sid":"","sub":"","user":""}"#
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        assert_eq!(Assertion::new("app.example.com", i64::MAX).claims["exp"], i64::MAX);
    }
}
