//! What the page and its JSON show of one request.

use std::collections::BTreeMap;

use hyper::{HeaderMap, Request as Asked, body::Incoming, header::HOST};
use pomerium_jwt::{Error, ErrorKind, Identity, Inspection, Request, Status};
use pomerium_jwt_tower::Guard;
use serde_json::{Map, Value, json};

use crate::{hints, proxy::joined, times};

/// Secrets of the client's: their beginning is enough to recognise them.
const SECRETS: [&str; 3] = ["cookie", "authorization", "proxy-authorization"];
const SHOWN: usize = 12;

/// In one word for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Verified,
    /// It needs no token, and there is none.
    Passed,
    Refused,
    NoKeys,
}

pub(super) struct View {
    pub(super) state: State,
    pub(super) identity: Option<Identity>,
    pub(super) error: Option<Error>,
    /// Every check; none if the options do not allow to judge.
    pub(super) inspection: Option<Inspection>,
    pub(super) hints: Vec<String>,
    pub(super) status: Status,
    pub(super) headers: BTreeMap<String, Vec<String>>,
    pub(super) request: BTreeMap<&'static str, String>,
    pub(super) undecided: bool,
    pub(super) now: i64,
}

impl View {
    pub(super) async fn of(guard: &Guard, asked: &Asked<Incoming>, undecided: bool) -> Self {
        let verifier = guard.verifier();
        let token = joined(asked.headers(), verifier.header_name());
        let outcome = guard.admit(&Request { token: &token, ..Request::default() }).await;
        let now = times::now().unwrap_or_default();
        let inspection = verifier.inspect(&token, now).ok();
        let state = match &outcome {
            Ok(admission) if admission.identity().is_some() => State::Verified,
            Ok(_) => State::Passed,
            Err(error) if error.kind() == ErrorKind::Keys => State::NoKeys,
            Err(_) => State::Refused,
        };
        let (identity, error) = match outcome {
            Ok(admission) => (admission.identity().cloned(), None),
            Err(error) => (None, Some(error)),
        };
        let hints = inspection.as_ref().filter(|_| error.is_some()).map_or(Vec::new(), |inspection| {
            let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let token = String::from_utf8_lossy(&token);
            let (header, claims): (Option<Value>, Option<Value>) = (json(&inspection.header), json(&inspection.claims));
            let signature = token.rsplit('.').next().unwrap_or_default();
            let content = hints::explain_content(&header.unwrap_or_default(), &claims.unwrap_or_default(), signature);
            content.into_iter().map(Into::into).chain(hints::explain_text(&token).map(str::to_owned)).collect()
        });
        Self {
            state,
            identity,
            error,
            inspection,
            hints,
            status: verifier.status(),
            headers: headers(asked.headers()),
            request: request(asked),
            undecided,
            now,
        }
    }

    /// As Pomerium's verify application has it, and `valid`, `errors`, `checks`, `keys`.
    pub(super) fn to_json(&self) -> String {
        let claims = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let unverified: Option<Value> = self.inspection.as_ref().and_then(|inspection| claims(&inspection.claims));
        let mut shown = json!({
            "valid": self.state == State::Verified,
            "headers": self.headers,
            "identity": self.identity.as_ref().map(|identity| self.identity_json(identity)),
            "request": self.request,
            "errors": self.errors(),
            "checks": self.inspection.as_ref().map(|inspection| &inspection.checks),
            "keys": {
                "source": self.status.source, "state": self.status.state, "keys": self.status.keys,
                "last_error": self.status.last_error,
            },
        });
        if let Some(error) = &self.error {
            shown["error"] = error.to_string().into();
            shown["not_verified"] = unverified.unwrap_or_default();
        }
        shown.to_string()
    }

    fn errors(&self) -> Vec<Value> {
        let refused = self.error.iter().map(
            |error| json!({"code": error.code().name(), "message": error.message(), "meaning": error.code().meaning()}),
        );
        refused.chain(self.hints.iter().map(|hint| json!({"code": null, "message": hint}))).collect()
    }

    fn identity_json(&self, identity: &Identity) -> Map<String, Value> {
        let mut members: Map<String, Value> = identity
            .claims
            .text()
            .parse::<Value>()
            .map_or(Map::new(), |claims| if let Value::Object(claims) = claims { claims } else { Map::new() });
        let normalised = json!({
            "iss": identity.issuer, "sub": identity.subject, "aud": identity.audience, "exp": identity.expires_at,
            "iat": identity.issued_at, "jti": identity.token_id, "groups": identity.groups, "user": identity.user,
            "email": identity.email, "name": identity.name, "sid": identity.session_id,
            "public_key": self.kid(),
        });
        if let Value::Object(normalised) = normalised {
            members.extend(normalised);
        }
        members
    }

    /// The id of the key that the token names.
    pub(super) fn kid(&self) -> Option<String> {
        self.jose_header()?.get("kid")?.as_str().map(str::to_owned)
    }

    pub(super) fn jose_header(&self) -> Option<Map<String, Value>> {
        serde_json::from_str(self.inspection.as_ref()?.header.as_deref()?).ok()
    }

    /// Every header of a request, secrets shortened.
    pub(super) fn headers_json(map: &HeaderMap) -> String {
        serde_json::to_string_pretty(&headers(map)).unwrap_or_default()
    }
}

fn headers(map: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in map {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let text = if SECRETS.contains(&name.as_str()) { shortened(&text) } else { text };
        shown.entry(title_case(name.as_str())).or_default().push(text);
    }
    shown
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
    }
}

/// `X-Pomerium-Jwt-Assertion`, as documentation writes it.
fn title_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

fn request(asked: &Asked<Incoming>) -> BTreeMap<&'static str, String> {
    let header = |name: &str| String::from_utf8_lossy(&joined(asked.headers(), name)).into_owned();
    let host = asked.uri().authority().map_or_else(|| header(HOST.as_str()), ToString::to_string);
    let url = asked.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    [("method", asked.method().to_string()), ("url", url), ("host", host), ("origin", header("x-forwarded-for"))].into()
}
