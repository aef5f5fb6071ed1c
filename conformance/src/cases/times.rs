//! `exp`, `nbf`, `iat` and the age, at their limits and one second from them.

use serde_json::{Value, json};

use crate::{
    case::{Case, Draft, case},
    fixtures::{EXP, IAT, NOW},
};

/// The latest time there is: 2^53 - 1.
const LAST: i64 = 9_007_199_254_740_991;

pub(crate) fn cases() -> Vec<Case> {
    [expiry(), not_before(), not_before_as_string(), issued_at(), age(), written(), now()].concat()
}

/// Valid while `now < exp + leeway`.
fn expiry() -> Vec<Case> {
    let at = |id: &str, note: &str, now: i64| case(format!("exp-{id}"), note).at(now);
    let strict = |draft: Draft| draft.option("leeway", 0);
    let loose = |draft: Draft| draft.option("leeway", 3600);
    vec![
        at("before", "the last second of the token itself", EXP - 1).accepted(),
        at("leeway-last", "the last second of the default leeway of a minute", EXP + 59).accepted(),
        at("leeway-over", "the first second after it", EXP + 60).refused_saying("token_expired", "expired 60 s ago"),
        at("year-later", "a year later", EXP + 31_536_000).refused("token_expired"),
        strict(at("no-leeway-last", "without leeway", EXP - 1)).accepted(),
        strict(at("no-leeway-over", "without leeway", EXP)).refused("token_expired"),
        loose(at("largest-leeway-last", "an hour of leeway", EXP + 3599)).accepted(),
        loose(at("largest-leeway-over", "an hour of leeway", EXP + 3600)).refused("token_expired"),
        at("zero", "it expired in 1970", NOW).claim("exp", 0).refused("token_expired"),
        at("last", "the latest time there is", NOW).claim("exp", LAST).accepted_as(json!({"expires_at": LAST})),
        at("last-now", "at the latest time there is", LAST).claim("exp", LAST).accepted_as(json!({"expires_at": LAST})),
        at("before-iat", "it expires before it is issued, and now lies between within the leeway", IAT)
            .claim("exp", IAT - 30)
            .accepted_as(json!({"expires_at": IAT - 30})),
    ]
}

/// Valid from `nbf - leeway` on. Pomerium writes no nbf, and that is fine too.
fn not_before() -> Vec<Case> {
    let from = |id: &str, note: &str, nbf: i64| case(format!("nbf-{id}"), note).claim("nbf", nbf);
    vec![
        from("past", "it has come", NOW - 1).accepted(),
        from("now", "it comes this second", NOW).accepted(),
        from("leeway-last", "a minute ahead, within the default leeway", NOW + 60).accepted(),
        from("leeway-over", "a second more", NOW + 61).refused_saying("token_not_yet_valid", "61 s"),
        from("no-leeway", "without leeway, this second", NOW).option("leeway", 0).accepted(),
        from("no-leeway-over", "without leeway, the next second", NOW + 1)
            .option("leeway", 0)
            .refused("token_not_yet_valid"),
        from("largest-leeway", "an hour ahead with an hour of leeway", NOW + 3600).option("leeway", 3600).accepted(),
        from("largest-leeway-over", "a second more", NOW + 3601).option("leeway", 3600).refused("token_not_yet_valid"),
        from("last", "the latest time there is", LAST).refused("token_not_yet_valid"),
        from("zero", "1970", 0).accepted(),
        from("behind-exp", "it begins after it ends", EXP + 1000).refused("token_not_yet_valid"),
    ]
}

