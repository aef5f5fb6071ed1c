//! What becomes of good tokens: old Pomerium versions are normalised, not refused.

use serde_json::{Value, json};

use crate::{
    case::{Case, Draft, case},
    fixtures::{EXP, HOST, IAT, KEY, NOW},
};

pub(crate) fn cases() -> Vec<Case> {
    [optional(), groups(), texts(), versions()].concat()
}

fn plain(id: &str, note: &str) -> Draft {
    case(format!("identity-{id}"), note)
}

/// Claims that are missing, null or empty are null in the identity.
fn optional() -> Vec<Case> {
    let claims = [("user", "user"), ("email", "email"), ("name", "name"), ("session_id", "sid"), ("token_id", "jti")];
    let all = json!({"user": null, "email": null, "name": null, "session_id": null, "token_id": null});
    let each = |change: fn(Draft, &str) -> Draft, draft: Draft| {
        claims.iter().fold(draft, |draft, (_, claim)| change(draft, claim))
    };
    let mut cases = vec![
        plain("typical", "as Pomerium writes today").accepted(),
        each(Draft::without, plain("optional-missing", "all optional claims are missing")).accepted_as(all.clone()),
        each(|draft, claim| draft.claim(claim, ""), plain("optional-empty", "all are empty")).accepted_as(all.clone()),
        each(|draft, claim| draft.claim(claim, json!(null)), plain("optional-null", "all are null")).accepted_as(all),
        plain("minimal", "nothing but what is required")
            .payload(format!(r#"{{"aud":"{HOST}","exp":{EXP},"iss":"{HOST}","sub":"alice"}}"#))
            .accepted_as(json!({"user": null, "email": null, "name": null, "groups": [], "session_id": null,
                "token_id": null, "issued_at": null})),
    ];
    for (member, claim) in claims {
        cases.push(
            plain(&format!("only-{claim}-empty"), "one is empty, the others stand")
                .claim(claim, "")
                .accepted_as(json!({member: null})),
        );
    }
    cases
}

/// A list of strings, always. An entry of another kind is its own compact JSON text.
fn groups() -> Vec<Case> {
    let with = |id: &str, note: &str, groups: Value, expected: Value| {
        plain(&format!("groups-{id}"), note).claim("groups", groups).accepted_as(json!({"groups": expected}))
    };
    let written = |id: &str, note: &str, groups: &str, expected: Value| {
        let payload = format!(
            r#"{{"aud":"{HOST}","email":"alice@example.com","exp":{EXP},{groups},"iat":{IAT},"iss":"{HOST}","jti":"j1","name":"Alice","sid":"s1","sub":"alice","user":"alice"}}"#
        );
        plain(&format!("groups-{id}"), note).payload(payload).accepted_as(json!({"groups": expected}))
    };
    vec![
        with("null", "null: Pomerium 0.13, 0.14 and 0.28.0", json!(null), json!([])),
        with("empty", "none", json!([]), json!([])),
        plain("groups-missing", "missing").without("groups").accepted_as(json!({"groups": []})),
        with("order", "in the order written, each as often as written", json!(["b", "a", "b"]), json!(["b", "a", "b"])),
        with("empty-entry", "an empty entry is an entry", json!(["", "a"]), json!(["", "a"])),
        with("comma", "an entry may hold a comma", json!(["a,b"]), json!(["a,b"])),
        with("unicode", "any letters", json!(["Größe 😀", "a\u{0}b"]), json!(["Größe 😀", "a\u{0}b"])),
        written(
            "mixed",
            "Pomerium to 0.27: what the identity provider sent",
            r#""groups": [1, "a", true, false, null, 2.5, [], {}]"#,
            json!(["1", "a", "true", "false", "null", "2.5", "[]", "{}"]),
        ),
        written(
            "numbers",
            "numbers as written",
            r#""groups":[1.50,1e2,1E+2,-0,0.10,12345678901234567890123,1e-7]"#,
            json!(["1.50", "1e2", "1E+2", "-0", "0.10", "12345678901234567890123", "1e-7"]),
        ),
        written(
            "objects",
            "members in the order written, white space left out",
            r#""groups":[{ "name" : "x y" , "id" : [ 1 , 2 ] }, [ "a" , [ ] ]]"#,
            json!([r#"{"name":"x y","id":[1,2]}"#, r#"["a",[]]"#]),
        ),
        written(
            "object-strings",
            "strings inside stay as written, escapes too",
            r#""groups":[{"a":"x \" { , : y\\", "b":"\u00e9\/" }]"#,
            json!([r#"{"a":"x \" { , : y\\","b":"\u00e9\/"}"#]),
        ),
        written(
            "text-like",
            "a string that reads like JSON stays a string",
            r#""groups":["{\"a\": 1}", "null", {"a": 1}]"#,
            json!([r#"{"a": 1}"#, "null", r#"{"a":1}"#]),
        ),
        written(
            "escaped-strings",
            "strings are unescaped as always, also next to others",
            r#""groups":["a\u0041\n", 1]"#,
            json!(["aA\n", "1"]),
        ),
        written("escaped-name", "the claim's name with an escape", r#""\u0067roups":[1,"a"]"#, json!(["1", "a"])),
        written(
            "same-name-inside",
            "another claim holds a claim of that name",
            r#""a":{"groups":[2]},"groups":[1]"#,
            json!(["1"]),
        ),
    ]
}

/// Texts are handed out as they are.
fn texts() -> Vec<Case> {
    let with = |id: &str, note: &str, member: &str, claim: &str, text: &str| {
        plain(&format!("text-{id}"), note).claim(claim, text).accepted_as(json!({member: text}))
    };
    vec![
        with("unicode", "letters, marks and signs of many scripts", "name", "name", "Zoë 😀 e\u{301} الاسم"),
        with("html", "Go escapes <, > and &", "name", "name", "<b>R&D</b>\u{2028}"),
        plain("text-html-raw", "which versions up to 0.27 do not").payload_member(r#""title":"<b>R&D</b>""#).accepted(),
        with("nul", "a NUL", "name", "name", "a\u{0}b"),
        with("space", "a space is not empty", "name", "name", " "),
        with("long", "a long name", "name", "name", &"n".repeat(1000)),
        with("not-an-address", "an e-mail address is not looked at", "email", "email", "<nil>"),
        with("subject", "a subject with signs", "subject", "sub", "google-oauth2|103254719"),
        with("subject-number", "a subject of digits stays text", "subject", "sub", "007"),
        with("issuer-uri", "the issuer in its URI form", "issuer", "iss", "https://app.example.com/"),
    ]
}

/// What old versions write, each in one token.
fn versions() -> Vec<Case> {
    let spaced = format!(r#"{{"alg": "ES256", "kid": "{}", "typ": "JWT"}}"#, KEY.thumbprint());
    let version = |id: &str, note: &str| plain(&format!("version-{id}"), note).option("leeway", 0);
    vec![
        version("0-9", "0.9: no kid in the header")
            .header(r#"{"alg":"ES256","typ":"JWT"}"#)
            .payload(format!(r#"{{"aud":"{HOST}","email":"alice@example.com","exp":{EXP},"groups":["staff"],"iat":{IAT},"iss":"{HOST}","sub":"alice","user":"alice"}}"#))
            .accepted_as(json!({"name": null, "session_id": null, "token_id": null})),
        version("0-14", "0.14: a fraction in exp, groups null, no sid and no name")
            .payload(format!(r#"{{"aud":"{HOST}","email":"alice@example.com","exp":{EXP}.123456789,"groups":null,"iat":{IAT},"iss":"{HOST}","jti":"j1","sub":"alice","user":"alice"}}"#))
            .accepted_as(json!({"name": null, "session_id": null, "groups": []})),
        version("0-15", "0.15: times with an exponent, the header with spaces, the issuer is the authenticate host")
            .option("issuer", "authenticate.example.com")
            .header(&spaced)
            .payload(format!(r#"{{"aud": "{HOST}", "email": "alice@example.com", "exp": 1.79534994e+09, "groups": ["staff"], "iat": 1.7953455e+09, "iss": "authenticate.example.com", "jti": "s1", "sid": "s1", "sub": "alice", "user": "alice"}}"#))
            .at(1_795_349_939)
            .accepted_as(json!({"issuer": "authenticate.example.com", "name": null, "token_id": "s1",
                "issued_at": 1_795_345_500, "expires_at": 1_795_349_940})),
        version("0-21", "0.21: the issuer with a port")
            .option("issuer", "authenticate.example.com:4443")
            .claim("iss", "authenticate.example.com:4443")
            .accepted_as(json!({"issuer": "authenticate.example.com:4443"})),
        version("0-26", "0.26: iat is days old and jti is the session")
            .header(&spaced)
            .claim("iat", NOW - 259_200)
            .claim("jti", "s1")
            .accepted_as(json!({"issued_at": NOW - 259_200, "token_id": "s1"})),
        version("0-26-anonymous", "0.26: no iat when nobody is signed in")
            .option("allow_anonymous", true)
            .payload(format!(r#"{{"aud": "{HOST}", "email": "", "exp": {EXP}, "groups": [], "iss": "{HOST}", "jti": "", "name": "", "sid": "", "sub": "", "user": ""}}"#))
            .accepted_as(json!({"subject": "", "anonymous": true, "user": null, "email": null, "name": null,
                "groups": [], "session_id": null, "token_id": null, "issued_at": null})),
        version("0-33-uri", "0.33 with jwt_issuer_format: uri")
            .claim("iss", "https://app.example.com/")
            .accepted_as(json!({"issuer": "https://app.example.com/"})),
        version("custom-claims", "jwt_claims_headers: always strings, nested ones under dotted names")
            .claim("idp.department", "R&D")
            .claim("given_name", "Alice")
            .claim("level", "1e+21")
            .claim("teams", "a,b")
            .accepted(),
    ]
}
