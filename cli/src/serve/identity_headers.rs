//! The headers that tell an application who is calling: removed from what a client sends, then set.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use hyper::{
    HeaderMap,
    header::{CONTENT_LENGTH, COOKIE, HOST, HeaderName, HeaderValue},
};
use pomerium_jwt::Identity;

use crate::proxy::{is_read_alike, remove_alike, remove_beginning};

/// oauth2-proxy's names, which many applications know.
const DEFAULTS: [(&str, Field); 4] = [
    ("x-auth-request-user", Field::Subject),
    ("x-auth-request-email", Field::Email),
    ("x-auth-request-groups", Field::Groups),
    ("x-auth-request-preferred-username", Field::Email),
];

/// The names that `--set-header` knows.
pub(super) const FIELDS: [(&str, Field); 8] = [
    ("subject", Field::Subject),
    ("user", Field::User),
    ("email", Field::Email),
    ("groups", Field::Groups),
    ("name", Field::Name),
    ("session_id", Field::SessionId),
    ("issuer", Field::Issuer),
    ("expires_at", Field::ExpiresAt),
];

/// Pomerium's own headers, which say who somebody is without a signature: `X-Pomerium-Claim-Email` and the like.
const POMERIUM: &str = "x-pomerium-";

/// What a header holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field {
    Subject,
    User,
    Email,
    Groups,
    Name,
    SessionId,
    Issuer,
    ExpiresAt,
}

/// The configured headers.
pub(super) struct IdentityHeaders {
    names: Vec<HeaderName>,
    fields: Vec<Field>,
    assertion: HeaderName,
    /// What has been told about.
    told: Mutex<HashSet<Field>>,
}

impl IdentityHeaders {
    /// The default ones and `NAME=FIELD` of `--set-header`, which replaces a default of the same name.
    ///
    /// # Errors
    /// A sentence that says what to write instead.
    pub(super) fn new<'a>(set: impl Iterator<Item = &'a str>, assertion: &str) -> Result<Self, String> {
        let assertion = HeaderName::from_bytes(assertion.as_bytes()).map_err(|error| error.to_string())?;
        let (mut names, mut fields) = (Vec::new(), Vec::new());
        for entry in set {
            let (name, field) = parse(entry, &assertion)?;
            if names.iter().any(|other: &HeaderName| is_read_alike(other.as_str(), name.as_str())) {
                return Err(format!("--set-header {entry}: there are two headers of this name"));
            }
            names.push(name);
            fields.push(field);
        }
        for (name, field) in DEFAULTS {
            let name = HeaderName::from_static(name);
            if !names.contains(&name) {
                names.push(name);
                fields.push(field);
            }
        }
        Ok(Self { names, fields, assertion, told: Mutex::default() })
    }

    /// The header of the token.
    pub(super) fn assertion(&self) -> &HeaderName {
        &self.assertion
    }

    /// Whether a header holds the name that people choose themselves at many providers.
    pub(super) fn shows_chosen_names(&self) -> bool {
        self.fields.contains(&Field::Name)
    }

    /// For an upstream: whatever could be taken for one of these or for Pomerium's unsigned claims is removed, then those
    /// with a value are set. The assertion is kept only if it was verified, and only in its own spelling.
    pub(super) fn replace(&self, headers: &mut HeaderMap, identity: Option<&Identity>, assertion: Option<HeaderValue>) {
        remove_alike(headers, &self.names);
        remove_alike(headers, std::slice::from_ref(&self.assertion));
        remove_beginning(headers, POMERIUM);
        if let Some(assertion) = assertion.filter(|_| identity.is_some()) {
            headers.insert(&self.assertion, assertion);
        }
        for (name, value) in self.values(identity) {
            if !value.is_empty() {
                headers.insert(name, value);
            }
        }
    }

    /// Whether a header could be taken for one of these by an application, but not by the proxy that removes and copies
    /// them by name: `Remote.User` would reach it next to `Remote-User`.
    pub(super) fn are_mimicked(&self, headers: &HeaderMap) -> bool {
        let ours = || self.names.iter().chain([&self.assertion]);
        let mimics = |name: &HeaderName| ours().any(|own| own != name && is_read_alike(own.as_str(), name.as_str()));
        headers.keys().any(mimics)
    }

    /// For the answer to a proxy that copies them: every one of them, empty if there is no value, so that none of the
    /// client's own is left.
    pub(super) fn answer(&self, headers: &mut HeaderMap, identity: Option<&Identity>) {
        headers.extend(self.values(identity).map(|(name, value)| (name.clone(), value)));
    }

    fn values<'a>(&'a self, identity: Option<&'a Identity>) -> impl Iterator<Item = (&'a HeaderName, HeaderValue)> {
        self.names.iter().zip(&self.fields).map(move |(name, &field)| {
            let (text, complete) = identity.map_or((String::new(), true), |identity| field.text(identity));
            if !complete && self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(field) {
                tracing::warn!(
                    "pomerium-jwt: {name} leaves out a value with a comma, a control character or spaces at its ends: \
                     an application would read it as another (said once)"
                );
            }
            (name, HeaderValue::from_bytes(text.as_bytes()).unwrap_or(HeaderValue::from_static("")))
        })
    }
}

