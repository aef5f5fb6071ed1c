//! The HTTP suite against its reference application, and what must hold of the suite itself.
#![forbid(unsafe_code)]

use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use pomerium_jwt::{ErrorCode, ErrorKind};
use pomerium_jwt_conformance::http;

#[test]
fn the_reference_application_passes() {
    let reference = http::listed().iter().find(|one| one.name == "reference").expect("it is listed");
    let application = http::Application {
        name: reference.name.to_owned(),
        folder: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        command: vec![env!("CARGO_BIN_EXE_http-reference").to_owned()],
        features: reference.features,
    };
    let report = http::run(&application, "").expect("it runs");
    assert!(report.failures.is_empty(), "{} differences:\n{}", report.failures.len(), report.failures.join("\n"));
    assert_eq!(report.cases + report.not_possible, http::ids().expect("a plan").len());
    println!("{}", report.line());
}

#[test]
fn ids_are_unique_and_starts_few() {
    let ids = http::ids().expect("a plan");
    let unique: HashSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "two cases have the same id");
    assert!(ids.len() >= 100, "{} cases", ids.len());
    let starts = http::start_count().expect("a plan");
    assert!(starts <= 8, "{starts} starts: every application pays for each of them");
}

/// What no single request can get: the keys' codes take time (`timed.rs`), the others are not answers.
#[test]
fn every_code_that_a_request_can_get_occurs() {
    let possible =
        ErrorCode::ALL.iter().copied().filter(|code| matches!(code.kind(), ErrorKind::Token | ErrorKind::Access));
    let possible: BTreeSet<&str> = possible.map(ErrorCode::name).collect();
    let occurring: BTreeSet<&str> = http::codes().expect("a plan").into_iter().collect();
    assert_eq!(occurring, possible);
}

/// The pages that exist quote the commands that the suite runs.
#[test]
fn readmes_quote_the_commands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent");
    for one in http::listed() {
        let page = fs::read_to_string(root.join(one.readme)).expect(one.readme);
        assert!(page.contains(one.command), "{} does not quote: {}", one.readme, one.command);
    }
}

/// The page's own command, with the programs that are built already.
#[test]
fn one_subject_runs_alone() {
    let page = fs::read_to_string("http.md").expect("a page");
    let command = page.lines().find(|line| line.starts_with("cargo run")).expect("it says how to run one application");
    let suite = command.strip_prefix("cargo run -p pomerium-jwt-conformance --bin http -- ").expect("the suite");
    let (of, reference) = suite.split_once(" -- ").expect("a command");
    assert_eq!(reference, http::listed()[0].command);
    let arguments: Vec<&str> = of.split(' ').chain(["--", env!("CARGO_BIN_EXE_http-reference")]).collect();
    let output = suite_program(&arguments);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    let beginning = arguments[1];
    let count = http::ids().expect("a plan").iter().filter(|id| id.starts_with(beginning)).count();
    assert!(count > 0 && printed.starts_with(&format!("http: reference {count} cases, 0 not possible")), "{printed}");
}

#[test]
fn what_is_not_an_application_fails() {
    for command in [&["true"][..], &["false"], &["sh", "-c", "echo http://127.0.0.1:1; sleep 60"], &["no-such-program"]]
    {
        let output = suite_program(&[&["reference", "identity-full", "--"], command].concat());
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {printed}");
        assert!(printed.contains("1 differences") && printed.contains("limits.rs"), "{command:?}: {printed}");
        assert!(!printed.contains("http: reference"), "a count is printed for {command:?}");
    }
    for wrong in [&[][..], &["klingon"], &["reference", "--"]] {
        assert_eq!(suite_program(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

fn suite_program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_http")).args(arguments).output().expect("the suite's program starts")
}
