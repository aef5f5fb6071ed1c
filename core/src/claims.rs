//! The signed payload: its registered claims, typed, and their judgement against options and time.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    code::ErrorCode,
    error::{Error, Facts},
    json::{self, Json},
    names::{Match, Names},
    wording::{listed, quoted},
};

/// The largest NumericDate: beyond it a JSON number is no longer exact everywhere (RFC 7159 section 6).
pub(crate) const MAX_TIME: i64 = (1 << 53) - 1;

/// The payload's registered claims (RFC 7519 section 4.1) and Pomerium's own, typed but not yet judged.
#[derive(Debug)]
pub(crate) struct Payload<'a> {
    pub(crate) issuer: Option<&'a str>,
    pub(crate) audience: Vec<&'a str>,
    pub(crate) subject: &'a str,
    pub(crate) expires_at: i64,
    pub(crate) not_before: Option<i64>,
    pub(crate) issued_at: Option<i64>,
    pub(crate) groups: &'a [Json<'a>],
    pub(crate) user: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) session_id: Option<&'a str>,
    pub(crate) token_id: Option<&'a str>,
    /// Every claim, for `expect_claims`.
    all: &'a Json<'a>,
}

impl<'a> Payload<'a> {
    /// Types the claims. A wrong type is `claims_malformed`, before any value is judged.
    pub(crate) fn read(claims: &'a Json<'a>, rules: &Rules) -> Result<Self, Error> {
        if !matches!(claims, Json::Object(_)) {
            return Err(malformed(format!("the payload is {}, not an object", claims.kind())));
        }
        let claim = |name: &str| claims.member(name);
        let expires_at = time("exp", claim("exp"))?.ok_or_else(|| malformed("exp is missing"))?;
        let issued_at = time("iat", claim("iat"))?;
        if issued_at.is_none() && rules.max_token_age.is_some() {
            return Err(malformed("iat is missing, and max_token_age needs it"));
        }
        Ok(Self {
            issuer: text("iss", claim("iss"))?,
            audience: audience(claim("aud"))?,
            subject: text("sub", claim("sub"))?.unwrap_or_default(),
            expires_at,
            not_before: not_before(claim("nbf"))?,
            issued_at,
            groups: groups(claim("groups"))?,
            user: nullable_text("user", claim("user"))?,
            email: nullable_text("email", claim("email"))?,
            name: nullable_text("name", claim("name"))?,
            session_id: nullable_text("sid", claim("sid"))?,
            token_id: nullable_text("jti", claim("jti"))?,
            all: claims,
        })
    }

    /// The claim equals one of the expected strings or, if it is a list, contains one. Numbers and booleans equal none.
    pub(crate) fn check_claim(&self, name: &str, expected: &[String]) -> Result<(), Error> {
        let is_expected = |value: &Json<'_>| value.as_str().is_some_and(|text| expected.iter().any(|one| one == text));
        match self.all.member(name) {
            Some(Json::Array(list)) if list.iter().any(is_expected) => Ok(()),
            Some(value) if is_expected(value) => Ok(()),
            _ => {
                let actual = self.describe(name);
                let message = format!("claim {name:?} is {actual}; expect_claims demands one of {expected:?}");
                let facts =
                    Facts::Mismatch { claim: name.to_owned(), actual: self.strings(name), expected: expected.to_vec() };
                Err(Error::new(ErrorCode::ClaimMismatch, message).about(facts))
            }
        }
    }

