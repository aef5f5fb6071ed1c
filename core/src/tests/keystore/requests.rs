//! What a verifier says of itself, and what verifiers that share their keys share. The rules of `admit` are
//! `conformance/requests.json`'s.

use super::*;
use crate::{Admission, Request};

both_ways! {
    verifiers_with_other_request_options_share_keys_counts_and_pins
    a_request_in_two_steps_is_counted_once_and_an_exempt_one_needs_no_keys
    a_refusal_for_want_of_keys_says_when_to_try_again
    metrics_are_open_metrics
    a_fetch_that_is_running_is_not_yet_a_success
}

fn options(text: &str) -> Options {
    Options::from_json(text).expect(text)
}

fn request(token: &str) -> Request<'_> {
    Request { token: token.as_bytes(), path: b"/reports", ..Request::default() }
}

#[test]
fn the_summary_says_what_is_accepted_and_what_is_set() {
    let table = [
        (
            r#"{"route":"https://app.example.com:8443/"}"#,
            "accepts issuer and audience app.example.com or https://app.example.com/; keys: jwks_url \
             https://app.example.com:8443/.well-known/pomerium/jwks.json; header: X-Pomerium-Jwt-Assertion",
        ),
        (
            r#"{"issuer":"https://a.example/","audience":["*.b.example","c"],"jwks":{"keys":[]},"optional":true}"#,
            "accepts issuer https://a.example/ and audience *.b.example or https://*.b.example/ or c or https://c/; keys: \
             jwks; header: X-Pomerium-Jwt-Assertion; optional: requests without a token pass",
        ),
        (
            r#"{"route":"https://a.example","header_name":"Authorization","exempt_paths":["/health","/x/*"],"require_group":["a","b,c"]}"#,
            "accepts issuer and audience a.example or https://a.example/; keys: jwks_url \
             https://a.example/.well-known/pomerium/jwks.json; header: Authorization; exempt_paths: /health, /x/*; \
             require_group: \"a\", \"b,c\"",
        ),
        (
            r#"{"trust_on_first_use":true,"jwks":{"keys":[]}}"#,
            "accepts issuer any, until one is pinned and audience any, until one is pinned; keys: jwks; header: \
             X-Pomerium-Jwt-Assertion; WARNING: trust_on_first_use pins what the first token says: for development only",
        ),
    ];
    for (text, expected) in table {
        let verifier = Verifier::new(options(text)).expect(text);
        assert_eq!(verifier.summary(), expected);
        assert_eq!(verifier.status().summary, expected, "status shows it too");
    }
}

