//! The cases of `requests.json`: options and the facts of a request go in; an identity, *passed* or a refusal comes out.
//!
//! ```text
//! request("exempt-exact", "a path that needs no token").option("exempt_paths", "/health").path("/health").passed(),
//! ```
//!
//! The clock is the machine's, so tokens live until 2100; key sources are static, so nothing is fetched.

mod demands;
mod facts;
mod options;
mod paths;
mod refusals;

use pomerium_jwt_issuer::{Assertion, SigningKey, compact};
use serde_json::{Map, Value, json};

use crate::{
    case::{sorted, with_member},
    fixtures::{HOST, KEY, key_set},
};

/// When the tokens were minted: long ago, so that no clock stands before it.
pub(crate) const MINTED: i64 = 1_700_000_000;
/// When they expire: 2100-01-01.
pub(crate) const EXPIRES: i64 = 4_102_444_800;

pub(crate) fn all() -> Vec<RequestCase> {
    [paths::cases(), facts::cases(), options::cases(), refusals::cases(), demands::cases()].concat()
}

/// A case as it stands in `requests.json`.
#[derive(Debug, Clone)]
pub struct RequestCase {
    /// Unique, in kebab case.
    pub id: String,
    /// What the case is about.
    pub note: String,
    /// The members but `id` and `note`, in the order of the file.
    members: Vec<(&'static str, Value)>,
}

impl RequestCase {
    /// The case as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let about = [("id", json!(self.id)), ("note", json!(self.note))];
        let members = about.iter().chain(&self.members);
        let members: Vec<String> = members.map(|(name, value)| format!("\"{name}\":{}", sorted(value))).collect();
        format!("{{{}}}", members.join(","))
    }

    /// What must come out: `passed`, `identity`, or a code.
    #[must_use]
    pub fn outcome(&self) -> &str {
        let (_, expected) = self.members.last().expect("expect is the last member");
        match expected["code"].as_str() {
            Some(code) => code,
            None if expected["passed"] == true => "passed",
            None => "identity",
        }
    }
}

/// A case being written: alice's request to `/reports`, and options that let her in.
#[derive(Clone)]
pub(crate) struct Draft {
    id: String,
    note: String,
    options: Map<String, Value>,
    with: Option<Value>,
    header: String,
    claims: Assertion,
    key: SigningKey,
    token: Option<Value>,
    facts: Map<String, Value>,
    demand: Option<Value>,
}

pub(crate) fn request(id: impl Into<String>, note: impl Into<String>) -> Draft {
    Draft {
        id: format!("request-{}", id.into()),
        note: note.into(),
        options: Map::from_iter([
            ("issuer".to_owned(), json!(HOST)),
            ("audience".to_owned(), json!(HOST)),
            ("jwks".to_owned(), key_set(&[&KEY])),
        ]),
        with: None,
        header: KEY.jose_header(),
        claims: Assertion::new(HOST, MINTED)
            .expires_at(EXPIRES)
            .user("alice", "alice@example.com", "Alice")
            .groups(["staff", "a,b"])
            .session("s1")
            .token_id("j1"),
        key: KEY.clone(),
        token: None,
        facts: Map::from_iter([("path".to_owned(), json!("/reports"))]),
        demand: None,
    }
}

fn alice() -> Value {
    json!({
        "subject": "alice", "user": "alice", "email": "alice@example.com", "name": "Alice",
        "groups": ["staff", "a,b"], "session_id": "s1", "token_id": "j1", "issuer": HOST, "audience": [HOST],
        "issued_at": MINTED, "expires_at": EXPIRES, "anonymous": false
    })
}

/// What is changed.
impl Draft {
    pub(crate) fn option(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.insert(name.to_owned(), value.into());
        self
    }

    /// The verifier asked is one `with` these request options.
    pub(crate) fn with(mut self, options: Value) -> Self {
        self.with = Some(options);
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims = self.claims.claim(name, value);
        self
    }

    pub(crate) fn without_claim(mut self, name: &str) -> Self {
        self.claims = self.claims.without(name);
        self
    }

