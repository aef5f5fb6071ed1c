//! The written files are current and complete.
#![forbid(unsafe_code)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::LazyLock,
};

use pomerium_jwt::{ErrorCode, OPTIONS};
use pomerium_jwt_conformance::{Case, Expect, RequestCase, outputs};

static CASES: LazyLock<Vec<Case>> = LazyLock::new(pomerium_jwt_conformance::cases);

/// What no case can reach, and why.
const OUT_OF_REACH: [(ErrorCode, &str); 2] = [
    (ErrorCode::KeysNeeded, "only try_verify answers it, and a runner calls verify_at"),
    (ErrorCode::Internal, "a fault of the library: a case that reached it would be a bug to fix"),
];

#[test]
fn the_files_are_what_the_program_writes() {
    let outputs: BTreeMap<String, Vec<u8>> = outputs().into_iter().collect();
    for (name, content) in &outputs {
        let found = fs::read(name).unwrap_or_default();
        assert!(
            found == *content,
            "conformance/{name} is not current: run `make conformance` and commit what it writes"
        );
    }
    for entry in fs::read_dir("files").expect("files/") {
        let name = format!("files/{}", entry.expect("an entry").file_name().to_string_lossy());
        assert!(outputs.contains_key(&name), "nothing writes conformance/{name}: remove it, or add it to fixtures.rs");
    }
}

#[test]
fn every_code_within_reach_is_reached() {
    let reached: BTreeSet<&str> = CASES.iter().filter_map(code).collect();
    let requests = pomerium_jwt_conformance::requests();
    let refused = requests.iter().map(RequestCase::outcome).filter(|outcome| !["passed", "identity"].contains(outcome));
    let refused: BTreeSet<&str> = refused.collect();
    for code in ErrorCode::ALL {
        let out_of_reach = [ErrorCode::KeysNeeded, ErrorCode::KeysUnavailable, ErrorCode::Internal].contains(code);
        assert_ne!(refused.contains(code.name()), out_of_reach, "{code}: see conformance/src/requests/refusals.rs");
    }
    for code in ErrorCode::ALL {
        let excused = OUT_OF_REACH.iter().find(|(excused, _)| excused == code);
        match excused {
            Some((_, why)) => assert!(!reached.contains(code.name()), "{code} is reached, yet excused: {why}"),
            None => {
                assert!(reached.contains(code.name()), "no case reaches {code}: write one in conformance/src/cases/")
            }
        }
    }
    for code in reached {
        assert!(ErrorCode::ALL.iter().any(|known| known.name() == code), "{code} is not a code of the core");
    }
}

#[test]
fn every_option_is_accepted_in_a_case_and_refused_in_another() {
    for option in OPTIONS {
        let using: Vec<&Case> = CASES.iter().filter(|case| case.options.get(option.name).is_some()).collect();
        for (accepting, what) in [(true, "accepts"), (false, "refuses")] {
            let found = using.iter().any(|case| (code(case) != Some("invalid_options")) == accepting);
            assert!(found, "no case {what} the option {}: write one in conformance/src/cases/options.rs", option.name);
        }
    }
}

#[test]
fn ids_are_unique_and_in_kebab_case() {
    let mut seen = BTreeSet::new();
    let requests = pomerium_jwt_conformance::requests();
    let requests = requests.iter().map(|case| (&case.id, &case.note));
    for (id, note) in CASES.iter().map(|case| (&case.id, &case.note)).chain(requests) {
        let kebab = id
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        assert!(kebab, "{id}: an id is words of a-z and 0-9 joined by hyphens");
        assert!(!note.is_empty(), "{id}: a note says what the case is about");
        assert!(seen.insert(id.clone()), "{id}: two cases have this id");
    }
    for number in 1..=39 {
        assert!(seen.contains(&format!("names-{number:02}")), "the example names-{number:02} is gone");
    }
}

#[test]
fn a_case_without_a_token_is_about_construction_and_no_other() {
    for case in CASES.iter() {
        let construction = code(case) == Some("invalid_options");
        assert_eq!(case.token.is_none(), construction, "{}: `token` is there if the options are accepted", case.id);
    }
}

#[test]
fn the_file_stays_small() {
    let cases: usize = CASES.iter().map(|case| case.to_json().len() + 2).sum();
    assert!(
        cases < 1_500_000,
        "cases.json has {cases} bytes: shorten the longest cases, every language reads them all"
    );
}

fn code(case: &Case) -> Option<&'static str> {
    match case.expect {
        Expect::Refused { code, .. } => Some(code),
        Expect::Accepted { .. } => None,
    }
}
