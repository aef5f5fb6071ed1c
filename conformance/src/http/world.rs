//! The issuer of one suite, and the tokens and identities of its users.

use std::sync::{Mutex, PoisonError};

use pomerium_jwt_issuer::{Assertion, Server, ServerOptions, SigningKey, compact};
use serde_json::{Value, json};

/// Who signs, and the time at which this suite's tokens are minted.
pub(crate) struct World {
    pub(crate) issuer: Server,
    /// Of another deployment.
    pub(crate) foreign: SigningKey,
    pub(crate) now: i64,
    /// The signatures of all tokens: none may stand in a log.
    signatures: Mutex<Vec<String>>,
}

impl World {
    pub(crate) fn new() -> Result<Self, String> {
        let issuer = Server::start(ServerOptions::default()).map_err(|why| format!("the issuer: {why}"))?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(|why| why.to_string())?;
        let now = i64::try_from(now.as_secs()).map_err(|why| why.to_string())?;
        Ok(Self { issuer, foreign: SigningKey::generate(), now, signatures: Mutex::default() })
    }

    /// Alice of the staff.
    pub(crate) fn alice(&self) -> Assertion {
        self.user("alice", &["staff"])
    }

    /// Ada of the staff and the admins.
    pub(crate) fn ada(&self) -> Assertion {
        self.user("ada", &["staff", "admins"])
    }

    /// The token of a public route: nobody is signed in.
    pub(crate) fn anonymous(&self) -> Assertion {
        self.issuer.assertion().token_id("j1").issued_at(self.now).expires_at(self.now + 300)
    }

    pub(crate) fn user(&self, name: &str, groups: &[&str]) -> Assertion {
        self.anonymous()
            .user(name, &format!("{name}@example.com"), &name.to_uppercase())
            .groups(groups.iter().copied())
            .session("s1")
    }

    pub(crate) fn mint(&self, assertion: &Assertion) -> String {
        self.noted(self.issuer.mint(assertion))
    }

    /// Any text as the header, under the issuer's key.
    pub(crate) fn with_header(&self, header: &str, assertion: &Assertion) -> String {
        self.noted(compact(header.as_bytes(), assertion.to_json().as_bytes(), &self.issuer.signing_key()))
    }

    pub(crate) fn foreign(&self, assertion: &Assertion) -> String {
        self.noted(assertion.mint(&self.foreign))
    }

    fn noted(&self, token: String) -> String {
        let signature = token.rsplit('.').next().unwrap_or_default().to_owned();
        self.signatures.lock().unwrap_or_else(PoisonError::into_inner).push(signature);
        token
    }

    /// Whether a token, or a good part of one, stands in this text.
    pub(crate) fn gives_away(&self, text: &str) -> bool {
        self.signatures.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|signature| text.contains(signature))
    }

    /// What `GET /` says of [`user`](Self::user), but for these members.
    pub(crate) fn identity(&self, name: &str, groups: &[&str], different: Value) -> Value {
        let mut identity = json!({
            "subject": name, "user": name, "email": format!("{name}@example.com"), "name": name.to_uppercase(),
            "groups": groups, "session_id": "s1", "token_id": "j1", "issuer": "127.0.0.1", "audience": ["127.0.0.1"],
            "issued_at": self.now, "expires_at": self.now + 300, "anonymous": false
        });
        if let (Some(members), Value::Object(different)) = (identity.as_object_mut(), different) {
            members.extend(different);
        }
        identity
    }

    pub(crate) fn alice_identity(&self, different: Value) -> Value {
        self.identity("alice", &["staff"], different)
    }

    /// What `GET /` says of [`anonymous`](Self::anonymous).
    pub(crate) fn nobody(&self) -> Value {
        self.identity(
            "",
            &[],
            json!({"user": null, "email": null, "name": null, "session_id": null, "anonymous": true}),
        )
    }
}