    /// The JOSE header with a member more, in JSON: `"name":value`.
    pub(crate) fn header_member(mut self, member: &str) -> Self {
        let header = with_member(self.header.as_bytes(), member.as_bytes());
        self.header = String::from_utf8(header).expect("UTF-8");
        self
    }

    pub(crate) fn header(mut self, text: impl Into<String>) -> Self {
        self.header = text.into();
        self
    }

    pub(crate) fn signed_by(mut self, key: &SigningKey) -> Self {
        self.key = key.clone();
        self
    }

    pub(crate) fn minted_by(self, key: &SigningKey) -> Self {
        self.header(key.jose_header()).signed_by(key)
    }

    /// What all values of the header, joined, are.
    pub(crate) fn token(mut self, token: impl Into<Value>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The same, made from alice's token.
    pub(crate) fn text(self, change: impl FnOnce(String) -> String) -> Self {
        let token = change(self.mint());
        self.token(token)
    }

    pub(crate) fn without_token(self) -> Self {
        self.token("")
    }

    pub(crate) fn path(mut self, path: impl Into<Value>) -> Self {
        self.facts.insert("path".to_owned(), path.into());
        self
    }

    pub(crate) fn upgrade(mut self) -> Self {
        self.facts.insert("upgrade".to_owned(), true.into());
        self
    }

    pub(crate) fn marked_public(mut self) -> Self {
        self.facts.insert("marked_public".to_owned(), true.into());
        self
    }

    /// The route demands a signed-in user.
    pub(crate) fn require_user(mut self) -> Self {
        self.demand = Some(json!({"user": true}));
        self
    }

    /// The route demands one of these groups.
    pub(crate) fn require_group(mut self, groups: &[&str]) -> Self {
        self.demand = Some(json!({"groups": groups}));
        self
    }

    /// Nobody is signed in: the token that a public route gets.
    pub(crate) fn anonymous(mut self) -> Self {
        self.claims = self.claims.user("", "", "").groups::<&str>([]);
        self
    }

    fn mint(&self) -> String {
        compact(self.header.as_bytes(), self.claims.to_json().as_bytes(), &self.key)
    }
}

/// What must come out of it.
impl Draft {
    /// Alice gets in.
    pub(crate) fn admitted(self) -> RequestCase {
        self.admitted_as(json!({}))
    }

    /// Somebody gets in: alice, but for these members.
    pub(crate) fn admitted_as(self, different: Value) -> RequestCase {
        let mut identity = alice();
        for (name, value) in different.as_object().expect("members") {
            identity[name] = value.clone();
        }
        self.expecting(json!({"identity": identity}))
    }

    /// The request gets in without an identity.
    pub(crate) fn passed(self) -> RequestCase {
        self.expecting(json!({"passed": true}))
    }

    /// The response, by hand.
    pub(crate) fn refused(self, code: &str) -> RequestCase {
        let status = match code {
            "group_required" => 403,
            "keys_empty" => 503,
            "invalid_options" | "invalid_argument" => 500,
            _ => 401,
        };
        let mut headers = json!({"Content-Type": "application/json", "Cache-Control": "no-store"});
        if status == 401 {
            headers["WWW-Authenticate"] = json!(r#"Bearer error="invalid_token""#);
        }
        let body = format!(r#"{{"error":"{code}"}}"#);
        self.expecting(json!({"code": code, "status": status, "headers": headers, "body": body}))
    }

    /// The options, or those of `with`, are refused in a sentence that holds this part.
    pub(crate) fn invalid(self, part: &str) -> RequestCase {
        let expect = json!({"code": "invalid_options", "message": part});
        let mut case = self.expecting(expect);
        case.members.retain(|(name, _)| *name != "request");
        case
    }

    fn expecting(self, expect: Value) -> RequestCase {
        let token = self.token.clone().unwrap_or_else(|| self.mint().into());
        let Self { id, note, options, with, facts, demand, .. } = self;
        let mut facts = facts;
        facts.insert("token".to_owned(), token);
        let members = [
            ("options", Some(Value::Object(options))),
            ("with", with),
            ("request", Some(Value::Object(facts))),
            ("demand", demand),
            ("expect", Some(expect)),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        RequestCase { id, note, members }
    }
}
