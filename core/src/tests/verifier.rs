//! What the shared suite cannot hold: trust on first use, files that change, options set in code, threads.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::{Duration, UNIX_EPOCH},
};

use pomerium_jwt_issuer::{Assertion, SigningKey, key_set};

use crate::{
    Error, ErrorCode, Facts, Options, Ticket, Verifier,
    clock::{Clock, Now, SECOND},
    keys::Sender,
};

const NOW: i64 = 1_800_000_000;
const HOST: &str = "app.example.com";

struct FixedClock(AtomicI64);

impl FixedClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(0)))
    }

    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Now {
        let seconds = self.0.load(Ordering::SeqCst);
        Now { monotonic: seconds * SECOND, unix: NOW + seconds }
    }
}

fn key(scalar: u8) -> SigningKey {
    SigningKey::from_scalar(&[scalar; 32]).expect("a scalar below n")
}

fn alice(host: &str) -> Assertion {
    Assertion::new(host, NOW).user("alice", "alice@example.com", "Alice")
}

fn verifier(clock: &Arc<FixedClock>, change: impl FnOnce(&mut Options)) -> Verifier {
    let mut options = Options { jwks: Some(key_set([&key(1)]).into()), ..Options::default() };
    change(&mut options);
    Verifier::build(options, Sender::Library, clock.clone()).expect("options")
}

fn code(verifier: &Verifier, token: &str) -> Option<ErrorCode> {
    verifier.verify(token).err().map(|error| error.code())
}

#[test]
fn trust_on_first_use_pins_what_the_first_verified_user_had() {
    let trusting = verifier(&FixedClock::new(), |options| {
        options.trust_on_first_use = Some(true);
        options.allow_anonymous = Some(true);
    });
    let mint = |assertion: Assertion| assertion.mint(&key(1));
    let token = |host: &str| mint(alice(host));
    let pinned = || serde_json::to_value(trusting.status().pinned).expect("status");

    // none of these may decide for the others
    let two = alice(HOST).claim("aud", serde_json::json!(["one", "two"]));
    let refused_or_silent = [
        (alice("other.example.com").mint(&key(2)), Some(ErrorCode::KeyNotFound)),
        (mint(alice("").issuer(HOST)), Some(ErrorCode::AudienceMismatch)),
        (mint(alice("").audience(HOST)), Some(ErrorCode::IssuerMismatch)),
        (mint(alice(HOST).claim("aud", serde_json::json!([""]))), Some(ErrorCode::AudienceMismatch)),
        (mint(alice(HOST).expires_at(NOW - 100)), Some(ErrorCode::TokenExpired)),
        (mint(Assertion::new("public.example.com", NOW)), None), // anonymous
    ];
    for (token, expected) in &refused_or_silent {
        assert_eq!(code(&trusting, token), *expected);
    }
    assert!(trusting.verify_at(token("any.example.com"), NOW).is_ok(), "verify_at passes over what is not pinned");
    assert!(pinned().is_null());

    assert_eq!(code(&trusting, &mint(two.clone())), None);
    assert_eq!(pinned(), serde_json::json!({"issuer": HOST, "audience": ["one", "two"]}));
    let after = [
        (mint(two.clone()), None),
        (mint(alice(HOST).audience("two")), None),
        (mint(alice(HOST).audience("three")), Some(ErrorCode::AudienceMismatch)),
        (mint(two.clone().issuer("other")), Some(ErrorCode::IssuerMismatch)),
        (mint(two.issuer(&format!("https://{HOST}/"))), Some(ErrorCode::IssuerMismatch)), // pinned byte for byte
        (mint(Assertion::new("public.example.com", NOW)), Some(ErrorCode::IssuerMismatch)),
    ];
    for (token, expected) in &after {
        assert_eq!(code(&trusting, token), *expected);
        assert_eq!(trusting.verify_at(token, NOW).err().map(|error| error.code()), *expected, "verify_at obeys a pin");
    }
}

#[test]
fn trust_on_first_use_pins_only_what_is_not_configured() {
    let trusting = verifier(&FixedClock::new(), |options| {
        options.trust_on_first_use = Some(true);
        options.audience = Some(vec!["*.example.com".to_owned()]);
    });
    let mut ticket = Ticket::new();
    let token = alice(HOST).mint(&key(1));
    assert!(trusting.try_verify(&token, Some(&mut ticket)).is_ok(), "try_verify pins too");
    let pinned = trusting.status().pinned.expect("pinned");
    assert_eq!((pinned.issuer.as_deref(), pinned.audience), (Some(HOST), None));
    assert_eq!(code(&trusting, &alice(HOST).audience("other.example.com").mint(&key(1))), None);
}

