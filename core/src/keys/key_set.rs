//! A set of keys at one moment, and which of them a token means.

use std::sync::Arc;

use super::{
    jwk::{self, Jwk},
    key::{PublicKey, sha256_hex},
    pem,
    state::KeyStatus,
    unusable::Unusable,
};
use crate::{algorithm::Algorithm, code::ErrorCode, error::Error};

/// Which keys of a set may be used: the options `algorithms` and `pin_kids`.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) pins: Option<Vec<String>>,
}

impl Trust {
    /// Why the key may not be used, if it may not.
    fn refuse(&self, key: &PublicKey, thumbprint: &str) -> Option<String> {
        let algorithm = key.algorithm();
        if !self.algorithms.contains(&algorithm) {
            return Some(format!("{} is not in algorithms", algorithm.name()));
        }
        match &self.pins {
            Some(pins) if !pins.iter().any(|pin| pin == thumbprint) => Some("not in pin_kids".to_owned()),
            _ => None,
        }
    }
}

/// The keys of one source at one moment: an immutable snapshot.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<ListedKey>,
    /// A PEM key has no kid and matches any.
    any_kid: bool,
}

impl KeySet {
    /// Reads a JWK Set. The keys that `previous` has too are taken from there, with all that was prepared for them.
    ///
    /// # Errors
    /// A sentence about the text as a whole; a key that cannot be used is skipped with its reason.
    pub(super) fn parse(text: &[u8], trust: &Trust, previous: Option<&KeySet>) -> Result<Self, Unusable> {
        let prepared: Vec<PublicKey> =
            previous.iter().flat_map(|set| &set.keys).filter_map(|listed| listed.key.clone().ok()).collect();
        let keys = jwk::read_set(text, &prepared)?;
        Ok(Self::new(keys.into_iter().map(|jwk| ListedKey::new(jwk, trust)).collect()))
    }

    /// Reads one key in PEM, which answers to any kid.
    ///
    /// # Errors
    /// A sentence that says what to write instead.
    pub(super) fn parse_pem(text: &[u8], trust: &Trust) -> Result<Self, Unusable> {
        let listed = ListedKey::usable(None, pem::read(text)?, trust);
        match &listed.key {
            Ok(_) => Ok(Self { keys: vec![listed], any_kid: true }),
            Err(why) => Err(why.clone().into()),
        }
    }

    /// Skips what makes a set ambiguous: of a key that is listed twice the second entry, and of two different keys with
    /// the same kid both, even if their algorithms differ.
    fn new(mut keys: Vec<ListedKey>) -> Self {
        let mut reasons = Vec::new();
        for (position, listed) in keys.iter().enumerate() {
            let Ok(key) = &listed.key else { continue };
            let same_kid = |other: &&ListedKey| other.key.is_ok() && other.name() == listed.name();
            if keys.iter().filter(same_kid).any(|other| other.key.as_ref() != Ok(key)) {
                reasons.push((position, "another key has the same kid"));
            } else if keys[..position].iter().filter(same_kid).any(|other| other.key.as_ref() == Ok(key)) {
                reasons.push((position, "the same key is listed before"));
            }
        }
        for (position, reason) in reasons {
            keys[position].key = Err(reason.to_owned());
        }
        Self { keys, any_kid: false }
    }

