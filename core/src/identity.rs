//! Verified claims -> the normalised identity, the same in every language.

use std::{fmt, sync::Arc, time::SystemTime};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    claims::{self, Payload, Rules},
    code::ErrorCode,
    error::Error,
    json::{self, Json},
    time::system_time,
};

/// Who is calling, as Pomerium says and its signature proves.
///
/// What old Pomerium versions write differently is normalised: fractional times, `groups: null`, groups that are not
/// strings, missing optional claims. Claims that are missing or empty are `None`. It serialises to the JSON object
/// that every language's client reads; the claims are handed out separately. `Debug` shows no personal data.
///
/// ```
/// use pomerium_jwt::Identity;
///
/// fn greeting(identity: &Identity) -> String {
///     format!("Hello {}", identity.name.as_deref().unwrap_or(&identity.subject))
/// }
/// ```
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Identity {
    /// `sub`: the user's id at the identity provider. Empty only when [`anonymous`](Self::anonymous).
    pub subject: String,
    /// `user`: equals the subject in current versions.
    pub user: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `name`: the display name.
    pub name: Option<String>,
    /// `groups`: ids and names from the directory; none if nobody is signed in. An entry that is not a string is given
    /// as its JSON text.
    pub groups: Vec<String>,
    /// `sid`: the session, or the service account. Set for some anonymous requests too: no proof of a user.
    pub session_id: Option<String>,
    /// `jti`: fresh for each request (Pomerium >= 0.27).
    pub token_id: Option<String>,
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: Vec<String>,
    /// `iat` in Unix seconds: the time of the request (Pomerium >= 0.29) or of the session's start (older versions).
    pub issued_at: Option<i64>,
    /// `exp` in Unix seconds: five minutes after the request. Long connections outlive it.
    pub expires_at: i64,
    /// Nobody is signed in: `sub` was empty and `allow_anonymous` is set. A signed token does not mean a signed-in user.
    pub anonymous: bool,
    /// The verified payload.
    #[serde(skip)]
    pub claims: Claims,
}

impl Identity {
    /// `text` is the payload that `claims` was read from.
    pub(crate) fn new(payload: &Payload<'_>, text: &str) -> Result<Self, Error> {
        let optional = |claim: Option<&str>| claim.filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(Self {
            subject: payload.subject.to_owned(),
            user: optional(payload.user),
            email: optional(payload.email),
            name: optional(payload.name),
            // a user who is not signed in has no groups, even if the token lists some
            groups: if payload.subject.is_empty() { Vec::new() } else { groups(payload.groups, text)? },
            session_id: optional(payload.session_id),
            token_id: optional(payload.token_id),
            issuer: payload.issuer.unwrap_or_default().to_owned(),
            audience: payload.audience.iter().map(|&value| value.to_owned()).collect(),
            issued_at: payload.issued_at,
            expires_at: payload.expires_at,
            anonymous: payload.subject.is_empty(),
            // set by the caller, which still needs the text
            claims: Claims { text: String::new() },
        })
    }

    /// The identity of a payload that was verified before: for other languages, whose identities are stored and loaded.
    ///
    /// # Errors
    /// `claims_malformed` for text that is not such a payload.
    #[doc(hidden)]
    pub fn from_verified(claims: String) -> Result<Self, Error> {
        let parsed = claims::parse(&claims)?;
        let mut identity = Self::new(&Payload::read(&parsed, &Rules::default())?, &claims)?;
        identity.claims = Claims::new(claims);
        Ok(identity)
    }