fn verifiers_with_other_request_options_share_keys_counts_and_pins(way: Way) {
    let app = App::with(way, |options| {
        let route = options.route.take().expect("a route");
        options.jwks_url = Some(format!("{}/.well-known/pomerium/jwks.json", route[0]));
        options.trust_on_first_use = Some(true);
    });
    let admins = app.verifier.with(options(r#"{"require_group":"admins"}"#)).expect("options");
    let open = admins.with(options(r#"{"exempt_paths":"/reports"}"#)).expect("options");
    let token = app.token();
    let code = |admission: Result<Admission, crate::Error>| admission.map_err(|error| error.code());

    assert_eq!(code(app.admit(&admins, &request(&token))), Err(ErrorCode::GroupRequired));
    assert!(admins.status().pinned.is_none(), "a token that is refused pins nothing");
    assert_eq!(code(app.admit(&open, &request(&token))), Ok(Admission::Passed));
    assert!(matches!(app.admit(&app.verifier, &request(&token)), Ok(Admission::Verified(_))));
    assert_eq!(app.server.fetches(), 1);

    let (base, copy) = (app.status(), open.status());
    assert_eq!((&base.counts, &base.pinned), (&copy.counts, &copy.pinned));
    let mut counts = base.counts.clone();
    counts.retain(|_, count| *count > 0);
    assert_eq!(counts, [("group_required", 1), ("passed", 1), ("ok", 1)].into());
    assert_eq!(
        (base.require_group.len(), copy.require_group, copy.exempt_paths.len()),
        (0, vec!["admins".to_owned()], 1)
    );
    let error = open.with(options(r#"{"leeway":1}"#)).expect_err("not an option of requests");
    let all = "header_name, optional, exempt_paths, require_group";
    assert_eq!(error.message(), format!("leeway cannot be changed here: only {all} can"));
    drop(app.verifier);
    assert_eq!(code(open.admit(&request(&token))), Ok(Admission::Passed), "a copy outlives its base");
}

fn a_request_in_two_steps_is_counted_once_and_an_exempt_one_needs_no_keys(way: Way) {
    let app = App::with(way, |options| options.exempt_paths = Some(vec!["/health".to_owned()]));
    let token = app.token();
    let health = Request { path: b"/health", ..request(&token) };
    let mut ticket = Ticket::new();
    assert_eq!(app.verifier.try_admit(&health, Some(&mut ticket)), Ok(Admission::Passed));
    assert_eq!((ticket, app.server.fetches()), (Ticket::new(), 0));
    let needed = app.verifier.try_admit(&request(&token), Some(&mut ticket)).expect_err("no keys yet");
    assert_eq!((needed.code(), needed.status()), (ErrorCode::KeysNeeded, 503));
    app.refresh(false).expect("refresh");
    assert!(matches!(app.verifier.try_admit(&request(&token), Some(&mut ticket)), Ok(Admission::Verified(_))));
    let counts = app.status().counts;
    assert_eq!((counts["passed"], counts["ok"], counts.values().sum::<u64>()), (1, 1, 2), "{counts:?}");
}

fn a_refusal_for_want_of_keys_says_when_to_try_again(way: Way) {
    let app = App::new(way);
    app.server.fault(Fault::InternalServerError);
    let refused = app.admit(&app.verifier, &request(&app.token())).expect_err("no keys");
    let after = refused.headers().into_iter().find(|(name, _)| *name == "Retry-After").expect("a header").1;
    assert_eq!(
        (refused.status(), after.parse::<u64>().ok()),
        (503, refused.retry_after().map(|after| after.as_secs()))
    );
    assert_eq!(refused.body(), r#"{"error":"keys_unavailable"}"#);
}

/// Every line but those that tell the time.
fn metrics_are_open_metrics(way: Way) {
    let app = App::new(way);
    let token = app.token();
    assert_eq!(app.code(&token), None);
    assert_eq!(app.code(""), Some(ErrorCode::TokenMissing));
    let text = app.verifier.metrics();
    let kid = app.status().keys[0].kid.clone().expect("a kid");
    let expected = [
        "pomerium_jwt_verifications_total{code=\"ok\"} 1".to_owned(),
        "pomerium_jwt_verifications_total{code=\"passed\"} 0".to_owned(),
        "pomerium_jwt_verifications_total{code=\"token_missing\"} 1".to_owned(),
        "pomerium_jwt_fetches_total{result=\"failure\"} 0".to_owned(),
        "pomerium_jwt_fetches_total{result=\"success\"} 1".to_owned(),
        "pomerium_jwt_keys_age_seconds 0".to_owned(),
        "pomerium_jwt_keys_state{state=\"fresh\"} 1".to_owned(),
        "pomerium_jwt_keys_state{state=\"old\"} 0".to_owned(),
        format!("pomerium_jwt_key_info{{kid=\"{kid}\"}} 1"),
    ];
    for line in expected {
        assert!(text.lines().any(|written| written == line), "no line {line} in\n{text}");
    }
    let samples = text.lines().filter(|line| line.contains("verifications_total{")).count();
    assert_eq!(samples, ErrorCode::ALL.len() + 2, "every code, also at 0");
    assert!(text.ends_with("\n# EOF\n") && !text.contains("alice"), "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let family = line.split(['{', ' ']).next().unwrap_or_default();
        let family = family.trim_end_matches("_total").trim_end_matches("_info");
        assert!(text.contains(&format!("# TYPE {family} ")), "{line} has no type");
    }
}

/// A counter that goes down is taken for a restart, and counted again.
fn a_fetch_that_is_running_is_not_yet_a_success(way: Way) {
    let app = App::impatient(way);
    let token = app.token();
    assert_eq!(app.code(&token), None);
    app.server.fault(Fault::Hang);
    app.pass(TTL);
    assert_eq!(app.code(&token), None, "aging: the refresh is in the background");
    app.until("the fetch to start", |status| status.fetches == 2);
    let has = |line: &str| app.verifier.metrics().lines().any(|written| written == line);
    assert!(has("pomerium_jwt_fetches_total{result=\"success\"} 1"), "{}", app.verifier.metrics());
    app.until("the fetch to fail", |status| status.fetch_failures == 1);
    assert!(has("pomerium_jwt_fetches_total{result=\"success\"} 1"), "{}", app.verifier.metrics());
}
