//! One case, and the few words in which it is written.
//!
//! ```text
//! case("times-expired", "the first second at which it no longer counts").at(EXP + 60).refused("token_expired"),
//! ```

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pomerium_jwt_issuer::{Assertion, SigningKey, compact};
use serde_json::{Map, Value, json};

use crate::fixtures::{EXP, HOST, IAT, KEY, NOW, key_set};

/// A case as it stands in `cases.json`.
#[derive(Debug, Clone)]
pub struct Case {
    /// Unique, in kebab case.
    pub id: String,
    /// What the case is about.
    pub note: String,
    /// The options of the verifier.
    pub options: Value,
    /// A string, or a list of parts; none if the options are refused.
    pub token: Option<Value>,
    /// The time of verification, in Unix seconds.
    pub now: i64,
    /// The outcome.
    pub expect: Expect,
}

/// What must come out.
#[derive(Debug, Clone)]
pub enum Expect {
    /// The token is accepted.
    Accepted {
        /// The normalised identity.
        identity: Value,
        /// The payload's own text.
        claims: String,
    },
    /// The token or the options are refused.
    Refused {
        /// The stable name of the code.
        code: &'static str,
        /// A part of the message.
        message: Option<String>,
    },
}

impl Case {
    /// The case as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let expect = match &self.expect {
            Expect::Accepted { identity, claims } => {
                // Inside a JSON string no line end is literal, so this one is insignificant
                let claims = claims.replace(['\n', '\r'], " ");
                format!(r#"{{"identity":{},"claims":{claims}}}"#, sorted(identity))
            }
            Expect::Refused { code, message: None } => format!(r#"{{"code":"{code}"}}"#),
            Expect::Refused { code, message: Some(part) } => {
                format!(r#"{{"code":"{code}","message":{}}}"#, json!(part))
            }
        };
        let token = match &self.token {
            Some(token) => format!(r#""token":{},"now":{},"#, sorted(token), self.now),
            None => String::new(),
        };
        let (id, note, options) = (json!(self.id), json!(self.note), sorted(&self.options));
        format!(r#"{{"id":{id},"note":{note},"options":{options},{token}"expect":{expect}}}"#)
    }
}

/// JSON whose members are sorted, whichever features serde_json is built with.
pub(crate) fn sorted(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

/// A case being written: alice's token for [`HOST`], signed with [`KEY`], and options that accept it at [`NOW`].
#[derive(Clone)]
pub(crate) struct Draft {
    id: String,
    note: String,
    options: Map<String, Value>,
    header: Vec<u8>,
    claims: Assertion,
    payload: Option<Vec<u8>>,
    key: SigningKey,
    token: Option<Value>,
    now: i64,
}

pub(crate) fn case(id: impl Into<String>, note: impl Into<String>) -> Draft {
    Draft {
        id: id.into(),
        note: note.into(),
        options: Map::from_iter([
            ("issuer".to_owned(), json!(HOST)),
            ("audience".to_owned(), json!(HOST)),
            ("jwks".to_owned(), key_set(&[&KEY])),
        ]),
        header: KEY.jose_header().into_bytes(),
        claims: Assertion::new(HOST, IAT)
            .user("alice", "alice@example.com", "Alice")
            .groups(["staff"])
            .session("s1")
            .token_id("j1"),
        payload: None,
        key: KEY.clone(),
        token: None,
        now: NOW,
    }
}

/// What [`case`]'s token says, as every language must hand it out.
fn alice() -> Value {
    json!({
        "subject": "alice", "user": "alice", "email": "alice@example.com", "name": "Alice", "groups": ["staff"],
        "session_id": "s1", "token_id": "j1", "issuer": HOST, "audience": [HOST], "issued_at": IAT, "expires_at": EXP,
        "anonymous": false
    })
}

/// What is changed.
impl Draft {
    pub(crate) fn option(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn without_option(mut self, name: &str) -> Self {
        self.options.remove(name);
        self
    }

    /// These options and no others.
    pub(crate) fn options(mut self, options: Value) -> Self {
        self.options = options.as_object().expect("options are an object").clone();
        self
    }

    /// The key set, inline.
    pub(crate) fn keys(self, set: Value) -> Self {
        self.option("jwks", set)
    }

    /// Another source of keys instead of the inline set.
    pub(crate) fn source(self, name: &str, value: impl Into<Value>) -> Self {
        self.without_option("jwks").option(name, value)
    }

    pub(crate) fn header(mut self, text: impl AsRef<[u8]>) -> Self {
        self.header = text.as_ref().to_vec();
        self
    }

    /// The header with a member more, in JSON: `"name":value`.
    pub(crate) fn header_member(self, member: impl AsRef<[u8]>) -> Self {
        let header = with_member(&self.header, member.as_ref());
        self.header(header)
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims = self.claims.claim(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims = self.claims.without(name);
        self
    }

    pub(crate) fn payload(mut self, text: impl AsRef<[u8]>) -> Self {
        self.payload = Some(text.as_ref().to_vec());
        self
    }

    /// The payload with a member more, in JSON: `"name":value`.
    pub(crate) fn payload_member(self, member: impl AsRef<[u8]>) -> Self {
        let payload = with_member(&self.payload_text(), member.as_ref());
        self.payload(payload)
    }

    /// Signed with this key; the header stays.
    pub(crate) fn signed_by(mut self, key: &SigningKey) -> Self {
        self.key = key.clone();
        self
    }

    /// Signed with this key, whose header and kid it has.
    pub(crate) fn minted_by(self, key: &SigningKey) -> Self {
        self.header(key.jose_header()).signed_by(key)
    }

    /// The token's text, made from the one minted so far.
    pub(crate) fn text(self, change: impl FnOnce(String) -> String) -> Self {
        let token = change(self.mint());
        self.token(token)
    }

    /// The decoded signature, made from the true one.
    pub(crate) fn signature(self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        self.text(|token| {
            let (input, signature) = token.rsplit_once('.').expect("a token has dots");
            let signature = change(URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url"));
            format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
        })
    }

    /// What stands in the signature's place, made from the signing input.
    pub(crate) fn signature_over(self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let input = self.mint().rsplit_once('.').expect("a token has dots").0.to_owned();
        self.signature(|_| sign(input.as_bytes()))
    }

    /// The token itself: a string, or a list of parts.
    pub(crate) fn token(mut self, token: impl Into<Value>) -> Self {
        self.token = Some(token.into());
        self
    }

    pub(crate) fn at(mut self, now: i64) -> Self {
        self.now = now;
        self
    }

    pub(crate) fn payload_text(&self) -> Vec<u8> {
        self.payload.clone().unwrap_or_else(|| self.claims.to_json().into_bytes())
    }

    pub(crate) fn mint(&self) -> String {
        compact(&self.header, &self.payload_text(), &self.key)
    }
}

/// What must come out of it.
impl Draft {
    /// Accepted, with alice's identity.
    pub(crate) fn accepted(self) -> Case {
        self.accepted_as(json!({}))
    }

    /// Accepted, with alice's identity but for these members.
    pub(crate) fn accepted_as(self, different: Value) -> Case {
        let mut identity = alice();
        for (name, value) in different.as_object().expect("members") {
            assert!(!identity[name].is_null(), "{}: an identity has no {name}", self.id);
            identity[name] = value.clone();
        }
        let claims = String::from_utf8(self.payload_text()).expect("accepted claims are UTF-8");
        self.expecting(Expect::Accepted { identity, claims })
    }

    pub(crate) fn refused(self, code: &'static str) -> Case {
        self.expecting(Expect::Refused { code, message: None })
    }

    /// Refused in a sentence that holds this part.
    pub(crate) fn refused_saying(self, code: &'static str, part: impl Into<String>) -> Case {
        self.expecting(Expect::Refused { code, message: Some(part.into()) })
    }

    /// The options are refused, in a sentence that holds this part.
    pub(crate) fn invalid(self, part: impl Into<String>) -> Case {
        let expect = Expect::Refused { code: "invalid_options", message: Some(part.into()) };
        Case { token: None, ..self.expecting(expect) }
    }

    fn expecting(self, expect: Expect) -> Case {
        let token = self.token.clone().unwrap_or_else(|| self.mint().into());
        let Self { id, note, options, now, .. } = self;
        Case { id, note, options: Value::Object(options), token: Some(token), now, expect }
    }
}

/// The text of an object with a member more at its end.
pub(crate) fn with_member(object: &[u8], member: &[u8]) -> Vec<u8> {
    let open = object.strip_suffix(b"}").expect("an object ends in a brace");
    [open, b",", member, b"}"].concat()
}