    /// [`expires_at`](Self::expires_at) as the system's type; of a time beyond what that can express, its end.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use pomerium_jwt::Identity;
    ///
    /// /// How long a WebSocket may stay open before its user is asked for again.
    /// fn remaining(identity: &Identity) -> Duration {
    ///     identity.expires().duration_since(SystemTime::now()).unwrap_or_default()
    /// }
    /// ```
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        system_time(self.expires_at)
    }

    /// [`issued_at`](Self::issued_at) as the system's type.
    ///
    /// ```
    /// use pomerium_jwt::Identity;
    ///
    /// fn age(identity: &Identity) -> Option<u64> {
    ///     Some(identity.issued()?.elapsed().ok()?.as_secs())
    /// }
    /// ```
    #[must_use]
    pub fn issued(&self) -> Option<SystemTime> {
        self.issued_at.map(system_time)
    }

    /// Whether the user is in this group.
    ///
    /// ```
    /// # use pomerium_jwt::Identity;
    /// fn may_write(identity: &Identity) -> bool {
    ///     identity.in_group("editors")
    /// }
    /// ```
    #[must_use]
    pub fn in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// Whether the user is in one of these groups at least.
    ///
    /// ```
    /// # use pomerium_jwt::Identity;
    /// fn may_read(identity: &Identity) -> bool {
    ///     identity.in_any_group(&["editors", "readers"])
    /// }
    /// ```
    #[must_use]
    pub fn in_any_group(&self, groups: &[&str]) -> bool {
        groups.iter().any(|group| self.in_group(group))
    }

    /// Whether the user is in each of these groups.
    ///
    /// ```
    /// # use pomerium_jwt::Identity;
    /// fn may_publish(identity: &Identity) -> bool {
    ///     identity.in_all_groups(&["editors", "publishers"])
    /// }
    /// ```
    #[must_use]
    pub fn in_all_groups(&self, groups: &[&str]) -> bool {
        groups.iter().all(|group| self.in_group(group))
    }

    /// Whether somebody is signed in.
    ///
    /// ```
    /// # use pomerium_jwt::Identity;
    /// fn is_visitor(identity: &Identity) -> bool {
    ///     !identity.is_user()
    /// }
    /// ```
    #[must_use]
    pub fn is_user(&self) -> bool {
        !self.anonymous
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("anonymous", &self.anonymous)
            .field("groups", &self.groups.len())
            .field("issuer", &self.issuer)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Group entries as strings. An entry of another kind becomes its own compact JSON text, numbers as written
/// (Pomerium up to 0.27).
fn groups(entries: &[Json<'_>], text: &str) -> Result<Vec<String>, Error> {
    if let Some(strings) = entries.iter().map(|entry| entry.as_str().map(str::to_owned)).collect() {
        return Ok(strings);
    }
    let written: Vec<&str> = json::entries(json::member_text(text, "groups").unwrap_or_default()).collect();
    if written.len() != entries.len() {
        return Err(Error::new(ErrorCode::Internal, "the groups of a verified payload were not found in its text"));
    }
    let as_text = |(entry, written): (&Json<'_>, &str)| match entry {
        Json::String(text) => text.clone().into_owned(),
        _ => json::compact(written),
    };
    Ok(entries.iter().zip(written).map(as_text).collect())
}

/// The verified payload, as its own text: not a re-serialisation, so nothing is rounded or reordered.
///
/// ```
/// # fn main() -> Result<(), pomerium_jwt::Error> {
/// # let claims = pomerium_jwt::Claims::default();
/// let department: Option<String> = claims.get("department")?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Claims {
    text: String,
}

impl Claims {
    pub(crate) fn new(text: String) -> Self {
        Self { text }
    }

    /// The payload's JSON text: an object with unique names, nested at most 64 levels deep. Numbers beyond 2^53
    /// keep their spelling; their meaning is up to the reader.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::Claims::default().text(), "");
    /// ```
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The claim of this name as a type of yours: `Ok(None)` if the payload has no such claim.
    ///
    /// ```
    /// use pomerium_jwt::{Error, Identity};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Manager {
    ///     email: String,
    /// }
    ///
    /// fn manager(identity: &Identity) -> Result<Option<Manager>, Error> {
    ///     identity.claims.get("manager")
    /// }
    /// ```
    ///
    /// # Errors
    /// `invalid_argument` if the claim is not of that type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(value) = json::member_text(&self.text, name) else { return Ok(None) };
        // Shallower than serde_json's own limit of recursion
        serde_json::from_str(value).map(Some).map_err(|error| {
            let message = format!("claim {name:?} is not of that type: {error}");
            Error::new(ErrorCode::InvalidArgument, message).caused_by(Arc::new(error))
        })
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claims({} bytes)", self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(text: &str) -> Identity {
        let value = json::parse(text).unwrap();
        Identity::new(&Payload::read(&value, &Rules::default()).unwrap(), text).unwrap()
    }

    #[test]
    fn claims_are_read_one_by_one() {
        let claims = Claims::new(r#"{"a":"x","n\u0065sted":{"b":[1]},"null":null}"#.to_owned());
        assert_eq!(claims.get::<String>("a"), Ok(Some("x".to_owned())));
        assert_eq!(claims.get::<serde_json::Value>("nested"), Ok(Some(serde_json::json!({"b": [1]}))));
        assert_eq!(claims.get::<Option<String>>("null"), Ok(Some(None)));
        assert_eq!(claims.get::<String>("missing"), Ok(None));
        assert_eq!(claims.get::<u64>("a").unwrap_err().code(), ErrorCode::InvalidArgument);
        assert_eq!(Claims::default().get::<String>("a"), Ok(None));
    }

    #[test]
    fn debug_shows_no_personal_data() {
        let text = r#"{"iss":"i","aud":"a","sub":"secret","email":"secret","groups":["secret"],"exp":1}"#;
        let mut identity = identity(text);
        identity.claims = Claims::new(text.to_owned());
        let shown = format!("{identity:?} {:?}", identity.claims);
        assert!(!shown.contains("secret"), "{shown}");
        for part in ["anonymous: false", "groups: 1", "Claims("] {
            assert!(shown.contains(part), "{part} is missing: {shown}");
        }
    }

    #[test]
    fn times_are_those_of_the_token() {
        let time = |seconds| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let whole = identity(r#"{"exp":20,"iat":10,"sub":"alice"}"#);
        assert_eq!((whole.issued(), whole.expires()), (Some(time(10)), time(20)));
        assert_eq!(identity(r#"{"exp":20,"sub":"alice"}"#).issued(), None);
    }

    #[test]
    fn a_claim_as_deep_as_a_payload_may_be_is_read() {
        let levels = json::DEPTH - 1;
        for deep in ["[".repeat(levels) + &"]".repeat(levels), "{\"a\":".repeat(levels) + "1" + &"}".repeat(levels)] {
            let claims = Claims::new(format!("{{\"deep\":{deep},\"last\":1}}"));
            assert!(json::parse(claims.text()).is_ok(), "a payload may be that deep");
            let value = claims.get::<serde_json::Value>("deep").expect("it is readable").expect("it is there");
            assert_eq!(value.to_string(), deep);
            assert_eq!(claims.get::<u8>("last"), Ok(Some(1)), "found after it");
        }
    }

    #[test]
    fn all_groups_means_each_and_any_means_one() {
        let text = r#"{"exp":1,"sub":"alice","groups":["a","b"]}"#;
        let identity = identity(text);
        let table: [(&[&str], bool, bool); 6] = [
            (&["a", "b"], true, true),
            (&["a"], true, true),
            (&["a", "x"], false, true),
            (&["x", "b"], false, true),
            (&["x", "y"], false, false),
            (&[], true, false),
        ];
        for (groups, all, any) in table {
            assert_eq!((identity.in_all_groups(groups), identity.in_any_group(groups)), (all, any), "{groups:?}");
        }
    }
}
