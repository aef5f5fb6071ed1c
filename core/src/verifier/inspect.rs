//! Diagnosis: every check with what was expected and what was found, not only the first that fails.
//!
//! Each verdict is that of the function `verify` calls. What differs is only that a failure does not end the list:
//! a check is not judged if something it needs is missing.

use super::{
    inspection::{Check, Inspection, Outcome},
    pin::Pinning,
    verify::{Verifier, check_now, signature_invalid},
};
use crate::{
    algorithm::Algorithm,
    claims::{self, Payload, check_audience, check_issuer, check_pairing},
    error::Error,
    identity::Identity,
    json::Json,
    keys::{self, Found, Patience},
    token::{self, Parts},
    wording::{absent_or, listed, quoted},
};

impl Verifier {
    /// Explains a token at the time `now` in Unix seconds: every check that [`verify_at`](Self::verify_at) makes, and
    /// the header and claims as they are written there, NOT VERIFIED. Diagnosis for people: it says nothing about who is
    /// calling and must never decide whether to let anyone in.
    ///
    /// Uses the keys that are loaded: call [`refresh`](Self::refresh) before, if they are fetched.
    ///
    /// # Errors
    /// `invalid_argument` for a time outside of 0 to 2^53 - 1.
    pub fn inspect(&self, token: impl AsRef<[u8]>, now: i64) -> Result<Inspection, Error> {
        check_now(now)?;
        let mut checks = Findings(Vec::new());
        let form = self.inspect_form(token.as_ref(), &mut checks);
        let header = form.as_ref().and_then(|form| form.header.as_deref().ok());
        let wanted = self.inspect_header(header.map(token::read_header), &mut checks);
        self.inspect_signature(wanted, form.as_ref(), &mut checks);
        let payload = form.as_ref().and_then(|form| form.payload.as_deref().ok());
        self.inspect_claims(payload, now, &mut checks);
        let text = |bytes: Option<&[u8]>| bytes.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        Ok(Inspection { header: text(header), claims: text(payload), checks: checks.0 })
    }

