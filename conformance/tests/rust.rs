//! Runs every case in Rust: the smallest runner, and the pattern for the other languages' ones.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use pomerium_jwt::{Admission, Error, Identity, Options, Request, Ticket, Verifier};
use serde_json::{Value, json};

#[test]
fn every_case_has_its_outcome() {
    let mut failures = Vec::new();
    let mut count = 0;
    for file in ["cases.json", "genuine.json"] {
        let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(file).expect(file)).expect(file);
        count += cases.len();
        failures.extend(cases.iter().filter_map(|case| run(case).err().map(|why| format!("{}: {why}", case["id"]))));
    }
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
    println!("conformance: {count} cases");
    println!("signatures: {}", pomerium_jwt::es256_checked_by());
}

#[test]
fn every_request_has_its_outcome() {
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read("requests.json").expect("a file")).expect("JSON");
    let failures: Vec<String> =
        cases.iter().filter_map(|case| admit(case).err().map(|why| format!("{}: {why}", case["id"]))).collect();
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
    println!("requests: {} cases", cases.len());
}

fn run(case: &Value) -> Result<(), String> {
    let expected = &case["expect"];
    let outcome = match (Verifier::from_json(case["options"].to_string()), token(&case["token"])) {
        (Ok(verifier), Some(token)) => verifier.verify_at(token, case["now"].as_i64().expect("now")),
        (Ok(_), None) => return Err("the options were accepted".to_owned()),
        (Err(error), _) => Err(error),
    };
    match (outcome, expected["code"].as_str()) {
        (Err(error), Some(code)) if error.code().name() == code => holds(&error, &expected["message"]),
        (Ok(identity), None) => same(&identity, expected),
        (outcome, _) => Err(format!("expected {expected}, got {outcome:?}")),
    }
}

fn admit(case: &Value) -> Result<(), String> {
    let verifier = Verifier::from_json(case["options"].to_string());
    let verifier = match case.get("with") {
        Some(options) => verifier.and_then(|base| base.with(Options::from_json(options.to_string())?)),
        None => verifier,
    };
    let expected = &case["expect"];
    let facts = match (verifier, case.get("request")) {
        (Err(error), None) if expected["code"] == error.code().name() => return holds(&error, &expected["message"]),
        (Ok(verifier), Some(facts)) => (verifier, facts),
        (outcome, _) => return Err(format!("expected {expected}, got {outcome:?}")),
    };
    let (verifier, facts) = facts;
    let request = Request {
        token: &token(&facts["token"]).expect("a token").into_bytes(),
        path: facts["path"].as_str().expect("a path").as_bytes(),
        upgrade: facts["upgrade"] == true,
        marked_public: facts["marked_public"] == true,
    };
    // waiting or not, the answer is the same: the sources are static
    let outcome = verifier.admit(&request);
    if verifier.try_admit(&request, Some(&mut Ticket::new())) != outcome {
        return Err("try_admit differs from admit".to_owned());
    }
    let outcome = outcome.and_then(|admission| match case.get("demand") {
        Some(demand) if demand["user"] == true => admission.require_user().map(|_| admission.clone()),
        Some(demand) => {
            let groups: Vec<&str> =
                demand["groups"].as_array().expect("groups").iter().filter_map(Value::as_str).collect();
            admission.require_group(&groups).map(|_| admission.clone())
        }
        None => Ok(admission),
    });
    let got = match &outcome {
        Ok(Admission::Verified(identity)) => json!({"identity": identity}),
        Ok(Admission::Passed) => json!({"passed": true}),
        Err(error) => json!({
            "code": error.code().name(),
            "status": error.status(),
            "headers": error.headers().into_iter().collect::<BTreeMap<_, _>>(),
            "body": error.body(),
        }),
    };
    if got == *expected { Ok(()) } else { Err(format!("expected {expected}, got {got}")) }
}

/// The token of a case: a string, or a list of parts and `[part, repetitions]`; none for a case about construction.
fn token(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().map(part).collect()),
        _ => None,
    }
}

fn part(value: &Value) -> String {
    let repetitions = value[1].as_u64().and_then(|n| usize::try_from(n).ok());
    value
        .as_str()
        .map(str::to_owned)
        .unwrap_or_else(|| value[0].as_str().expect("part").repeat(repetitions.expect("repetitions")))
}

fn holds(error: &Error, part: &Value) -> Result<(), String> {
    match part.as_str() {
        Some(part) if !error.message().contains(part) => Err(format!("{error} does not say {part:?}")),
        _ => Ok(()),
    }
}

fn same(identity: &Identity, expected: &Value) -> Result<(), String> {
    let got = serde_json::json!({
        "identity": identity,
        "claims": serde_json::from_str::<Value>(identity.claims.text()).map_err(|error| error.to_string())?,
    });
    if got == *expected { Ok(()) } else { Err(format!("expected {expected}, got {got}")) }
}