    /// The strings of a claim that is one or a list of them.
    fn strings(&self, name: &str) -> Vec<String> {
        let values = match self.all.member(name) {
            Some(Json::Array(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        values.iter().filter_map(Json::as_str).map(str::to_owned).collect()
    }

    /// A claim for a message.
    pub(crate) fn describe(&self, name: &str) -> String {
        match self.all.member(name) {
            None => "missing".to_owned(),
            Some(Json::String(text)) => quoted(text),
            Some(other) => other.kind().to_owned(),
        }
    }
}

/// The payload's text.
pub(crate) fn to_text(payload: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(payload)
        .map_err(|error| malformed("the payload is not UTF-8").caused_by(Arc::new(error.utf8_error())))
}

/// The payload's text as JSON.
pub(crate) fn parse(text: &str) -> Result<Json<'_>, Error> {
    json::parse(text)
        .map_err(|why| malformed(format!("the payload is not strict JSON: {why}")).caused_by(Arc::new(why)))
}

/// A NumericDate (RFC 7519 section 2): any JSON number from 0 to [`MAX_TIME`], its fraction cut. Old Pomerium
/// versions write fractions (0.14) and exponents (0.15 to 0.22).
fn time(name: &str, claim: Option<&Json<'_>>) -> Result<Option<i64>, Error> {
    let number = match claim {
        None => return Ok(None),
        Some(Json::Number(number)) => number,
        Some(other) => return Err(malformed(format!("{name} is {}, not a number of seconds", other.kind()))),
    };
    let whole = match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => Some(whole),
        // exact, since it is below 2^53
        (None, Some(real)) if (0.0..=MAX_TIME as f64).contains(&real) => Some(real as i64),
        _ => None,
    };
    match whole {
        Some(whole) if (0..=MAX_TIME).contains(&whole) => Ok(Some(whole)),
        _ => Err(malformed(format!("{name} is outside the range 0 to 2^53-1 seconds"))),
    }
}

/// `nbf` may also be a string that holds a number: Pomerium 0.33 copies the identity provider's `nbf` as text if
/// `jwt_claims_headers` lists it. The string's whole text must be a JSON number.
fn not_before(claim: Option<&Json<'_>>) -> Result<Option<i64>, Error> {
    let number = claim.and_then(Json::as_str).filter(|text| is_bare(text)).and_then(|text| json::parse(text).ok());
    match number {
        Some(number @ Json::Number(_)) => time("nbf", Some(&number)),
        _ => time("nbf", claim),
    }
}

/// Whether a text may be a number without anything before or after it, such as the white space that JSON allows.
fn is_bare(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && text.ends_with(|c: char| c.is_ascii_digit())
}

fn text<'a>(name: &str, claim: Option<&'a Json<'a>>) -> Result<Option<&'a str>, Error> {
    match claim {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(other) => Err(malformed(format!("{name} is {}, not a string", other.kind()))),
    }
}

fn nullable_text<'a>(name: &str, claim: Option<&'a Json<'a>>) -> Result<Option<&'a str>, Error> {
    text(name, claim.filter(|value| **value != Json::Null))
}

fn audience<'a>(claim: Option<&'a Json<'a>>) -> Result<Vec<&'a str>, Error> {
    let wrong = |kind: &str| malformed(format!("aud is {kind}, not a string or a list of strings"));
    match claim {
        None => Ok(Vec::new()),
        Some(Json::String(one)) => Ok(vec![one]),
        Some(Json::Array(list)) => list
            .iter()
            .map(|entry| entry.as_str().ok_or_else(|| wrong(&format!("a list that holds {}", entry.kind()))))
            .collect(),
        Some(other) => Err(wrong(other.kind())),
    }
}

/// Entries that are not strings are normalised later: Pomerium up to 0.27 passes on what the provider sent.
fn groups<'a>(claim: Option<&'a Json<'a>>) -> Result<&'a [Json<'a>], Error> {
    match claim {
        None | Some(Json::Null) => Ok(&[]), // Pomerium 0.13, 0.14 and 0.28.0 write null
        Some(Json::Array(list)) => Ok(list),
        Some(other) => Err(malformed(format!("groups is {}, not a list", other.kind()))),
    }
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::ClaimsMalformed, message)
}

/// What the options demand of the claims. The default demands as little as possible.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// None: not configured, to be pinned on first use.
    pub(crate) issuer: Option<Names>,
    /// None: not configured, to be pinned on first use.
    pub(crate) audience: Option<Names>,
    pub(crate) leeway: i64,
    pub(crate) max_token_age: Option<i64>,
    pub(crate) allow_anonymous: bool,
    pub(crate) expect_claims: BTreeMap<String, Vec<String>>,
}

