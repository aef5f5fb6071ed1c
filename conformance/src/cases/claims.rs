//! The types of the registered claims, who is signed in, and the claims that are demanded.

use serde_json::{Value, json};

use crate::case::{Case, case};

pub(crate) fn cases() -> Vec<Case> {
    [types(), subject(), expected()].concat()
}

/// A wrong type is `claims_malformed`, before any value is judged.
fn types() -> Vec<Case> {
    let wrong = |name: &'static str, id: &str, value: Value| {
        case(format!("type-{name}-{id}"), format!("{name} is of the wrong type"))
            .claim(name, value)
            .refused_saying("claims_malformed", name)
    };
    let mut cases = Vec::new();
    for name in ["iss", "sub"] {
        cases.extend([
            wrong(name, "null", json!(null)),
            wrong(name, "number", json!(1)),
            wrong(name, "list", json!(["app.example.com"])),
            wrong(name, "object", json!({"app.example.com": true})),
        ]);
    }
    cases.extend([
        wrong("aud", "null", json!(null)),
        wrong("aud", "number", json!(1)),
        wrong("aud", "boolean", json!(true)),
        wrong("aud", "object", json!({"app.example.com": true})),
        wrong("aud", "nested", json!([["app.example.com"]])),
        wrong("aud", "mixed-number", json!(["app.example.com", 1])),
        wrong("aud", "mixed-null", json!(["app.example.com", null])),
        wrong("groups", "string", json!("staff")),
        wrong("groups", "object", json!({"staff": true})),
        wrong("groups", "number", json!(1)),
        wrong("groups", "false", json!(false)),
    ]);
    for name in ["user", "email", "name", "sid", "jti"] {
        cases.extend([wrong(name, "number", json!(1)), wrong(name, "list", json!(["x"]))]);
    }
    cases.extend([wrong("email", "object", json!({})), wrong("email", "boolean", json!(false))]);
    cases
}

/// A signed token does not mean a signed-in user: public routes are signed too.
fn subject() -> Vec<Case> {
    let anonymous = json!({"subject": "", "groups": [], "anonymous": true});
    let allowed = |id: &str, note: &str| case(format!("subject-{id}"), note).option("allow_anonymous", true);
    vec![
        case("subject-empty", "nobody is signed in")
            .claim("sub", "")
            .refused_saying("subject_missing", "allow_anonymous"),
        case("subject-missing", "a missing sub counts as empty").without("sub").refused("subject_missing"),
        case("subject-refused-by-option", "allow_anonymous is false")
            .option("allow_anonymous", false)
            .claim("sub", "")
            .refused("subject_missing"),
        allowed("empty-allowed", "nobody, who is in no group").claim("sub", "").accepted_as(anonymous.clone()),
        allowed("missing-allowed", "the same if sub is missing").without("sub").accepted_as(anonymous),
        allowed("anonymous", "everything empty, as Pomerium writes it")
            .claim("sub", "")
            .claim("user", "")
            .claim("email", "")
            .claim("name", "")
            .claim("sid", "")
            .claim("groups", json!([]))
            .accepted_as(json!({"subject": "", "anonymous": true, "user": null, "email": null, "name": null,
                "session_id": null, "groups": []})),
        allowed("signed-in", "who is signed in stays so").accepted(),
        case("subject-space", "a space is a name").claim("sub", " ").accepted_as(json!({"subject": " "})),
        case("subject-differs-from-user", "sub decides, user is handed out")
            .claim("user", "bob")
            .accepted_as(json!({"user": "bob"})),
    ]
}