    /// The text and its parts.
    fn inspect_form<'a>(&self, text: &'a [u8], checks: &mut Findings) -> Option<Form<'a>> {
        let text = token::without_bearer(text);
        let present = token::check_presence(text);
        let bytes = format!("{} bytes", text.len());
        let size = present.is_ok().then(|| (bytes.clone(), token::check_size(text, self.checks.max_token_bytes)));
        let form = present.is_ok().then(|| Parts::split(text).map(|parts| Form::decode(&parts)));
        checks.add("token", "a token in the header", Some((bytes, present)));
        checks.add("size", format!("at most {} bytes", self.checks.max_token_bytes), size);
        let pieces = |separator: u8| text.split(|byte| *byte == separator).count();
        let actual = match pieces(b',') {
            1 => format!("{} parts", pieces(b'.')),
            values => format!("{values} values joined by commas"),
        };
        let expected = "one value: three parts in base64url without padding, joined by dots";
        let verdict = form.as_ref().map(|form| form.as_ref().map_err(Error::clone)?.check());
        checks.add("form", expected, verdict.map(|verdict| (actual, verdict)));
        form?.ok()
    }

    /// The JOSE header; gives the algorithm and the kid to look for.
    fn inspect_header(
        &self,
        header: Option<Result<Json<'_>, Error>>,
        checks: &mut Findings,
    ) -> Option<(Algorithm, Option<String>)> {
        let show = |value: &Json<'_>| value.as_str().map_or(value.kind().to_owned(), quoted);
        let actual = match &header {
            Some(Ok(header)) => match header.member("kid") {
                Some(kid) => format!("an object, kid {}", show(kid)),
                None => "an object without kid".to_owned(),
            },
            _ => "something else".to_owned(),
        };
        let kid = header.as_ref().map(|header| {
            let kid = token::key_id(header.as_ref().map_err(Error::clone)?)?;
            Ok(kid.map(str::to_owned))
        });
        let kid = checks.add("header", "a strict JSON object, kid a string or absent", kid.map(|kid| (actual, kid)));
        let header = header.and_then(Result::ok);
        let header = header.as_ref();
        let member = |name| header.map(|header| header.member(name).map_or("absent".to_owned(), show));
        checks.add("typ", "\"JWT\" or absent", member("typ").zip(header.map(token::check_type)));
        checks.add("crit", "absent", member("crit").zip(header.map(token::check_critical)));
        let algorithm = header.map(|header| self.check_algorithm(token::algorithm(header)));
        let algorithm = checks.add("alg", self.accepted_algorithms(), member("alg").zip(algorithm));
        algorithm.zip(kid)
    }

    fn inspect_signature(
        &self,
        wanted: Option<(Algorithm, Option<String>)>,
        form: Option<&Form<'_>>,
        checks: &mut Findings,
    ) {
        let wanted = wanted.as_ref().map(|(algorithm, kid)| (*algorithm, kid.as_deref()));
        let found = wanted.map(|(algorithm, kid)| self.checks.store.acquire(kid, algorithm, Patience::AtHand));
        let named = wanted.map(|(_, kid)| kid.map_or("no kid".to_owned(), keys::named));
        let found = checks.add("key", self.describe_keys(), named.zip(found));
        let signed = form.and_then(|form| Some((form.signing_input, form.signature.as_deref().ok()?)));
        let verdict = wanted.zip(found).zip(signed).map(|(((_, kid), found), (input, signature))| {
            (format!("{} bytes", signature.len()), check_signature(&found, kid, input, signature))
        });
        checks.add("signature", "made with that key over header and payload", verdict);
    }

    fn describe_keys(&self) -> String {
        let state = self.checks.store.state();
        let usable = state.keys.iter().filter(|key| key.usable);
        let names: Vec<&str> = usable.filter_map(|key| key.kid.as_deref().or(key.thumbprint.as_deref())).collect();
        let names = if names.is_empty() { "no usable key".to_owned() } else { names.join(", ") };
        format!("a key of {}: {names}", state.source)
    }

    fn inspect_claims(&self, payload: Option<&[u8]>, now: i64, checks: &mut Findings) {
        let text = payload.map(|payload| claims::to_text(payload.to_vec()));
        let json = text.as_ref().map(|text| claims::parse(text.as_ref().map_err(Error::clone)?));
        let kind = json.as_ref().and_then(|json| json.as_ref().ok()).map_or("something else", Json::kind);
        let typed = json.as_ref().map(|json| Payload::read(json.as_ref().map_err(Error::clone)?, &self.checks.rules));
        let expected = "a strict JSON object, registered claims well-typed";
        let payload = checks.add("claims", expected, typed.map(|typed| (kind.to_owned(), typed)));
        self.inspect_times(payload.as_ref(), now, checks);
        self.inspect_names(payload.as_ref(), checks);
        for (name, values) in &self.checks.rules.expect_claims {
            let verdict = payload.as_ref().map(|payload| (payload.describe(name), payload.check_claim(name, values)));
            checks.add(&format!("expect_claims.{name}"), format!("one of {values:?}"), verdict);
        }
        let groups = self.request.require_group();
        if !groups.is_empty() {
            let identity = payload.as_ref().zip(text.as_ref().and_then(|text| text.as_ref().ok()));
            let verdict = identity.map(|(payload, text)| {
                let identity = Identity::new(payload, text);
                let shown = identity.as_ref().map_or("unreadable".to_owned(), |identity| {
                    listed(&identity.groups.iter().map(String::as_str).collect::<Vec<_>>()).into_owned()
                });
                (shown, identity.and_then(|identity| self.request.check_group(&identity)))
            });
            checks.add("require_group", format!("one of {groups:?}"), verdict);
        }
        if self.checks.pins.show().is_some() {
            let verdict = payload.as_ref().map(|payload| {
                let actual =
                    format!("{}, {}", absent_or(payload.issuer.unwrap_or_default()), listed(&payload.audience));
                (actual, self.checks.pins.check(payload, &self.checks.rules, Pinning::PassOver))
            });
            checks.add("pinned", "the issuer and audience of the first token", verdict);
        }
    }

    fn inspect_times(&self, payload: Option<&Payload<'_>>, now: i64, checks: &mut Findings) {
        let rules = &self.checks.rules;
        let leeway = format!("leeway {} s", rules.leeway);
        let time = |time: Option<i64>| time.map_or("absent".to_owned(), |time| relative(time, now));
        let exp = payload.map(|payload| (time(Some(payload.expires_at)), rules.check_expiry(payload, now)));
        checks.add("exp", format!("in the future ({leeway})"), exp);
        let nbf = payload.map(|payload| (time(payload.not_before), rules.check_not_before(payload, now)));
        checks.add("nbf", format!("absent, or not in the future ({leeway})"), nbf);
        let iat = payload.map(|payload| (time(payload.issued_at), rules.check_issued_at(payload, now)));
        checks.add("iat", format!("absent, or not in the future ({leeway})"), iat);
        if let Some(limit) = rules.max_token_age {
            let age = payload.map(|payload| (time(payload.issued_at), rules.check_age(payload, now)));
            checks.add("max_token_age", format!("issued at most {limit} s ago ({leeway})"), age);
        }
    }

    fn inspect_names(&self, payload: Option<&Payload<'_>>, checks: &mut Findings) {
        let (issuers, audiences) = (self.checks.rules.issuer.as_ref(), self.checks.rules.audience.as_ref());
        let any = "anything, it is not configured";
        let issuer = payload.map(|payload| {
            (absent_or(payload.issuer.unwrap_or_default()).into_owned(), check_issuer(payload, issuers))
        });
        let matched = checks.add("iss", issuers.map_or(any.to_owned(), ToString::to_string), issuer);
        let audience = payload.map(|payload| {
            let verdict = check_audience(payload, audiences);
            let verdict = verdict.and_then(|()| matched.map_or(Ok(()), |matched| check_pairing(payload, matched)));
            (listed(&payload.audience).into_owned(), verdict)
        });
        checks.add("aud", audiences.map_or(any.to_owned(), ToString::to_string), audience);
        let subject =
            payload.map(|payload| (absent_or(payload.subject).into_owned(), self.checks.rules.check_subject(payload)));
        let expected =
            if self.checks.rules.allow_anonymous { "anything, allow_anonymous is set" } else { "a signed-in user" };
        checks.add("sub", expected, subject);
    }
}