fn parse(entry: &str, assertion: &HeaderName) -> Result<(HeaderName, Field), String> {
    let refuse = |why: &str| format!("--set-header {entry}: {why}");
    let (name, field) = entry.split_once('=').ok_or_else(|| refuse("write NAME=FIELD, such as Remote-User=email"))?;
    let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let name = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| is_plain);
    let name = name.ok_or_else(|| refuse("a header's name consists of A-Z a-z 0-9 -"))?;
    let reserved = [HOST, CONTENT_LENGTH, COOKIE, HeaderName::from_static("connection"), assertion.clone()];
    let other = ["transfer-encoding", "upgrade", "te", "trailer", "keep-alive", "expect", "content-type"];
    if reserved.contains(&name) || other.contains(&name.as_str()) {
        return Err(refuse("this header has a meaning of its own: take another name"));
    }
    let known = FIELDS.iter().find(|(known, _)| *known == field).map(|(_, field)| *field);
    let field = known.ok_or_else(|| {
        let names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        refuse(&format!("the field must be one of {}", names.join(", ")))
    })?;
    Ok((name, field))
}

impl Field {
    /// Its text, and whether nothing was left out.
    fn text(self, identity: &Identity) -> (String, bool) {
        let one = |text: &str| if is_unambiguous(text) { (text.to_owned(), true) } else { (String::new(), false) };
        let optional = |text: &Option<String>| text.as_deref().map_or((String::new(), true), one);
        match self {
            Field::Subject if identity.subject.is_empty() => (String::new(), true),
            Field::Subject => one(&identity.subject),
            Field::User => optional(&identity.user),
            Field::Email => optional(&identity.email),
            Field::Name => optional(&identity.name),
            Field::SessionId => optional(&identity.session_id),
            Field::Issuer => one(&identity.issuer),
            Field::ExpiresAt => (identity.expires_at.to_string(), true),
            Field::Groups => {
                let is_whole = |group: &&str| is_unambiguous(group) && !group.contains(',');
                let groups: Vec<&str> = identity.groups.iter().map(String::as_str).collect();
                let whole: Vec<&str> = groups.iter().copied().filter(is_whole).collect();
                (whole.join(","), whole.len() == groups.len())
            }
        }
    }
}