/// `expect_claims`: equal to one of the strings or, if the claim is a list, containing one.
fn expected() -> Vec<Case> {
    let demanding =
        |id: &str, note: &str, expected: Value| case(format!("expect-{id}"), note).option("expect_claims", expected);
    let refused = |id: &str, note: &str, claim: Value| {
        demanding(id, note, json!({"department": "R&D"})).claim("department", claim).refused("claim_mismatch")
    };
    let names = |count: usize| -> Value { (0..count).map(|n| (format!("c{n}"), json!("x"))).collect() };
    let values =
        |count: usize| -> Value { json!({"department": (0..count).map(|n| n.to_string()).collect::<Vec<_>>()}) };
    let with_names = |id: &str, note: &str, count: usize| {
        (0..count).fold(demanding(id, note, names(count)), |draft, n| draft.claim(&format!("c{n}"), "x"))
    };
    let department = |id, note, expected| demanding(id, note, expected).claim("department", "R&D");
    vec![
        department("string", "a string", json!({"department": "R&D"})).accepted(),
        department("one-of", "one of a list", json!({"department": ["Sales", "R&D"]})).accepted(),
        department("none-of", "none of a list", json!({"department": ["Sales", "IT"]})).refused("claim_mismatch"),
        department("case", "in another case", json!({"department": "r&d"})).refused("claim_mismatch"),
        department("prefix", "a prefix", json!({"department": "R&"})).refused("claim_mismatch"),
        department("second", "every name of several", json!({"department": "R&D", "email": "alice@example.com"}))
            .accepted(),
        department("second-fails", "one name of several", json!({"department": "R&D", "email": "bob@example.com"}))
            .refused_saying("claim_mismatch", "email"),
        department("nothing", "no name at all", json!({})).accepted(),
        demanding("missing", "the claim is missing", json!({"department": "R&D"}))
            .refused_saying("claim_mismatch", "department"),
        demanding("list", "the claim is a list that contains it", json!({"groups": ["admins", "staff"]})).accepted(),
        demanding("list-without", "a list that does not", json!({"groups": "admins"})).refused("claim_mismatch"),
        demanding("list-empty", "an empty list", json!({"groups": "staff"}))
            .claim("groups", json!([]))
            .refused("claim_mismatch"),
        demanding("list-mixed", "a list with other things besides", json!({"teams": "1"}))
            .claim("teams", json!([1, null, "1"]))
            .accepted(),
        refused("number", "a number is not a string", json!(1)),
        refused("list-nested", "a list in a list is not looked into", json!([["R&D"]])),
        refused("object", "an object is not looked into", json!({"R&D": "R&D"})),
        refused("null", "null is nothing", json!(null)),
        refused(
            "comma-joined",
            "Pomerium joins custom lists with commas: that text is compared as a whole",
            json!("IT,R&D"),
        ),
        demanding("boolean", "a boolean is not a string", json!({"email_verified": "true"}))
            .claim("email_verified", true)
            .refused("claim_mismatch"),
        demanding("number-text", "nor is a number", json!({"level": "1"})).claim("level", 1).refused("claim_mismatch"),
        demanding("empty", "an empty text is a value", json!({"department": ""})).claim("department", "").accepted(),
        demanding("empty-missing", "which a missing claim has not", json!({"department": ""}))
            .refused("claim_mismatch"),
        demanding("dotted", "nested claims arrive under dotted names", json!({"idp.department": "R&D"}))
            .claim("idp.department", "R&D")
            .accepted(),
        demanding("dotted-nested", "which are not paths", json!({"idp.department": "R&D"}))
            .claim("idp", json!({"department": "R&D"}))
            .refused("claim_mismatch"),
        demanding("subject", "registered claims can be demanded too", json!({"sub": "alice"})).accepted(),
        demanding("aud", "of an aud that is one string", json!({"aud": "app.example.com"})).accepted(),
        with_names("32-names", "as many names as there may be", 32).accepted(),
        with_names("33-names", "one more", 33).invalid("at most 32"),
        demanding("64-values", "as many values as there may be", values(64)).claim("department", "63").accepted(),
        demanding("65-values", "one more", values(65)).invalid("1 to 64"),
        demanding("0-values", "no value could ever hold", json!({"department": []})).invalid("1 to 64"),
        demanding("value-number", "values are strings", json!({"department": 1})).invalid("expect_claims"),
        demanding("value-null", "values are strings", json!({"department": null})).invalid("expect_claims"),
        demanding("value-list-number", "values are strings", json!({"department": ["R&D", 1]}))
            .invalid("expect_claims"),
        demanding("option-list", "an object is wanted", json!(["department"])).invalid("expect_claims"),
        demanding("option-string", "an object is wanted", json!("department=R&D")).invalid("expect_claims"),
    ]
}