/// The checks so far.
struct Findings(Vec<Check>);

impl Findings {
    /// Adds what was found and its verdict, or that there was nothing to judge; gives what the check yields.
    fn add<T>(
        &mut self,
        name: &str,
        expected: impl Into<String>,
        judged: Option<(String, Result<T, Error>)>,
    ) -> Option<T> {
        let (actual, outcome, yielded) = match judged {
            Some((actual, Ok(yielded))) => (actual, Outcome::Passed, Some(yielded)),
            Some((actual, Err(error))) => (actual, Outcome::Failed(error), None),
            None => (String::new(), Outcome::NotJudged, None),
        };
        self.0.push(Check { name: name.to_owned(), expected: expected.into(), actual, outcome });
        yielded
    }
}

/// What could be decoded of a token.
struct Form<'a> {
    header: Result<Vec<u8>, Error>,
    payload: Result<Vec<u8>, Error>,
    signature: Result<Vec<u8>, Error>,
    signing_input: &'a [u8],
}

impl<'a> Form<'a> {
    fn decode(parts: &Parts<'a>) -> Self {
        Self {
            header: parts.decode_header(),
            payload: parts.decode_payload(),
            signature: parts.decode_signature(),
            signing_input: parts.signing_input,
        }
    }

    fn check(&self) -> Result<(), Error> {
        let parts = [&self.header, &self.payload, &self.signature];
        parts.into_iter().try_for_each(|part| part.as_ref().map(drop).map_err(Error::clone))
    }
}

fn check_signature(found: &Found, kid: Option<&str>, signing_input: &[u8], signature: &[u8]) -> Result<(), Error> {
    if found.key().verify(signing_input, signature) {
        return Ok(());
    }
    Err(signature_invalid(&found.keys, kid))
}

fn relative(time: i64, now: i64) -> String {
    match time - now {
        0 => format!("{time}, now"),
        ahead @ 1.. => format!("{time}, in {ahead} s"),
        behind => format!("{time}, {} s ago", -behind),
    }
}