/// Whether every reader finds the same text: some cut a value at a line end, all remove spaces around it.
fn is_unambiguous(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use pomerium_jwt::{Options, Verifier};
    use pomerium_jwt_issuer::{Assertion, SigningKey, key_set};
    use serde_json::{Value, json};

    use super::*;

    fn identity(claims: &Value) -> Identity {
        let key = SigningKey::generate();
        let parameters = claims.as_object().unwrap().clone();
        let mut assertion = Assertion::new("app.example.com", 1_800_000_000);
        for (name, value) in parameters {
            assertion = assertion.claim(&name, value);
        }
        let options = Options::for_route("https://app.example.com").jwks(key_set(std::slice::from_ref(&key)));
        Verifier::new(options).unwrap().verify_at(assertion.mint(&key), 1_800_000_000).unwrap()
    }

    fn headers(set: &[&str]) -> IdentityHeaders {
        IdentityHeaders::new(set.iter().copied(), "X-Pomerium-Jwt-Assertion").unwrap()
    }

    #[test]
    fn no_group_can_be_read_as_two() {
        let table = [
            (json!(["a", "b"]), "a,b"),
            (json!(["x,admins", "b"]), "b"),
            (json!(["b\r\nX-Auth-Request-User: admin", "a\nb", "a\u{0}", "a\u{7f}", "a\u{85}b"]), ""),
            (json!([" admins", "admins ", "", "\u{a0}admins"]), ""),
            (json!(["Zürich", "漢"]), "Zürich,漢"),
        ];
        for (groups, expected) in table {
            let mut map = HeaderMap::new();
            let identity = identity(&json!({"sub": "alice", "groups": groups}));
            headers(&[]).answer(&mut map, Some(&identity));
            assert_eq!(map["x-auth-request-groups"].as_bytes(), expected.as_bytes(), "{groups}");
        }
    }

    #[test]
    fn every_header_is_in_an_answer_and_only_values_go_upstream() {
        let headers = headers(&["Remote-User=email", "X-Shown=name"]);
        for identity in [None, Some(identity(&json!({"sub": "alice", "email": "a\rb", "name": " x"})))] {
            let mut map = HeaderMap::new();
            headers.answer(&mut map, identity.as_ref());
            assert_eq!(map.len(), 6, "{map:?}");
            assert_eq!((&map["remote-user"], &map["x-shown"]), (&"".parse().unwrap(), &"".parse().unwrap()));

            let mut map: HeaderMap =
                [("remote_user", "root"), ("x-auth-request-user", "root"), ("x-pomerium-jwt-assertion", "x")]
                    .iter()
                    .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
                    .collect();
            headers.replace(&mut map, identity.as_ref(), Some(HeaderValue::from_static("x")));
            assert!(!map.contains_key("remote_user") && !map.contains_key("remote-user"), "{map:?}");
            let user = map.get("x-auth-request-user").map(|value| value.to_str().unwrap());
            assert_eq!(user, identity.as_ref().map(|_| "alice"));
            assert_eq!(map.contains_key("x-pomerium-jwt-assertion"), identity.is_some());
        }
    }

    #[test]
    fn unsigned_claims_of_pomerium_do_not_go_on() {
        let (assertion, alike) = ("x-pomerium-jwt-assertion", "x_pomerium_claim_email");
        let names = [assertion, alike, "x-pomerium-claim-groups", "x-pomeriums"];
        let mut map: HeaderMap =
            names.map(|name| (name.parse::<HeaderName>().unwrap(), "root".parse().unwrap())).into_iter().collect();
        let identity = identity(&json!({"sub": "alice", "email": "alice@example.com"}));
        let verified = HeaderValue::from_static("verified");
        headers(&["X-Pomerium-Claim-Email=email"]).replace(&mut map, Some(&identity), Some(verified));
        assert_eq!(
            (&map["x-pomerium-claim-email"], &map[assertion]),
            (&"alice@example.com".parse().unwrap(), &"verified".parse().unwrap())
        );
        assert!(
            !map.contains_key(alike) && !map.contains_key("x-pomerium-claim-groups") && map.contains_key("x-pomeriums"),
            "{map:?}"
        );
    }

    #[test]
    fn a_header_that_only_an_application_takes_for_one_of_these_is_noticed() {
        let headers = headers(&["Remote-User=email"]);
        let table = [
            ("remote-user", false),
            ("remote_user", true),
            ("remote.user", true),
            ("x.auth.request.email", true),
            ("x-pomerium-jwt_assertion", true),
            ("x-pomerium-jwt-assertion", false),
            ("remoteuser", false),
        ];
        for (name, expected) in table {
            let map: HeaderMap = [(name.parse::<HeaderName>().unwrap(), "root".parse().unwrap())].into_iter().collect();
            assert_eq!(headers.are_mimicked(&map), expected, "{name}");
        }
    }

    #[test]
    fn bad_settings_are_refused() {
        let table = [
            (&["Remote-User"][..], "write NAME=FIELD"),
            (&["Remote_User=email"], "A-Z a-z 0-9 -"),
            (&["=email"], "A-Z a-z 0-9 -"),
            (&["Host=email"], "meaning of its own"),
            (&["connection=email"], "meaning of its own"),
            (&["X-Pomerium-Jwt-Assertion=subject"], "meaning of its own"),
            (&["A=admin"], "must be one of subject, user"),
            (&["A=email", "a=subject"], "two headers"),
        ];
        for (set, expected) in table {
            let refusal = IdentityHeaders::new(set.iter().copied(), "X-Pomerium-Jwt-Assertion").err().unwrap();
            assert!(refusal.contains(expected), "{refusal}");
        }
    }
}
