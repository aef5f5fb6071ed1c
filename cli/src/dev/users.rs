//! Who can be signed in: `--user` and the users file.

use std::{collections::BTreeMap, ffi::OsStr};

use pomerium_jwt::Error;
use pomerium_jwt_issuer::Assertion;
use serde::Deserialize;

use crate::{input, report::invalid};

/// One user of the users file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) email: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    /// As with real providers it is not the e-mail address: an application that takes one for the other should notice.
    #[serde(default)]
    sub: Option<String>,
    /// What `jwt_claims_headers` adds.
    #[serde(default)]
    claims: BTreeMap<String, String>,
}

/// The users, and which of them is signed in from the beginning.
#[derive(Debug, Default)]
pub(super) struct Users {
    pub(super) list: Vec<User>,
    pub(super) first: Option<usize>,
}

/// Claims that Pomerium sets itself.
const RESERVED: [&str; 11] = ["aud", "email", "exp", "groups", "iat", "iss", "jti", "name", "sid", "sub", "user"];

impl User {
    /// The subject.
    pub(super) fn subject(&self) -> String {
        self.sub.clone().unwrap_or_else(|| format!("dev|{}", self.email))
    }

    /// The assertion of a request of theirs.
    pub(super) fn assertion(&self, host: &str, now: i64, session: &str) -> Assertion {
        let signed = Assertion::new(host, now).user(&self.subject(), &self.email, &self.name);
        let signed = signed.groups(self.groups.iter().map(String::as_str)).session(session);
        self.claims.iter().fold(signed, |signed, (name, value)| signed.claim(name, value.as_str()))
    }
}

/// Reads the users file, and finds or makes the user who is signed in first.
///
/// # Errors
/// `invalid_options` in a sentence.
pub(super) fn read(file: Option<&OsStr>, first: Option<&str>, groups: Vec<String>) -> Result<Users, Error> {
    let Some(file) = file else {
        let user = User { email: first.unwrap_or_default().to_owned(), groups, ..User::default() };
        return Ok(Users { list: vec![user], first: Some(0) });
    };
    let shown = file.to_string_lossy();
    let list = parse(&input::read(file)?).map_err(|why| invalid(format!("--users {shown}: {why}")))?;
    let find = |email: &str| {
        let found = list.iter().position(|user| user.email == email);
        found.ok_or_else(|| invalid(format!("--user {email}: --users {shown} has no user with this e-mail address")))
    };
    let first = first.map(find).transpose()?;
    Ok(Users { list, first })
}

fn parse(text: &[u8]) -> Result<Vec<User>, String> {
    let list: Vec<User> = serde_json::from_slice(text)
        .map_err(|error| format!("write [{{\"email\":\"alice@example.com\",\"groups\":[\"admins\"]}}]: {error}"))?;
    if list.is_empty() {
        return Err("the list is empty".to_owned());
    }
    for (position, user) in list.iter().enumerate() {
        let number = position + 1;
        if user.email.is_empty() || user.sub.as_deref() == Some("") {
            return Err(format!("user {number} has an empty email or sub"));
        }
        if list[..position].iter().any(|other| other.email == user.email || other.subject() == user.subject()) {
            return Err(format!("user {number} ({}) has the email or sub of another", user.email));
        }
        if let Some(claim) = user.claims.keys().find(|claim| RESERVED.contains(&claim.as_str())) {
            return Err(format!("user {number} ({}): {claim} cannot be among claims", user.email));
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_file_is_read_strictly() {
        let table = [
            (r#"[{"email":"a@b"},{"email":"c@d","name":"C","groups":["x"],"sub":"7","claims":{"d":"R&D"}}]"#, None),
            ("[]", Some("empty")),
            ("{}", Some("write [")),
            (r#"[{"name":"A"}]"#, Some("email")),
            (r#"[{"email":""}]"#, Some("empty email")),
            (r#"[{"email":"a@b","sub":""}]"#, Some("empty email or sub")),
            (r#"[{"email":"a@b","group":["x"]}]"#, Some("unknown field `group`")),
            (r#"[{"email":"a@b","groups":"x"}]"#, Some("write [")),
            (r#"[{"email":"a@b"},{"email":"a@b"}]"#, Some("user 2 (a@b) has the email")),
            (r#"[{"email":"a@b","sub":"1"},{"email":"c@d","sub":"1"}]"#, Some("user 2 (c@d) has the email or sub")),
            (r#"[{"email":"a@b","claims":{"exp":"1"}}]"#, Some("exp cannot be among claims")),
            (r#"[{"email":"a@b","claims":{"d":1}}]"#, Some("write [")),
        ];
        for (text, expected) in table {
            let refusal = parse(text.as_bytes()).err();
            let as_expected = match (&refusal, expected) {
                (Some(why), Some(words)) => why.contains(words),
                (why, words) => why.is_none() && words.is_none(),
            };
            assert!(as_expected, "{text}: {refusal:?}");
        }
    }

    #[test]
    fn the_subject_is_not_the_email_address() {
        let users = parse(br#"[{"email":"a@b"},{"email":"c@d","sub":"7"}]"#).expect("users");
        assert_eq!(users.iter().map(User::subject).collect::<Vec<_>>(), ["dev|a@b", "7"]);
    }
}