#[test]
fn of_many_first_tokens_one_decides() {
    for _ in 0..20 {
        let trusting = verifier(&FixedClock::new(), |options| options.trust_on_first_use = Some(true));
        let accepted: Vec<String> = thread::scope(|scope| {
            let trusting = &trusting;
            let one = |n: usize| {
                scope.spawn(move || {
                    let host = format!("app{n}.example.com");
                    code(trusting, &alice(&host).mint(&key(1))).is_none().then_some(host)
                })
            };
            let threads: Vec<_> = (0..8).map(one).collect();
            threads.into_iter().filter_map(|thread| thread.join().expect("no panic")).collect()
        });
        let pinned = trusting.status().pinned.and_then(|pinned| pinned.issuer);
        assert_eq!(accepted, Vec::from_iter(pinned), "exactly one host is let in, the pinned one");
    }
}

#[test]
fn a_key_file_is_picked_up_when_it_changes_and_a_bad_one_keeps_the_last_good_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jwks.json");
    let clock = FixedClock::new();
    fs::write(&path, key_set([&key(1)])).expect("write");
    let verifier = verifier(&clock, |options| {
        options.jwks = None;
        options.jwks_file = Some(path.clone());
        options.route = Some(vec![format!("https://{HOST}")]);
    });
    let accepts = |scalar: u8| code(&verifier, &alice(HOST).mint(&key(scalar))).is_none();
    let last_error = || verifier.status().last_error.map(|error| error.message).unwrap_or_default();
    assert!(accepts(1) && !accepts(2));

    fs::write(&path, key_set([&key(1), &key(2)])).expect("write");
    assert!(!accepts(2), "at most one look a second");
    clock.pass(1);
    assert!(accepts(1) && accepts(2));

    let read_at = || verifier.status().last_success.expect("a set");
    let before = read_at();
    clock.pass(7);
    assert!(accepts(1) && read_at() == before, "it has not changed");
    verifier.refresh(true).expect("a file");
    assert_eq!(read_at(), before + 7, "read again although it has not changed");

    for bad in ["", "{}", "{\"keys\":1}", "[]", "{\"keys\":[],\"keys\":[]}"] {
        fs::write(&path, bad).expect("write");
        clock.pass(1);
        assert!(accepts(1) && accepts(2), "{bad:?} must not replace a good set");
        assert!(last_error().contains("jwks_file"), "{bad:?}: {:?}", last_error());
    }
    fs::remove_file(&path).expect("remove");
    clock.pass(1);
    assert!(accepts(1), "a file that is gone keeps the last good set");

    swap_link(&path, &folder.path().join("new.json"), &key_set([&key(3)]));
    clock.pass(1);
    assert!(accepts(3) && !accepts(1), "Kubernetes swaps links");
    assert_eq!(last_error(), "");

    fs::write(folder.path().join("new.json"), key_set([])).expect("write");
    assert!(accepts(3));
    verifier.refresh(false).expect("a static source");
    assert_eq!(code(&verifier, &alice(HOST).mint(&key(3))), Some(ErrorCode::KeysEmpty), "refresh reads at once");
}

#[cfg(unix)]
fn swap_link(link: &Path, target: &Path, text: &str) {
    fs::write(target, text).expect("write");
    std::os::unix::fs::symlink(target, link).expect("link");
}

#[cfg(not(unix))]
fn swap_link(link: &Path, target: &Path, text: &str) {
    fs::write(target, text).expect("write");
    fs::copy(target, link).expect("copy");
}

#[test]
fn files_that_cannot_be_keys_are_refused_at_construction() {
    let folder = tempfile::tempdir().expect("a folder");
    let large = folder.path().join("large");
    fs::write(&large, vec![b' '; 256 * 1024 + 1]).expect("write");
    for (path, why) in [
        (folder.path().join("missing"), "No such file"),
        (folder.path().to_owned(), "not a regular file"),
        (large, "more than 262144 bytes"),
    ] {
        for name in ["jwks_file", "public_key_file"] {
            let options = serde_json::json!({"route": "https://a.example", name: path});
            let error = Verifier::from_json(options.to_string()).expect_err(name);
            assert_eq!(error.code(), ErrorCode::InvalidOptions);
            assert!(error.message().contains(why) && error.message().contains(name), "{error}");
        }
    }
}

#[test]
fn sets_of_ten_thousand_keys_and_objects_of_a_hundred_thousand_names_are_refused_quickly() {
    let jwk = key(1).jwk();
    let many = format!("{{\"keys\":[{}]}}", vec![jwk.as_str(); 10_000].join(","));
    let names: Vec<String> = (0..100_000).map(|n| format!("\"{n}\":0")).collect();
    for set in [many, format!("{{\"keys\":[{{{}}}]}}", names.join(","))] {
        let mut options = Options::for_route("https://a.example");
        options.jwks = Some(set.into());
        assert_eq!(Verifier::new(options).expect_err("too large").code(), ErrorCode::InvalidOptions);
    }
    let sixty_five = format!("{{\"keys\":[{}]}}", vec![jwk.as_str(); 65].join(","));
    let mut options = Options::for_route("https://a.example");
    options.jwks = Some(sixty_five.into());
    assert!(Verifier::new(options).expect_err("65 keys").message().contains("65 keys; at most 64 are accepted"));
}

