//! What an answer must be, and what it must not be.

use pomerium_jwt::ErrorCode;
use serde_json::Value;

use super::{
    case::Expect,
    wire::{Answer, Response},
};

/// Headers that servers add, and that say nothing of the request.
const SERVERS_OWN: [&str; 9] = [
    "date",
    "server",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "x-powered-by",
    "vary",
    "via",
];

pub(crate) fn compare(answer: &Answer, expect: &Expect, head_only: bool) -> Result<(), String> {
    let response = response(answer)?;
    let compared = match expect {
        Expect::Refused(code) => refused(response, code, head_only),
        Expect::Json(value) => json(response, value, head_only),
        Expect::Health => health(response, head_only),
    };
    compared.map_err(|why| format!("{why}\n    the answer: {}", shown(response)))
}

/// The answer, if there is one.
pub(crate) fn response(answer: &Answer) -> Result<&Response, String> {
    match answer {
        Answer::Response(response) => Ok(response),
        Answer::Closed => Err("the server closed the connection without an answer".to_owned()),
    }
}

/// Whether a server has answered by itself that it does not like this request, or has hung up.
pub(crate) fn is_servers_own_refusal(answer: &Answer) -> bool {
    let Answer::Response(response) = answer else { return true };
    matches!(response.status, 400..=499 | 501 | 505) && is_servers_own(answer, response.status)
}

