//! Issuer and audience against a second implementation, written from the documentation's words as naively as they read.

use proptest::prelude::*;

use super::no_rules;
use crate::{
    claims::{Payload, check_names},
    code::ErrorCode,
    json,
    names::{Match, Names},
};

/// 1 to 255 bytes, no spaces or controls. A pattern is `*.suffix` without scheme, nothing else holds a `*`.
fn is_entry(text: &str) -> bool {
    let length = !text.is_empty() && text.len() < 256;
    let visible = !text.chars().any(|character| character.is_whitespace() || character.is_control());
    length && visible && (!text.contains('*') || is_pattern(text))
}

fn is_pattern(text: &str) -> bool {
    let mut labels: Vec<&str> = text.split('.').collect();
    if labels.len() > 2 && labels.last() == Some(&"") {
        labels.pop(); // a fully qualified name
    }
    labels.len() > 1 && labels[0] == "*" && labels[1..].iter().all(|label| is_label(label))
}

/// 1 to 63 of `[A-Za-z0-9_-]`.
fn is_label(text: &str) -> bool {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    !text.is_empty() && text.len() < 64 && text.chars().all(|character| alphabet.contains(character))
}

/// Without a scheme, `host` matches `host` and `https://host/`; with a scheme: exact.
fn is_exactly(entry: &str, value: &str) -> bool {
    let both_forms = !entry.contains("://") && value == format!("https://{entry}/");
    !entry.contains('*') && (value == entry || both_forms)
}

/// The star matches one or more labels; the host it gives, in both forms.
fn covered(entry: &str, value: &str) -> Option<String> {
    let suffix = entry.strip_prefix('*')?;
    let hosts = (0..=value.len()).flat_map(|from| (from..=value.len()).map(move |to| (from, to)));
    let mut hosts = hosts.filter_map(|(from, to)| value.get(from..to));
    let is_form = |host: &str| value == host || value == format!("https://{host}/");
    let fits = |host: &str| host.strip_suffix(suffix).is_some_and(|labels| labels.split('.').all(is_label));
    hosts.find(|host| is_form(host) && fits(host)).map(str::to_owned)
}

/// An exact entry wins.
fn find(entries: &[String], value: &str) -> Option<Found> {
    if entries.iter().any(|entry| is_exactly(entry, value)) {
        return Some(Found::Exact);
    }
    entries.iter().find_map(|entry| covered(entry, value)).map(Found::Pattern)
}

#[derive(Debug, PartialEq)]
enum Found {
    Exact,
    Pattern(String),
}

/// Issuer, then audience, then their pairing: when only a pattern matched, the host in `iss` must also be one of the
/// `aud` values. Empty names match nothing.
fn judge(issuers: &[String], audiences: &[String], iss: &str, aud: &[String]) -> Result<(), ErrorCode> {
    let issuer = if iss.is_empty() { None } else { find(issuers, iss) };
    let audience = aud.iter().any(|value| !value.is_empty() && find(audiences, value).is_some());
    match (issuer, audience) {
        (None, _) => Err(ErrorCode::IssuerMismatch),
        (Some(Found::Pattern(host)), true) if aud.contains(&host) => Ok(()),
        (Some(Found::Exact), true) => Ok(()),
        _ => Err(ErrorCode::AudienceMismatch),
    }
}

/// Few letters and the marks that matter, so that entries and values meet.
fn host() -> impl Strategy<Value = String> {
    let long = [63, 64].map(|length| "a".repeat(length));
    let odd = ["", "*", "A", "_", "-", "a b", "a@a", "a/a", "é", "\u{0}", "a:1"].map(str::to_owned);
    let label = prop_oneof![
        30 => prop::sample::select(vec!["a".to_owned(), "b".to_owned()]),
        1 => prop::sample::select([&odd[..], &long[..]].concat()),
    ];
    prop::collection::vec(label, 1..4).prop_map(|labels| labels.join("."))
}

fn entry() -> impl Strategy<Value = String> {
    let begin = prop::sample::select(vec!["", "", "*.", "*.", "*.", "*", "https://", "http://", "*.*."]);
    let end = prop::sample::select(vec!["", "", "", "", "/", ".", ":1"]);
    (begin, host(), end).prop_map(|(begin, host, end)| format!("{begin}{host}{end}"))
}

fn good_entries() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(entry().prop_filter("valid", |entry| is_entry(entry)), 1..4)
}

/// A value made of one of the entries, or of none of them.
fn value(entries: &[String]) -> impl Strategy<Value = String> + use<> {
    let host_or_entry = prop_oneof![1 => host(), 3 => prop::sample::select(entries.to_vec())];
    let right = [("", ""), ("https://", "/")];
    let wrong = [("http://", "/"), ("https://https://", "//"), ("https://", ""), ("", "/"), ("", "."), ("", ":1")];
    let form = prop_oneof![3 => prop::sample::select(right.to_vec()), 1 => prop::sample::select(wrong.to_vec())];
    let parts = (form, host_or_entry, host());
    parts.prop_map(|((begin, end), entry, labels)| format!("{begin}{}{end}", entry.replace('*', &labels)))
}

fn entries_and_value() -> impl Strategy<Value = (Vec<String>, String)> {
    good_entries()
        .prop_flat_map(|entries| (value(&entries), Just(entries)).prop_map(|(value, entries)| (entries, value)))
}

fn entries_and_values() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    good_entries().prop_flat_map(|entries| {
        let value = prop_oneof![9 => value(&entries), 1 => Just(String::new())];
        (Just(entries), prop::collection::vec(value, 0..4))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn entries_are_those_of_the_documentation(entry in entry()) {
        let parsed = Names::parse("issuer", std::slice::from_ref(&entry));
        prop_assert_eq!(parsed.is_ok(), is_entry(&entry), "{:?}", parsed);
    }

    #[test]
    fn values_match_as_documented((entries, value) in entries_and_value()) {
        let names = Names::parse("issuer", &entries).expect("valid entries");
        let found = names.find(&value).map(|found| match found {
            Match::Exact => Found::Exact,
            Match::Pattern { host } => Found::Pattern(host.to_owned()),
        });
        prop_assert_eq!(found, find(&entries, &value));
    }

    #[test]
    fn issuer_and_audience_are_judged_as_documented(
        (issuers, iss) in entries_and_value(),
        (audiences, mut aud) in entries_and_values(),
        paired: bool,
    ) {
        if paired {
            aud.push(iss.trim_start_matches("https://").trim_end_matches('/').to_owned());
        }
        let claims = serde_json::json!({"exp": 0, "iss": iss, "aud": aud}).to_string();
        let claims = json::parse(&claims).expect("JSON");
        let payload = Payload::read(&claims, &no_rules()).expect("claims");
        let names = |entries: &[String]| Names::parse("issuer", entries).expect("valid entries");
        let judged = check_names(&payload, Some(&names(&issuers)), Some(&names(&audiences)));
        prop_assert_eq!(judged.map_err(|error| error.code()), judge(&issuers, &audiences, &iss, &aud));
    }
}

#[test]
fn entries_and_values_meet_often_enough() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};

    let mut runner = TestRunner::deterministic();
    let mut counts = [0; 3];
    for _ in 0..2000 {
        let (entries, value) = entries_and_value().new_tree(&mut runner).expect("a sample").current();
        counts[find(&entries, &value).map_or(0, |found| if found == Found::Exact { 1 } else { 2 })] += 1;
    }
    assert!(counts.iter().all(|count| *count > 100), "none, exact, pattern: {counts:?}");
}