#[test]
fn values_set_in_code_are_checked_as_those_in_json() {
    type Change = fn(&mut Options);
    let table: [(Change, &str); 5] = [
        (
            |options| options.leeway = Some(Duration::from_millis(1500)),
            "leeway takes whole seconds from 0 to 3600, not 1.5s",
        ),
        (
            |options| options.leeway = Some(Duration::from_secs(3601)),
            "leeway takes whole seconds from 0 to 3600, not 3601",
        ),
        (|options| options.route = Some(Vec::new()), "route takes a string or a list of 1 to 64 strings"),
        (|options| options.max_token_bytes = Some(1023), "max_token_bytes takes a whole number from 1024 to 1048576"),
        (|options| options.jwks = Some("no JSON".into()), "jwks: the key set is not strict JSON"),
    ];
    for (change, message) in table {
        let mut options = Options::for_route("https://a.example");
        change(&mut options);
        let error = Verifier::new(options).expect_err(message);
        assert!(error.message().starts_with(message), "{error}");
    }
}

#[test]
fn the_environment_holds_options_and_hints() {
    let read = |variables: &[(&str, &str)]| {
        Options::from_variables(variables.iter().map(|(name, value)| (name.into(), value.into())))
    };
    let options = read(&[
        ("POMERIUM_JWT_ROUTE", "https://a.example, https://b.example"),
        ("POMERIUM_JWT_LEEWAY", "30"),
        ("POMERIUM_JWT_ALLOW_ANONYMOUS", "1"),
        ("POMERIUM_JWT_EXPECT_CLAIMS", r#"{"hd":"example.com"}"#),
        ("POMERIUM_JWT_AUDIENCE", ""),              // unset
        ("POMERIUM_JWT_PORT", "tcp://10.0.0.1:80"), // Kubernetes
        ("POMERIUM_JWT_LIBRARY", "libpomerium_jwt.so"),
        ("HOME", "/"),
    ])
    .expect("options");
    let expected = r#"{"allow_anonymous":true,"expect_claims":{"hd":["example.com"]},"leeway":30,"route":["https://a.example","https://b.example"]}"#;
    assert_eq!(options.to_json(), expected);
    assert_eq!(Options::from_json(expected).expect("its own text"), options);
    for (variable, value, message) in [
        (
            "POMERIUM_JWT_JWKS_ENDPOINT",
            "x",
            "the environment variable \"POMERIUM_JWT_JWKS_ENDPOINT\" is unknown: write jwks_url",
        ),
        (
            "POMERIUM_JWT_LEEWAY",
            "1.5",
            "POMERIUM_JWT_LEEWAY: takes whole seconds from 0 to 3600, written in digits alone",
        ),
        (
            "POMERIUM_JWT_LEEWAY",
            "30s",
            "POMERIUM_JWT_LEEWAY: takes whole seconds from 0 to 3600, written in digits alone",
        ),
        ("POMERIUM_JWT_LEEWAY", "a minute", "POMERIUM_JWT_LEEWAY: takes whole seconds from 0 to 3600"),
        ("POMERIUM_JWT_LEEWAY", "3601", "POMERIUM_JWT_LEEWAY: takes whole seconds from 0 to 3600, not 3601"),
        ("POMERIUM_JWT_ALLOW_HTTP", "yes", "POMERIUM_JWT_ALLOW_HTTP: takes true, false, 1 or 0"),
        ("POMERIUM_JWT_JWKS", "[]", "POMERIUM_JWT_JWKS: takes a JWK Set"),
    ] {
        let error = read(&[(variable, value)]).expect_err(variable);
        assert!(error.message().starts_with(message), "{error}");
    }
}

#[test]
fn a_clock_before_1970_lets_nobody_in() {
    let clock = FixedClock::new();
    let verifier = verifier(&clock, |options| options.route = Some(vec![format!("https://{HOST}")]));
    clock.pass(-NOW - 1);
    assert_eq!(code(&verifier, &alice(HOST).mint(&key(1))), Some(ErrorCode::Internal));
}

#[test]
fn sixteen_threads_share_one_verifier() {
    let verifier = verifier(&FixedClock::new(), |options| options.route = Some(vec![format!("https://{HOST}")]));
    thread::scope(|scope| {
        for n in 0..16 {
            let verifier = &verifier;
            scope.spawn(move || {
                for m in 0..50 {
                    let token = alice(HOST).token_id(&format!("{n}-{m}")).mint(&key(1));
                    assert_eq!(verifier.verify(&token).expect("good").token_id, Some(format!("{n}-{m}")));
                    assert_eq!(code(verifier, &token[..token.len() - 6]), Some(ErrorCode::SignatureInvalid));
                }
            });
        }
    });
    let mut counts = verifier.status().counts;
    assert_eq!(counts.len(), ErrorCode::ALL.len() + 2, "every code is listed, also at 0");
    counts.retain(|_, count| *count > 0);
    assert_eq!(counts, [("ok", 800), ("signature_invalid", 800)].into());
}

#[test]
fn debug_shows_what_is_checked_and_no_keys() {
    let verifier = verifier(&FixedClock::new(), |options| options.route = Some(vec![format!("https://{HOST}")]));
    let shown = format!("{verifier:?}");
    assert!(shown.contains(HOST) && !shown.contains(&key(1).thumbprint()), "{shown}");
}

#[test]
fn an_error_about_claims_has_its_facts_and_shows_them_to_code_alone() {
    let verifier = verifier(&FixedClock::new(), |options| {
        options.route = Some(vec![format!("https://{HOST}")]);
        options.require_group = Some(vec!["admins".to_owned(), "staff".to_owned()]);
        options.expect_claims = Some([("team".to_owned(), vec!["red".to_owned()])].into());
    });
    let refused = |assertion: Assertion| verifier.verify(assertion.mint(&key(1))).expect_err("refused");
    let user = || alice(HOST).claim("team", "red");

    let expired = refused(user().issued_at(NOW - 400).expires_at(NOW - 100));
    assert_eq!(expired.facts(), Some(&Facts::Time { claim: "exp", value: NOW - 100, now: NOW }));
    let expired_at = expired.expired_at().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    assert_eq!(expired_at.map(|since| since.as_secs()), u64::try_from(NOW - 100).ok());
    let early = refused(user().claim("nbf", NOW + 100));
    assert_eq!(early.facts(), Some(&Facts::Time { claim: "nbf", value: NOW + 100, now: NOW }));
    assert_eq!(early.expired_at(), None);

    let mismatch = |claim: &str, actual: &[&str], expected: &[&str]| {
        let owned = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        Facts::Mismatch { claim: claim.to_owned(), actual: owned(actual), expected: owned(expected) }
    };
    let table = [
        (user().claim("iss", "other"), mismatch("iss", &["other"], &[HOST])),
        (user().claim("aud", serde_json::json!(["x", "y"])), mismatch("aud", &["x", "y"], &[HOST])),
        (user().claim("team", serde_json::json!(["blue", 1])), mismatch("team", &["blue"], &["red"])),
        (user().claim("team", 1), mismatch("team", &[], &["red"])),
        (user().claim("groups", serde_json::json!(["guests"])), mismatch("groups", &["guests"], &["admins", "staff"])),
    ];
    for (assertion, facts) in table {
        let error = refused(assertion);
        assert_eq!(error.facts(), Some(&facts), "{error}");
    }
    assert_eq!(verifier.verify("").expect_err("no token").facts(), None);
    let guest = refused(user().claim("groups", serde_json::json!(["secret"])));
    assert!(!format!("{guest:?} {guest}").contains("secret"), "{guest:?}");
}

#[test]
fn an_error_has_the_cause_that_it_comes_from() {
    let source = |error: &Error| std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let options = Options::from_json("{").expect_err("no JSON");
    assert!(options.message().contains(&source(&options)) && source(&options).contains("EOF"), "{options}");
    let verifier = verifier(&FixedClock::new(), |options| options.route = Some(vec![format!("https://{HOST}")]));
    let identity = verifier.verify(alice(HOST).mint(&key(1))).expect("verified");
    let claim = identity.claims.get::<u8>("sub").expect_err("no number");
    assert!(claim.message().contains(&source(&claim)) && !source(&claim).is_empty(), "{claim}");
    let unusable = [
        ("jwks_file", "/there/is/none"),
        ("public_key", "-----BEGIN PUBLIC KEY-----\nA\n-----END PUBLIC KEY-----\n"),
        ("public_key_file", "/there/is/none"),
        ("ca_file", "/there/is/none"),
        ("ca_pem", "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"),
    ];
    for (option, text) in unusable {
        let options = serde_json::json!({"route": "https://app.example.com", option: text}).to_string();
        let error = Verifier::from_json(options).expect_err(option);
        assert!(error.message().contains(&source(&error)) && !source(&error).is_empty(), "{option}: {error}");
    }
    assert_eq!(source(&verifier.verify("x").expect_err("no token")), "");
}
