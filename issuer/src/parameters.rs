//! Assertions from what a command line, a query string or a JSON object asks for.

use serde_json::{Map, Value};

use crate::Assertion;

impl Assertion {
    /// The assertion of a request to `host` at `now` (seconds since 1970) with these claims, as in
    /// `sub=alice`, `email=alice@example.com`, `groups=admins,devs`.
    ///
    /// `groups` is a list separated by commas, `iat`, `nbf` and `exp` are seconds since 1970. Every other claim is a
    /// string, as everything is that Pomerium's `jwt_claims_headers` adds. The names that are not claims are those of
    /// [`from_claims`](Self::from_claims); the value of `without` is separated by commas.
    ///
    /// # Errors
    /// A sentence, for a name that occurs twice or a number that is none.
    pub fn from_parameters<'a>(
        host: &str,
        now: i64,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, String> {
        let mut claims = Map::new();
        for (name, text) in parameters {
            let value = match name {
                "groups" | "without" => list(text),
                "exp" | "expires_in" | "iat" | "nbf" => integer(name, text)?,
                _ => text.into(),
            };
            if claims.insert(name.to_owned(), value).is_some() {
                return Err(format!("{name} is given twice: write it once, a list with commas"));
            }
        }
        Self::from_claims(host, now, claims)
    }

    /// The assertion of a request to `host` at `now` (seconds since 1970) with these claims added to, or put in the
    /// place of, those of [`new`](Self::new). `user` follows `sub`.
    ///
    /// Three names are not claims: `host`, another host than the one given; `expires_in`, the seconds from `now` to
    /// `exp`, also negative; `without`, a list of the claims to leave out.
    ///
    /// # Errors
    /// A sentence, for one of the three with a value of another type, and for a `host` that no token of Pomerium has.
    pub fn from_claims(host: &str, now: i64, mut claims: Map<String, Value>) -> Result<Self, String> {
        let host = match claims.remove("host") {
            None => host.to_owned(),
            Some(Value::String(host)) => check_host(&host).map(|()| host)?,
            Some(_) => return Err("host takes a string".to_owned()),
        };
        let mut assertion = Self::new(&host, now);
        if let Some(value) = claims.remove("expires_in") {
            let seconds = value.as_i64().ok_or("expires_in takes whole seconds")?;
            assertion = assertion.expires_at(now.saturating_add(seconds));
        }
        let without: Vec<String> = match claims.remove("without") {
            None => Vec::new(),
            Some(names) => serde_json::from_value(names).map_err(|_| "without takes a list of claim names")?,
        };
        if let Some(subject) = claims.get("sub").cloned() {
            claims.entry("user").or_insert(subject);
        }
        for (name, value) in claims {
            assertion = assertion.claim(&name, value);
        }
        Ok(without.iter().fold(assertion, |assertion, name| assertion.without(name)))
    }
}

fn list(text: &str) -> Value {
    text.split(',').filter(|entry| !entry.is_empty()).collect()
}

fn integer(name: &str, text: &str) -> Result<Value, String> {
    let number: i64 = text.parse().map_err(|_| format!("{name} takes whole seconds, not {text:?}"))?;
    Ok(number.into())
}