impl Rules {
    /// The checks in their documented order, the first that fails decides. `now` is in Unix seconds.
    pub(crate) fn check(&self, payload: &Payload<'_>, now: i64) -> Result<(), Error> {
        self.check_expiry(payload, now)?;
        self.check_not_before(payload, now)?;
        self.check_issued_at(payload, now)?;
        self.check_age(payload, now)?;
        check_names(payload, self.issuer.as_ref(), self.audience.as_ref())?;
        self.check_subject(payload)?;
        self.expect_claims.iter().try_for_each(|(name, expected)| payload.check_claim(name, expected))
    }

    pub(crate) fn check_expiry(&self, payload: &Payload<'_>, now: i64) -> Result<(), Error> {
        let exp = payload.expires_at;
        if now < exp + self.leeway {
            return Ok(());
        }
        let sentence = format!("the token expired {} s ago, at {exp}", now - exp);
        self.refuse(ErrorCode::TokenExpired, &sentence, Facts::Time { claim: "exp", value: exp, now })
    }

    pub(crate) fn check_not_before(&self, payload: &Payload<'_>, now: i64) -> Result<(), Error> {
        let Some(nbf) = payload.not_before.filter(|nbf| *nbf > now + self.leeway) else { return Ok(()) };
        let sentence = format!("the token is not valid until {nbf} ({} s from now): check the clocks", nbf - now);
        self.refuse(ErrorCode::TokenNotYetValid, &sentence, Facts::Time { claim: "nbf", value: nbf, now })
    }

    pub(crate) fn check_issued_at(&self, payload: &Payload<'_>, now: i64) -> Result<(), Error> {
        let Some(iat) = payload.issued_at.filter(|iat| *iat > now + self.leeway) else { return Ok(()) };
        let sentence = format!("the token was issued {} s in the future, at {iat}: check the clocks", iat - now);
        self.refuse(ErrorCode::TokenIssuedInFuture, &sentence, Facts::Time { claim: "iat", value: iat, now })
    }