/// Pomerium 0.33 writes the identity provider's nbf as a string if an operator lists nbf in `jwt_claims_headers`. Only a
/// string whose whole text is a JSON number is taken so.
fn not_before_as_string() -> Vec<Case> {
    let with = |id: &str, note: &str, text: &str| case(format!("nbf-string-{id}"), note).claim("nbf", text);
    let mut cases = vec![
        with("past", "as Pomerium 0.33 writes it", "1795354137").accepted(),
        with("exponent", "with an exponent", "1.795354137e+09").accepted(),
        with("fraction", "with a fraction", "1795354137.75").accepted(),
        with("zero", "1970", "0").accepted(),
        with("negative-zero", "minus zero is zero", "-0").accepted(),
        with("leeway-last", "a minute ahead, within the default leeway", &(NOW + 60).to_string()).accepted(),
        with("leeway-fraction", "a fraction is cut", &format!("{}.9", NOW + 60)).accepted(),
        with("leeway-over", "a second more", &(NOW + 61).to_string()).refused_saying("token_not_yet_valid", "61 s"),
        with("last", "the latest time there is", "9007199254740991").refused("token_not_yet_valid"),
        case("nbf-string-escaped", "digits may be written with escapes, as in any string")
            .payload_member(r#""nbf":"179535413\u0037""#)
            .accepted(),
    ];
    let malformed = [
        ("over-last", "2^53", "9007199254740992"),
        ("huge", "a number that no double holds", "1e400"),
        ("negative", "before 1970", "-1"),
        ("empty", "nothing", ""),
        ("blank", "a blank", " "),
        ("blank-before", "a blank before it", " 1795354137"),
        ("blank-after", "a blank after it", "1795354137 "),
        ("tab", "a tab after it", "1795354137\t"),
        ("line-end", "a line end after it", "1795354137\n"),
        ("nul", "a NUL after it", "1795354137\0"),
        ("plus", "a plus", "+1"),
        ("leading-zero", "a leading zero", "01"),
        ("hex", "a number in hex", "0x1"),
        ("dot-first", "no digit before the point", ".5"),
        ("dot-last", "no digit after the point", "1."),
        ("underscore", "digits in groups", "1_795_354_137"),
        ("comma", "two numbers", "1,2"),
        ("two", "two numbers with a blank between", "1 2"),
        ("nan", "not a number", "NaN"),
        ("infinity", "no end", "Infinity"),
        ("null", "null", "null"),
        ("true", "a boolean", "true"),
        ("quotes", "a string in a string", "\"1\""),
        ("list", "a list in a string", "[1]"),
        ("other-digits", "digits of another script", "\u{661}"),
        ("date", "a date", "2026-11-22T16:33:57Z"),
    ];
    cases.extend(malformed.map(|(id, note, text)| with(id, note, text).refused_saying("claims_malformed", "nbf")));
    cases
}

/// Valid while `iat <= now + leeway`.
fn issued_at() -> Vec<Case> {
    let at = |id: &str, note: &str, iat: i64| case(format!("iat-{id}"), note).claim("iat", iat);
    let identity = |iat: i64| json!({"issued_at": iat});
    vec![
        at("now", "this second", NOW).accepted_as(identity(NOW)),
        at("leeway-last", "a minute ahead, within the default leeway", NOW + 60).accepted_as(identity(NOW + 60)),
        at("leeway-over", "a second more", NOW + 61).refused_saying("token_issued_in_future", "61 s"),
        at("hour-ahead", "an hour ahead", NOW + 3600).refused("token_issued_in_future"),
        at("no-leeway-over", "without leeway, the next second", NOW + 1)
            .option("leeway", 0)
            .refused("token_issued_in_future"),
        at("no-leeway", "without leeway, this second", NOW).option("leeway", 0).accepted_as(identity(NOW)),
        at("last", "the latest time there is", LAST).refused("token_issued_in_future"),
        at("zero", "1970: without max_token_age an old token is not an error", 0).accepted_as(identity(0)),
        at("days-old", "Pomerium to 0.26: when the session began", NOW - 345_600).accepted_as(identity(NOW - 345_600)),
        case("iat-missing", "optional").without("iat").accepted_as(json!({"issued_at": null})),
    ]
}

/// Valid while `now - iat <= max_token_age + leeway`.
fn age() -> Vec<Case> {
    let aged =
        |id: &str, note: &str, age: i64| case(format!("age-{id}"), note).option("max_token_age", 100).at(IAT + age);
    let day = |draft: Draft| draft.claim("exp", IAT + 3_000_000_000_i64);
    let far = json!({"expires_at": IAT + 3_000_000_000_i64});
    let largest = |id: &str, note: &str, age: i64| {
        day(case(format!("age-{id}"), note))
            .option("max_token_age", 2_147_483_648_i64)
            .option("leeway", 0)
            .at(IAT + age)
    };
    vec![
        aged("at", "as old as it may be", 100).accepted(),
        aged("leeway-last", "with the default leeway", 160).accepted(),
        aged("leeway-over", "a second more", 161).refused_saying("token_too_old", "issued 161 s ago"),
        aged("no-leeway", "without leeway", 100).option("leeway", 0).accepted(),
        aged("no-leeway-over", "a second more", 101).option("leeway", 0).refused("token_too_old"),
        aged("iat-ahead", "a token from the next second is not old", -1).accepted(),
        aged("iat-missing", "without iat nobody knows", 0).without("iat").refused("claims_malformed"),
        aged("session", "the iat of Pomerium to 0.26 is that of the session: days old", 345_600)
            .claim("exp", IAT + 345_900)
            .refused("token_too_old"),
        largest("largest", "68 years", 2_147_483_648).accepted_as(far),
        largest("largest-over", "a second more", 2_147_483_649).refused("token_too_old"),
    ]
}

/// How a NumericDate may be written: any JSON number from 0 to 2^53 - 1, its fraction cut.
fn written() -> Vec<Case> {
    let payload = |exp: &str, iat: &str| {
        format!(r#"{{"aud":"app.example.com","exp":{exp},"iat":{iat},"iss":"app.example.com","sub":"alice"}}"#)
    };
    let written =
        |id: &str, note: &str, exp: &str, iat: &str| case(format!("time-{id}"), note).payload(payload(exp, iat));
    let identity = |expires_at: i64, issued_at: i64| {
        json!({"user": null, "email": null, "name": null, "groups": [], "session_id": null, "token_id": null,
            "expires_at": expires_at, "issued_at": issued_at})
    };
    let refused = |id: &str, note: &str, exp: &str| written(id, note, exp, "1795354137").refused("claims_malformed");
    let mut cases = vec![
        written("fraction", "a fraction, as Pomerium 0.14 writes", "1795354437.75", "1795354137.25")
            .accepted_as(identity(EXP, IAT)),
        written("fraction-cut", "which is cut, not rounded", "1795354437.999999", "1795354137.999999")
            .accepted_as(identity(EXP, IAT)),
        written("exponent", "an exponent, as Pomerium 0.15 to 0.22 writes", "1.795354437e+09", "1.795354137e+09")
            .accepted_as(identity(EXP, IAT)),
        written("exponent-short", "with trailing zeros lost", "1.79535444e+09", "1.7953541e+09")
            .accepted_as(identity(1_795_354_440, 1_795_354_100)),
        written("exponent-upper-case", "another way to write one", "1795354437E0", "1795354137e-0")
            .accepted_as(identity(EXP, IAT)),
        written("exponent-negative", "and another", "1795354437000e-3", "1795354137000E-3")
            .accepted_as(identity(EXP, IAT)),
        written("zero-fraction", "a fraction of zero", "1795354437.0", "1795354137.000")
            .accepted_as(identity(EXP, IAT)),
        written("negative-zero", "minus zero is zero", "1795354437", "-0").accepted_as(identity(EXP, 0)),
        written("negative-zero-fraction", "in any form", "1795354437", "-0.0").accepted_as(identity(EXP, 0)),
        written("tiny", "a fraction of a second is none", "1795354437", "1e-300").accepted_as(identity(EXP, 0)),
        written("last", "2^53 - 1", "9007199254740991", "1795354137").accepted_as(identity(LAST, IAT)),
        written("last-exponent", "2^53 - 1 with an exponent", "9.007199254740991e15", "1795354137")
            .accepted_as(identity(LAST, IAT)),
    ];
    let bad = [
        ("over-last", "2^53", "9007199254740992"),
        ("over-last-fraction", "2^53 as a fraction", "9007199254740992.0"),
        ("over-last-rounded", "no double stands between 2^53 - 1 and 2^53", "9007199254740991.5"),
        ("2-63", "the first time that 64 bits with a sign do not hold", "9223372036854775808"),
        ("2-64", "nor 64 bits without", "18446744073709551616"),
        ("1e20", "far ahead", "1e20"),
        ("1e400", "a number that no double holds", "1e400"),
        ("digits", "400 digits", &"9".repeat(400)),
        ("negative", "before 1970", "-1"),
        ("negative-fraction", "half a second before 1970", "-0.5"),
        ("string", "a string", r#""1795354437""#),
        ("date", "a date", r#""2026-11-22T16:33:57Z""#),
        ("null", "null", "null"),
        ("true", "a boolean", "true"),
        ("list", "a list", "[1795354437]"),
        ("object", "an object", r#"{"$numberLong":"1795354437"}"#),
    ];
    cases.extend(bad.map(|(id, note, value)| refused(&format!("exp-{id}"), note, value)));
    cases.push(case("time-exp-missing", "exp is required").without("exp").refused_saying("claims_malformed", "exp"));
    let string = case("time-iat-string", "iat: a string").claim("iat", "1795354137");
    cases.push(string.refused_saying("claims_malformed", "iat is a string"));
    for name in ["iat", "nbf"] {
        let with = |id: &str, note: &str, value: Value| {
            let draft = case(format!("time-{name}-{id}"), format!("{name}: {note}"));
            draft.claim(name, value).refused_saying("claims_malformed", name)
        };
        cases.extend([
            with("null", "null, which is not the same as missing", json!(null)),
            with("false", "a boolean", json!(false)),
            with("list", "a list", json!([])),
            with("negative", "before 1970", json!(-1)),
            with("over-last", "2^53", json!(LAST + 1)),
        ]);
    }
    cases
}

/// The time of verification is an argument: 0 to 2^53 - 1.
fn now() -> Vec<Case> {
    vec![
        case("now-negative", "before 1970").at(-1).refused("invalid_argument"),
        case("now-over-last", "2^53").at(LAST + 1).refused("invalid_argument"),
        case("now-zero", "1970")
            .at(0)
            .claim("exp", 1)
            .claim("iat", 0)
            .accepted_as(json!({"issued_at": 0, "expires_at": 1})),
        case("now-last", "2^53 - 1").at(LAST).refused("token_expired"),
    ]
}