    /// The key for a token's `kid` and `alg`.
    ///
    /// # Errors
    /// `keys_empty` or `key_not_found`, with a sentence that says what there is.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&PublicKey, Error> {
        self.choose(kid, algorithm).ok_or_else(|| self.explain(kid, algorithm))
    }

    /// The key with this kid. If there is none, the only key of this algorithm, provided that the token or the key has no
    /// kid: RFC 7517 makes it optional. Without the sentence, which would be composed several times for each token of a flood of unknown kids.
    fn choose(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&PublicKey> {
        let fitting = || {
            let usable = self.keys.iter().filter_map(|listed| Some((listed, listed.key.as_ref().ok()?)));
            usable.filter(|(_, key)| key.algorithm() == algorithm)
        };
        if let Some(kid) = kid
            && let Some((_, key)) = fitting().find(|(listed, _)| listed.name() == Some(kid))
        {
            return Some(key);
        }
        let (_, only) = fitting().next()?;
        let alone = fitting().all(|(_, key)| key == only);
        let answers = self.any_kid || kid.is_none() || fitting().any(|(listed, _)| listed.kid.is_none());
        (alone && answers).then_some(only)
    }

    pub(super) fn explain(&self, kid: Option<&str>, algorithm: Algorithm) -> Error {
        let usable: Vec<&ListedKey> = self.keys.iter().filter(|listed| listed.key.is_ok()).collect();
        if usable.is_empty() {
            let what = match self.keys.as_slice() {
                [] => "the key set is empty: is signing_key set in Pomerium?".to_owned(),
                [first, ..] => {
                    let why = first.key.as_ref().err().map_or("", String::as_str);
                    format!("the key set has no usable key among {}; the first one: {why}", self.keys.len())
                }
            };
            return Error::new(ErrorCode::KeysEmpty, what);
        }
        let wanted = match kid {
            Some(kid) => format!("no {} key with {}", algorithm.name(), named(kid)),
            None => format!("the token has no kid, so exactly one {} key is needed", algorithm.name()),
        };
        let held: Vec<String> = usable.iter().map(|listed| listed.describe()).collect();
        Error::new(ErrorCode::KeyNotFound, format!("{wanted}; the key set holds {}", held.join(", ")))
    }

    /// The thumbprint of the one key that answers to any kid.
    pub(crate) fn only_thumbprint(&self) -> Option<&str> {
        self.keys.first().filter(|_| self.any_kid)?.thumbprint.as_deref()
    }

    /// Whether there is a usable key.
    pub(super) fn is_usable(&self) -> bool {
        self.keys.iter().any(|listed| listed.key.is_ok())
    }

    /// What tokens call the usable keys.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, Algorithm)> {
        self.keys.iter().filter_map(|listed| Some((listed.name()?, listed.key.as_ref().ok()?.algorithm())))
    }

    /// SHA-256 over the thumbprints, sorted and one after the other, in hex: two instances with the same one have the
    /// same keys. None if no key could be read.
    pub(super) fn digest(&self) -> Option<String> {
        let mut thumbprints: Vec<&str> = self.keys.iter().filter_map(|listed| listed.thumbprint.as_deref()).collect();
        thumbprints.sort_unstable();
        thumbprints.dedup();
        (!thumbprints.is_empty()).then(|| sha256_hex(thumbprints.concat().as_bytes()))
    }

    /// What `status` shows.
    pub(crate) fn status(&self) -> Vec<KeyStatus> {
        let show = |listed: &ListedKey| KeyStatus {
            kid: listed.kid.clone(),
            alg: listed.alg.clone(),
            key_type: listed.key_type.clone(),
            thumbprint: listed.thumbprint.clone(),
            usable: listed.key.is_ok(),
            reason: listed.key.as_ref().err().cloned(),
        };
        self.keys.iter().map(show).collect()
    }
}

/// A key, together with the set it was found in.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) keys: Arc<KeySet>,
    key: PublicKey,
}

impl Found {
    /// The key of this set for a token's `kid` and `alg`.
    ///
    /// # Errors
    /// `keys_empty` or `key_not_found`, with a sentence that says what there is.
    pub(crate) fn find(keys: Arc<KeySet>, kid: Option<&str>, algorithm: Algorithm) -> Result<Self, Error> {
        let key = keys.find(kid, algorithm)?.clone();
        Ok(Self { keys, key })
    }

    /// The same without the sentence.
    pub(super) fn choose(keys: &Arc<KeySet>, kid: Option<&str>, algorithm: Algorithm) -> Option<Self> {
        let key = keys.choose(kid, algorithm)?.clone();
        Some(Self { keys: keys.clone(), key })
    }

    /// The key: a clone that shares all that was prepared for it.
    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }
}

/// One key of a set, usable or not.
#[derive(Debug)]
pub(crate) struct ListedKey {
    kid: Option<String>,
    alg: Option<String>,
    key_type: Option<String>,
    thumbprint: Option<String>,
    /// The key, or why it is not used.
    key: Result<PublicKey, String>,
}

impl ListedKey {
    fn new(jwk: Jwk, trust: &Trust) -> Self {
        match jwk.key {
            Ok(key) => Self::usable(jwk.kid, key, trust),
            Err(why) => Self { kid: jwk.kid, alg: jwk.alg, key_type: jwk.key_type, thumbprint: None, key: Err(why) },
        }
    }

    /// A key that could be read; it is used unless the options refuse it.
    fn usable(kid: Option<String>, key: PublicKey, trust: &Trust) -> Self {
        let thumbprint = key.thumbprint();
        let refused = trust.refuse(&key, &thumbprint);
        let alg = Some(key.algorithm().name().to_owned());
        let key_type = Some(key.algorithm().key_type().to_owned());
        Self { kid, alg, key_type, thumbprint: Some(thumbprint), key: refused.map_or(Ok(key), Err) }
    }