/// Whether Pomerium can write this host into a token: it writes neither scheme nor port nor path, and a verifier that
/// expects Pomerium's tokens refuses one that has them.
///
/// # Errors
/// A sentence that says what to write.
pub fn check_host(host: &str) -> Result<(), String> {
    if is_host(host) {
        return Ok(());
    }
    let (_, bare) = host.split_once("://").unwrap_or(("", host));
    let bare = bare.split(['/', ':', '?', '#']).next().filter(|bare| is_host(bare));
    let instead = bare.map_or("such as app.example.com".to_owned(), |bare| format!("here {bare}"));
    Err(format!("{host:?} is not a host: write the name alone, {instead}, without scheme, port and path"))
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000;

    fn claims(assertion: Assertion) -> Value {
        serde_json::from_str(&assertion.token_id("id").to_json()).expect("JSON")
    }

    /// What the claims of an anonymous request become with these changes; `null` means that a claim is removed.
    fn changed(changes: &Value) -> Value {
        let mut expected = claims(Assertion::new("app.example.com", NOW));
        let members = expected.as_object_mut().expect("an object");
        for (name, value) in changes.as_object().expect("an object") {
            members.remove(name);
            if !value.is_null() {
                members.insert(name.clone(), value.clone());
            }
        }
        expected
    }

    #[test]
    fn parameters_become_claims() {
        for (query, changes) in [
            ("", json!({})),
            ("sub=alice", json!({"sub": "alice", "user": "alice"})),
            ("user=a&sub=b", json!({"sub": "b", "user": "a"})),
            ("sub=", json!({})),
            ("email=a%40example.com&name=A+B", json!({"email": "a@example.com", "name": "A B"})),
            ("groups=admins,devs", json!({"groups": ["admins", "devs"]})),
            ("groups=", json!({"groups": []})),
            ("host=b.example.com", json!({"iss": "b.example.com", "aud": "b.example.com"})),
            ("host=b&aud=c", json!({"iss": "b", "aud": "c"})),
            ("expires_in=10", json!({"exp": 1_010})),
            ("expires_in=-10", json!({"exp": 990})),
            ("exp=5&iat=4&nbf=3", json!({"exp": 5, "iat": 4, "nbf": 3})),
            ("department=7", json!({"department": "7"})),
            ("without=exp,groups,never", json!({"exp": null, "groups": null})),
        ] {
            let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
            let pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
            let assertion = Assertion::from_parameters("app.example.com", NOW, pairs).expect(query);
            assert_eq!(claims(assertion), changed(&changes), "{query}");
        }
    }

    #[test]
    fn claims_keep_their_types() {
        for (given, changes) in [
            (json!({"sub": 7}), json!({"sub": 7, "user": 7})),
            (json!({"aud": ["a", "b"], "exp": 1.5}), json!({"aud": ["a", "b"], "exp": 1.5})),
            (json!({"expires_in": 1, "without": ["jti"], "host": "h"}), json!({"exp": 1_001, "iss": "h", "aud": "h"})),
        ] {
            let Value::Object(members) = given.clone() else { panic!("an object") };
            let mut made = claims(Assertion::from_claims("app.example.com", NOW, members).expect("claims"));
            made["jti"] = "id".into();
            assert_eq!(made, changed(&changes), "{given}");
        }
        let null = Map::from_iter([("groups".to_owned(), Value::Null)]);
        let made = claims(Assertion::from_claims("h", NOW, null).expect("claims"));
        assert_eq!(made.get("groups"), Some(&Value::Null), "Pomerium v0.28.0 writes null groups");
    }

    #[test]
    fn a_host_is_a_name_alone() {
        for host in ["app.example.com", "App.example.com", "localhost", "127.0.0.1", "xn--bcher-kva.example", "a_b.c"] {
            assert_eq!(check_host(host), Ok(()), "{host}");
        }
        for (host, instead) in [
            ("https://app.example.com", "here app.example.com,"),
            ("https://app.example.com/", "here app.example.com,"),
            ("app.example.com:8443", "here app.example.com,"),
            ("http://app.example.com:80/a?b", "here app.example.com,"),
            ("app.example.com/", "here app.example.com,"),
            ("*.example.com", "such as app.example.com,"),
            ("[::1]", "such as app.example.com,"),
            ("b\u{fc}cher.example", "such as app.example.com,"),
            ("https://", "such as app.example.com,"),
            ("a b", "such as app.example.com,"),
            ("", "such as app.example.com,"),
        ] {
            let refusal = check_host(host).expect_err(host);
            assert!(refusal.contains(instead), "{host}: {refusal}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (parameters, expected) in [
            (&[("exp", "soon")][..], "exp takes whole seconds, not \"soon\""),
            (&[("expires_in", "1.5")], "expires_in takes whole seconds, not \"1.5\""),
            (&[("sub", "a"), ("sub", "b")], "sub is given twice: write it once, a list with commas"),
        ] {
            let result = Assertion::from_parameters("h", NOW, parameters.iter().copied());
            assert_eq!(result, Err(expected.to_owned()), "{parameters:?}");
        }
        for (claims, expected) in [
            (json!({"host": 1}), "host takes a string"),
            (
                json!({"host": "https://h"}),
                "\"https://h\" is not a host: write the name alone, here h, without scheme, port and path",
            ),
            (json!({"expires_in": "1"}), "expires_in takes whole seconds"),
            (json!({"without": "exp"}), "without takes a list of claim names"),
        ] {
            let Value::Object(members) = claims.clone() else { panic!("an object") };
            assert_eq!(Assertion::from_claims("h", NOW, members), Err(expected.to_owned()), "{claims}");
        }
    }
}