    pub(crate) fn check_age(&self, payload: &Payload<'_>, now: i64) -> Result<(), Error> {
        match (payload.issued_at, self.max_token_age) {
            (Some(iat), Some(limit)) if now - iat > limit + self.leeway => {
                let sentence = format!("the token was issued {} s ago; max_token_age is {limit} s", now - iat);
                self.refuse(ErrorCode::TokenTooOld, &sentence, Facts::Time { claim: "iat", value: iat, now })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn check_subject(&self, payload: &Payload<'_>) -> Result<(), Error> {
        if !payload.subject.is_empty() || self.allow_anonymous {
            return Ok(());
        }
        let message = "sub is empty: nobody is signed in (a public route?); allow_anonymous lets such requests in";
        Err(Error::new(ErrorCode::SubjectMissing, message))
    }

    fn refuse(&self, code: ErrorCode, sentence: &str, facts: Facts) -> Result<(), Error> {
        Err(Error::new(code, format!("{sentence} (leeway {} s)", self.leeway)).about(facts))
    }
}

/// Issuer, audience and their pairing. A name that is not configured only has to be present.
pub(crate) fn check_names(
    payload: &Payload<'_>,
    issuers: Option<&Names>,
    audiences: Option<&Names>,
) -> Result<(), Error> {
    let matched = check_issuer(payload, issuers)?;
    check_audience(payload, audiences)?;
    check_pairing(payload, matched)
}

pub(crate) fn check_issuer<'a>(payload: &Payload<'a>, issuers: Option<&Names>) -> Result<Match<'a>, Error> {
    let issuer = payload.issuer.unwrap_or_default();
    let matched = match issuers {
        Some(names) => names.find(issuer),
        // to be pinned: nothing to compare, so nothing to pair either
        None => Some(Match::Exact),
    };
    let matched = matched.filter(|_| !issuer.is_empty());
    matched.ok_or_else(|| {
        let actual: Vec<&str> = payload.issuer.into_iter().collect();
        mismatch(ErrorCode::IssuerMismatch, "iss", &actual, "issuer", issuers)
    })
}

pub(crate) fn check_audience(payload: &Payload<'_>, audiences: Option<&Names>) -> Result<(), Error> {
    let found = match audiences {
        Some(names) => payload.audience.iter().any(|value| !value.is_empty() && names.find(value).is_some()),
        None => payload.audience.iter().any(|value| !value.is_empty()),
    };
    if found {
        return Ok(());
    }
    Err(mismatch(ErrorCode::AudienceMismatch, "aud", &payload.audience, "audience", audiences))
}

/// An issuer that only a pattern covers must be an audience too: a pattern covers many applications.
pub(crate) fn check_pairing(payload: &Payload<'_>, issuer: Match<'_>) -> Result<(), Error> {
    match issuer {
        Match::Pattern { host } if !payload.audience.contains(&host) => {
            let aud = listed(&payload.audience);
            let named = quoted(host);
            let message = format!("aud is {aud}: an issuer matched by a pattern must be an audience too, {named}");
            let facts = compared("aud", &payload.audience, vec![host.to_owned()]);
            Err(Error::new(ErrorCode::AudienceMismatch, message).about(facts))
        }
        _ => Ok(()),
    }
}

fn mismatch(code: ErrorCode, claim: &str, actual: &[&str], option: &str, expected: Option<&Names>) -> Error {
    let shown = listed(actual);
    let message = match expected {
        Some(names) => format!("{claim} is {shown}, expected {names}; see route and {option}"),
        None => format!("{claim} is {shown}"),
    };
    Error::new(code, message).about(compared(claim, actual, expected.map(Names::entries).unwrap_or_default()))
}

fn compared(claim: &str, actual: &[&str], expected: Vec<String>) -> Facts {
    Facts::Mismatch {
        claim: claim.to_owned(),
        actual: actual.iter().map(|&value| value.to_owned()).collect(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_date_is_any_number_in_range_with_its_fraction_cut() {
        let table = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.0", Some(0)),
            ("1.79534994e+09", Some(1_795_349_940)),
            ("1795349940.999999", Some(1_795_349_940)),
            ("9007199254740991", Some(MAX_TIME)),
            ("9007199254740991.0", Some(MAX_TIME)),
            ("9007199254740991.5", None),
            ("9007199254740992", None),
            ("9007199254740992.0", None),
            ("1e20", None),
            ("-1", None),
            ("-0.5", None),
            ("18446744073709551615", None),
            ("\"1\"", None),
            ("null", None),
            ("true", None),
        ];
        for (text, expected) in table {
            let value = json::parse(text).unwrap();
            assert_eq!(time("exp", Some(&value)).ok().flatten(), expected, "{text}");
        }
    }

    #[test]
    fn nbf_alone_may_be_a_string_whose_whole_text_is_a_number() {
        let table = [
            ("1795354137", Some(1_795_354_137)),
            ("1.795354137e+09", Some(1_795_354_137)),
            ("1795354137.9", Some(1_795_354_137)),
            ("0", Some(0)),
            ("-0", Some(0)),
            ("9007199254740991", Some(MAX_TIME)),
            ("9007199254740992", None),
            ("-1", None),
            ("1e400", None),
            ("", None),
            (" 1", None),
            ("1 ", None),
            ("\\n1", None),
            ("+1", None),
            ("01", None),
            ("1.", None),
            (".5", None),
            ("0x1", None),
            ("1_000", None),
            ("1,000", None),
            ("1 2", None),
            ("1,2", None),
            ("\\u0031", Some(1)),
            ("\\u0661", None),
            ("NaN", None),
            ("Infinity", None),
            ("null", None),
            (r#"\"1\""#, None),
            ("[1]", None),
            ("2026-11-22T16:33:57Z", None),
        ];
        for (text, expected) in table {
            let text = format!("\"{text}\"");
            let value = json::parse(&text).unwrap();
            assert_eq!(not_before(Some(&value)).ok().flatten(), expected, "{text}");
            for other in ["exp", "iat"] {
                assert!(time(other, Some(&value)).is_err(), "{other} as {text}");
            }
        }
        assert_eq!(not_before(None), Ok(None));
    }
}