    /// What a token calls the key: its kid, or else its thumbprint.
    fn name(&self) -> Option<&str> {
        self.kid.as_deref().or(self.thumbprint.as_deref())
    }

    fn describe(&self) -> String {
        let name = self.name().map_or("a key without kid".to_owned(), named);
        format!("{} {name}", self.alg.as_deref().unwrap_or_default())
    }
}

/// A kid for a message, quoted only if it is harmless. It is the only thing quoted of a token whose signature has not
/// been verified: without it nobody could find out which key is missing.
pub(crate) fn named(kid: &str) -> String {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if (1..=64).contains(&kid.len()) && kid.bytes().all(harmless) {
        format!("kid {kid}")
    } else {
        "a kid that is not 1 to 64 of A-Z a-z 0-9 - _".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use pomerium_jwt_issuer::{SigningKey, key_set};

    use super::*;
    use crate::keys::es256_checked_by;

    #[test]
    fn a_refreshed_set_keeps_the_prepared_keys_it_still_holds() {
        let [kept, dropped, new] = [1, 2, 3].map(|scalar| SigningKey::from_scalar(&[scalar; 32]).expect("below n"));
        let trust = Trust { algorithms: vec![Algorithm::Es256], pins: None };
        let parse = |keys: [&SigningKey; 2], previous: Option<&KeySet>| {
            KeySet::parse(key_set(keys).as_bytes(), &trust, previous).expect("a key set")
        };
        let before = parse([&kept, &dropped], None);
        let after = parse([&new, &kept], Some(&before));
        let unrelated = parse([&new, &kept], None);
        let prepared = |set: &KeySet| match set.find(Some(&kept.thumbprint()), Algorithm::Es256) {
            Ok(PublicKey::Es256(key)) => std::ptr::from_ref(key.x()), // where the shared part of the key lies
            other => panic!("{other:?}"),
        };
        assert_eq!(prepared(&after), prepared(&before));
        assert_ne!(prepared(&unrelated), prepared(&before), "equal keys alone are not the same one");
        assert!(after.find(Some(&dropped.thumbprint()), Algorithm::Es256).is_err());
    }

    /// Two keys whose points are P and -P: they share x, and their private keys are 2 and n - 2.
    fn opposite_keys() -> [SigningKey; 2] {
        const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let mut scalar: [u8; 32] =
            std::array::from_fn(|at| u8::from_str_radix(&N[2 * at..2 * at + 2], 16).expect("hex"));
        scalar[31] -= 2;
        let mut two = [0; 32];
        two[31] = 2;
        [two, scalar].map(|scalar| SigningKey::from_scalar(&scalar).expect("below n"))
    }

    #[test]
    fn a_refreshed_set_does_not_take_a_key_for_its_opposite() {
        let [old, new] = opposite_keys();
        let trust = Trust { algorithms: vec![Algorithm::Es256], pins: None };
        let parse = |text: String, previous| KeySet::parse(text.as_bytes(), &trust, previous).expect("a key set");
        let before = parse(key_set([&old]), None);
        let after = parse(key_set([&new]), Some(&before));
        let find = |set: &KeySet, key: &SigningKey| set.find(Some(&key.thumbprint()), Algorithm::Es256).cloned();
        let (before, after) = (find(&before, &old).expect("the old key"), find(&after, &new).expect("the new key"));
        match (&before, &after) {
            (PublicKey::Es256(old), PublicKey::Es256(new)) => assert!(old.x() == new.x() && old.y() != new.y()),
            other => panic!("{other:?}"),
        }
        assert_ne!(before, after);
        let message = b"header.payload";
        assert!(after.verify(message, &new.sign(message)), "the new key verifies its own signatures");
        assert!(!after.verify(message, &old.sign(message)), "and not those of the withdrawn one");
        println!("signatures: {}", es256_checked_by()); // so that a test run says which way it took
    }

    #[test]
    fn opposite_keys_under_one_kid_are_both_skipped() {
        let [one, other] = opposite_keys();
        let text = key_set([&one, &other]).replace(&other.thumbprint(), &one.thumbprint());
        let trust = Trust { algorithms: vec![Algorithm::Es256], pins: None };
        let set = KeySet::parse(text.as_bytes(), &trust, None).expect("a key set");
        assert!(set.status().iter().all(|key| key.reason.as_deref() == Some("another key has the same kid")));
        assert_eq!(
            set.find(Some(&one.thumbprint()), Algorithm::Es256).map_err(|error| error.code()),
            Err(ErrorCode::KeysEmpty)
        );
    }
}
