//! What the server serves and counts, without a socket: keys, their rotation, the fault, the counters.

use serde::{Deserialize, Serialize};

use crate::{Assertion, SigningKey, key_set};

/// How the keys change.
///
/// [`Append`](Self::Append), [`Swap`](Self::Swap), [`Drop`](Self::Drop), in this order and each after the verifiers had
/// time to fetch, is how Pomerium documents the rotation of its `signing_key`: nobody ever meets an unknown key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// A new key signs and is the only one published, as after a restart of Pomerium all-in-one without
    /// `shared_secret`.
    #[default]
    AtOnce,
    /// A new key is published after the others and does not sign yet.
    Append,
    /// The newest key signs, and is published first. All others stay published.
    Swap,
    /// Only the signing key stays published.
    Drop,
}

/// Which keys are published no more. The signing key keeps signing, as a thief of it would, until a [`Rotation`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    /// The key that signs.
    #[default]
    Signing,
    /// All of them, which leaves `{"keys":null}`: what Pomerium before v0.33 serves without `signing_key`.
    All,
}

/// What is wrong with the address of the key set, and with that address only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The request is read and never answered.
    Hang,
    /// The body comes at one byte a second.
    Slow,
    /// Status 500.
    #[serde(rename = "500")]
    InternalServerError,
    /// Status 200 and the right type, but an HTML page.
    Garbage,
    /// A body that begins well and never ends.
    Huge,
    /// Status 302 to an address of this server where the key set really is.
    Redirect,
    /// The connection is reset (TCP RST) instead of an answer.
    Reset,
}

/// What [`Server::stats`](super::Server::stats) and `GET /stats` report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// GET requests for the key set, from the start, with any answer.
    pub fetches: u64,
    /// How many of them were answered with 304.
    pub not_modified: u64,
    /// The fault in force.
    pub fault: Fault,
    /// The key id of the key that signs.
    pub signing_kid: String,
    /// The key ids of the published keys, in the order of the key set.
    pub kids: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Issuer {
    /// The host whose tokens are minted if no other is asked for.
    pub(crate) host: String,
    /// Of the key set, in seconds.
    pub(crate) max_age: u32,
    pub(crate) fault: Fault,
    pub(crate) fetches: u64,
    pub(crate) not_modified: u64,
    signing: SigningKey,
    published: Vec<SigningKey>,
}

impl Issuer {
    /// The first key signs and all are published, as in Pomerium. Without a key, there is one of the moment.
    pub(crate) fn new(host: String, max_age: u32, mut keys: Vec<SigningKey>) -> Self {
        if keys.is_empty() {
            keys.push(SigningKey::generate());
        }
        let signing = keys[0].clone();
        Self { host, max_age, fault: Fault::None, fetches: 0, not_modified: 0, signing, published: keys }
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    pub(crate) fn mint(&self, assertion: &Assertion) -> String {
        assertion.mint(&self.signing)
    }

    pub(crate) fn key_set(&self) -> String {
        key_set(&self.published)
    }

    pub(crate) fn rotate(&mut self, rotation: Rotation) -> Result<(), &'static str> {
        match rotation {
            Rotation::AtOnce => {
                self.signing = SigningKey::generate();
                self.published = vec![self.signing.clone()];
            }
            Rotation::Append => self.published.push(SigningKey::generate()),
            Rotation::Swap => {
                let signing = self.signing.thumbprint();
                let newest = self.published.pop_if(|key| key.thumbprint() != signing);
                self.signing = newest.ok_or("there is no newer key to swap to: append one first")?;
                self.published.insert(0, self.signing.clone());
            }
            Rotation::Drop => {
                let signing = self.signing.thumbprint();
                self.published.retain(|key| key.thumbprint() == signing);
            }
        }
        Ok(())
    }

    pub(crate) fn withdraw(&mut self, withdrawal: Withdrawal) {
        let signing = self.signing.thumbprint();
        self.published.retain(|key| withdrawal == Withdrawal::Signing && key.thumbprint() != signing);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            fetches: self.fetches,
            not_modified: self.not_modified,
            fault: self.fault,
            signing_kid: self.signing.thumbprint(),
            kids: self.published.iter().map(SigningKey::thumbprint).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(keys: usize) -> Issuer {
        let keys = (0..keys).map(|_| SigningKey::generate()).collect();
        Issuer::new("app.example.com".to_owned(), 60, keys)
    }

    /// The kid that signs and those published.
    fn kids(issuer: &Issuer) -> (String, Vec<String>) {
        let stats = issuer.stats();
        (stats.signing_kid, stats.kids)
    }

    #[test]
    fn the_first_key_signs_and_all_are_published() {
        for (keys, published) in [(0, 1), (1, 1), (3, 3)] {
            let (signing, kids) = kids(&issuer(keys));
            assert_eq!((kids.len(), &kids[0]), (published, &signing), "{keys} keys given");
        }
    }

    #[test]
    fn the_documented_steps_publish_a_key_before_it_signs_and_after() {
        let mut issuer = issuer(1);
        let (old, _) = kids(&issuer);

        issuer.rotate(Rotation::Append).expect("append");
        let (signing, published) = kids(&issuer);
        assert_eq!((&signing, &published[0], published.len()), (&old, &old, 2));
        let new = published[1].clone();

        issuer.rotate(Rotation::Swap).expect("swap");
        assert_eq!(kids(&issuer), (new.clone(), vec![new.clone(), old]));

        issuer.rotate(Rotation::Drop).expect("drop");
        assert_eq!(kids(&issuer), (new.clone(), vec![new]));
    }

    #[test]
    fn at_once_the_old_keys_are_gone() {
        let mut issuer = issuer(2);
        let (_, old) = kids(&issuer);
        issuer.rotate(Rotation::AtOnce).expect("at once");
        let (signing, published) = kids(&issuer);
        assert!(!old.contains(&signing));
        assert_eq!(published, [signing]);
    }

    #[test]
    fn a_swap_needs_a_newer_key_and_changes_nothing_without() {
        let mut issuer = issuer(1);
        let before = kids(&issuer);
        assert!(issuer.rotate(Rotation::Swap).is_err());
        assert_eq!(kids(&issuer), before);
    }

    #[test]
    fn a_withdrawn_key_signs_on() {
        let mut issuer = issuer(2);
        let (signing, published) = kids(&issuer);
        issuer.withdraw(Withdrawal::Signing);
        assert_eq!(kids(&issuer), (signing.clone(), published[1..].to_vec()));

        // A swap ends that, and a drop does not bring it back
        issuer.rotate(Rotation::Drop).expect("drop");
        assert_eq!(kids(&issuer), (signing, vec![]));
        issuer.rotate(Rotation::Append).expect("append");
        issuer.rotate(Rotation::Swap).expect("swap");
        let (signing, published) = kids(&issuer);
        assert_eq!(published, [signing]);
    }

    #[test]
    fn without_a_published_key_the_set_is_null() {
        let mut issuer = issuer(3);
        issuer.withdraw(Withdrawal::All);
        assert_eq!(issuer.key_set(), r#"{"keys":null}"#);
        assert!(issuer.rotate(Rotation::Swap).is_err());
    }
}