/// Whether it has this status, and nothing in it is ours or the application's.
pub(crate) fn is_servers_own(answer: &Answer, status: u16) -> bool {
    let Answer::Response(response) = answer else { return false };
    let text = response.text();
    // A framework's own error may have a member of this name too
    let ours = ErrorCode::ALL.iter().any(|code| text.contains(&format!(r#"{{"error":"{}""#, code.name())));
    response.status == status && !ours && !text.contains("\"reached\"") && !text.contains("\"subject\"")
}

/// Status, headers and body are those of the code, and nothing else says anything.
pub(crate) fn refused(response: &Response, name: &str, head_only: bool) -> Result<(), String> {
    let status = status_of(name);
    if response.status != status {
        return Err(format!("expected {status} {name}"));
    }
    let body = format!(r#"{{"error":"{name}"}}"#);
    if !head_only && response.body != body.as_bytes() {
        return Err(format!("expected the body {body}"));
    }
    // For HEAD the length is that of the body left out, or is not said
    let length = response.header("content-length");
    if length.is_some_and(|length| length != body.len().to_string() && !(head_only && length == "0")) {
        return Err(format!("expected Content-Length: {}", body.len()));
    }
    let challenge = (status == 401).then_some(r#"Bearer error="invalid_token""#);
    exactly(response, "content-type", Some("application/json"))?;
    exactly(response, "cache-control", Some("no-store"))?;
    exactly(response, "www-authenticate", challenge)?;
    retry_after(response, name)?;
    only_known_headers(response)?;
    reason(response)
}

/// Written by hand: the core is not asked what is right.
fn status_of(name: &str) -> u16 {
    match name {
        "group_required" => 403,
        "keys_unavailable" | "keys_empty" => 503,
        _ => 401,
    }
}

fn exactly(response: &Response, name: &str, expected: Option<&str>) -> Result<(), String> {
    let values: Vec<&str> = values(response, name);
    let same = match expected {
        Some(expected) => values == [expected],
        None => values.is_empty(),
    };
    let wanted = expected.map_or_else(|| format!("no header {name}"), |value| format!("one header {name}: {value}"));
    if same { Ok(()) } else { Err(format!("expected {wanted}")) }
}

fn values<'a>(response: &'a Response, name: &str) -> Vec<&'a str> {
    response.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
}

/// A 503 says when to come again, if that can help: keys that are fetched.
fn retry_after(response: &Response, name: &str) -> Result<(), String> {
    let values = values(response, "retry-after");
    let seconds = || values.len() == 1 && values[0].parse::<u32>().is_ok_and(|seconds| seconds >= 1);
    let fine = match name {
        "keys_unavailable" => seconds(),
        "keys_empty" => values.is_empty() || seconds(),
        _ => values.is_empty(),
    };
    if fine {
        Ok(())
    } else {
        Err("expected Retry-After with whole seconds for keys_unavailable, else none".to_owned())
    }
}

fn only_known_headers(response: &Response) -> Result<(), String> {
    const OURS: [&str; 4] = ["content-type", "cache-control", "www-authenticate", "retry-after"];
    let known =
        |name: &str| OURS.contains(&name) || SERVERS_OWN.contains(&name) || name.starts_with("access-control-allow-");
    match response.headers.iter().find(|(name, _)| !known(name)) {
        Some((name, value)) => Err(format!("a refusal says nothing but its code, and here is {name}: {value}")),
        None => Ok(()),
    }
}

/// The reason phrase is a word or two, such as "Unauthorized": no message fits in.
fn reason(response: &Response) -> Result<(), String> {
    let words: Vec<&str> = response.reason.split(' ').collect();
    if words.len() <= 2 && words.iter().all(|word| word.bytes().all(|b| b.is_ascii_alphabetic())) {
        return Ok(());
    }
    Err(format!("expected a usual reason phrase, not {:?}", response.reason))
}

fn json(response: &Response, expected: &Value, head_only: bool) -> Result<(), String> {
    is_json(response)?;
    if head_only {
        return Ok(());
    }
    let got: Value = serde_json::from_slice(&response.body).map_err(|why| format!("not JSON: {why}"))?;
    if same(&got, expected) { Ok(()) } else { Err(format!("expected {expected}")) }
}

fn health(response: &Response, head_only: bool) -> Result<(), String> {
    is_json(response)?;
    if head_only {
        return Ok(());
    }
    let got: Value = serde_json::from_slice(&response.body).map_err(|why| format!("not JSON: {why}"))?;
    let names = ["configured", "asked", "keys_loaded", "stale"];
    let members = got.as_object().filter(|members| members.len() == names.len());
    if members.is_some_and(|members| names.iter().all(|name| members.get(*name).is_some_and(Value::is_boolean))) {
        return Ok(());
    }
    Err(format!("expected an object with the booleans {}", names.join(", ")))
}

fn is_json(response: &Response) -> Result<(), String> {
    if response.status != 200 {
        return Err("expected 200".to_owned());
    }
    match response.header("content-type") {
        Some(value) if value.split(';').next() == Some("application/json") => Ok(()),
        _ => Err("expected Content-Type: application/json".to_owned()),
    }
}

/// Numbers by value: `1` and `1.0` are the same.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

pub(crate) fn shown(response: &Response) -> String {
    let headers: Vec<String> = response.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let body: String = response.text().escape_debug().take(200).collect::<String>().replace("\\\"", "\"");
    format!("{} {} [{}] {body}", response.status, response.reason, headers.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        Response {
            status,
            reason: String::new(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.as_bytes().to_vec(),
            continued: false,
        }
    }

    const BODY: &str = r#"{"error":"token_expired"}"#;
    const HEADERS: [(&str, &str); 3] = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("www-authenticate", r#"Bearer error="invalid_token""#),
    ];

    #[test]
    fn a_refusal_is_its_code_and_nothing_more() {
        let judge = |status, headers: &[(&str, &str)], body| {
            refused(&response(status, headers, body), "token_expired", false).is_ok()
        };
        assert!(judge(401, &HEADERS, BODY));
        assert!(judge(401, &[&HEADERS[..], &[("date", "x"), ("content-length", "25")]].concat(), BODY));

        assert!(!judge(403, &HEADERS, BODY), "another status");
        assert!(!judge(401, &HEADERS, r#"{"error":"token_missing"}"#), "another code");
        assert!(!judge(401, &HEADERS, r#"{"error": "token_expired"}"#), "another spelling");
        for left_out in 0..3 {
            let mut headers = HEADERS.to_vec();
            let (name, value) = headers.remove(left_out);
            assert!(!judge(401, &headers, BODY), "without {name}");
            assert!(!judge(401, &[&HEADERS[..], &[(name, value)]].concat(), BODY), "{name} twice");
        }
        for more in
            [("x-error", "expired 60 s ago"), ("location", "/login"), ("set-cookie", "a=b"), ("retry-after", "1")]
        {
            assert!(!judge(401, &[&HEADERS[..], &[more]].concat(), BODY), "{more:?}");
        }
        let mut speaking = response(401, &HEADERS, BODY);
        speaking.reason = "expired 60 s ago".to_owned();
        assert!(refused(&speaking, "token_expired", false).is_err(), "the message as the reason phrase");
    }

    #[test]
    fn a_503_says_when_to_come_again() {
        let judge = |retry: &[(&str, &str)]| {
            let body = r#"{"error":"keys_unavailable"}"#;
            refused(&response(503, &[&HEADERS[..2], retry].concat(), body), "keys_unavailable", false).is_ok()
        };
        assert!(judge(&[("retry-after", "1")]));
        for wrong in [&[][..], &[("retry-after", "0")], &[("retry-after", "soon")], &[("retry-after", "1.5")]] {
            assert!(!judge(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_server_refuses_by_itself_where_no_handler_and_no_rule_was_reached() {
        let judge = |status, body| is_servers_own_refusal(&Answer::Response(response(status, &[], body)));
        assert!(judge(400, "Bad Request") && judge(431, "") && judge(501, ""));
        assert!(judge(400, r#"{"error":"Bad Request","message":"Client Error"}"#));
        assert!(is_servers_own_refusal(&Answer::Closed));
        assert!(!judge(200, "") && !judge(302, "") && !judge(500, ""));
        assert!(!judge(404, r#"{"reached":true,"subject":null}"#) && !judge(401, BODY));
    }
}
