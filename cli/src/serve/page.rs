//! The page: HTML without script.

use std::fmt::Write as _;

use pomerium_jwt::{Check, ErrorKind, Outcome};
use serde_json::Value;

use super::view::{State, View};
use crate::{report::printable, times};

pub(super) const STYLE: &str = include_str!("style.css");

/// What the identity's own rows show.
const KNOWN: [&str; 10] = ["sub", "email", "name", "groups", "user", "iss", "aud", "exp", "iat", "sid"];

/// The mark of an unsigned header.
const DIFFERS: &str = " DIFFERS from the signed claim";

pub(super) fn render(view: &View) -> String {
    let (class, title, sentence) = match view.state {
        State::Verified => ("good", "Verified", "Pomerium has signed this request, and every check has passed."),
        State::Passed => {
            ("plain", "No token", "The options let requests without a token in. Nothing is known about the caller.")
        }
        State::Refused => ("bad", "Not verified", "An application with these options refuses this request."),
        State::NoKeys => {
            ("bad", "Keys unavailable", "The token cannot be checked: the signing keys could not be loaded.")
        }
    };
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title} - pomerium-jwt</title><link rel=\"stylesheet\" href=\"/style.css\"></head><body>\
         <header><span>{host}</span><nav aria-label=\"Session\"><a href=\"/.pomerium/sign_out\">Sign out</a></nav></header>\
         <main><section class=\"state {class}\"><h1>{title}</h1><p>{sentence}</p>{who}</section>",
        host = escape(view.request.get("host").map_or("", String::as_str)),
        who = who(view),
    );
    if view.undecided {
        html.push_str(
            "<section class=\"state bad\"><h2>Any route is accepted</h2><p>Only JWKS_ENDPOINT is set, so the first \
             issuer and audience that come are taken for yours, and a token for another application opens this one. \
             <code>/auth</code> answers 500 until a route is set:</p><pre>POMERIUM_JWT_ROUTE=https://",
        );
        let _ = write!(html, "{}</pre></section>", escape(host_name(view)));
    }
    refusal(&mut html, view);
    identity(&mut html, view);
    checks(&mut html, view);
    unsigned(&mut html, view);
    let rows = view.request.iter().map(|(name, value)| {
        let note = if *name == "origin" { " (X-Forwarded-For, not verified)" } else { "" };
        (format!("{name}{note}"), value.clone())
    });
    table(&mut html, "Request", rows.collect());
    html.push_str(
        "</main><footer><a href=\"/json\">JSON</a> <a href=\"/headers\">All headers</a></footer></body></html>\n",
    );
    html
}

fn who(view: &View) -> String {
    let Some(identity) = &view.identity else { return String::new() };
    let shown = identity.email.as_ref().unwrap_or(&identity.subject);
    if identity.is_user() {
        format!("<p class=\"who\">{}</p>", escape(shown))
    } else {
        "<p class=\"who\">Nobody is signed in</p>".to_owned()
    }
}

fn refusal(html: &mut String, view: &View) {
    let Some(error) = &view.error else { return };
    let _ = write!(
        html,
        "<section><h2>What to change</h2><p><code>{}</code></p><p>{}</p><p>{}</p>",
        error.code(),
        escape(error.message()),
        escape(error.code().meaning())
    );
    for hint in &view.hints {
        let _ = write!(html, "<p>{}</p>", escape(hint));
    }
    let source = view.status.source.as_str();
    let is_container = source.split("://").nth(1).is_some_and(|rest| {
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        !host.contains('.') && host != "localhost"
    });
    if error.kind() == ErrorKind::Keys && is_container {
        let host = source.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
        let _ = write!(
            html,
            "<p>No certificate is for a container's name. These settings connect to the container and check the \
             certificate of the route:</p><pre>POMERIUM_JWT_ROUTE=https://{}\nPOMERIUM_JWT_CONNECT_TO={}:443\n\
             POMERIUM_JWT_CA_FILE=/path/to/ca.pem</pre><p>The last one only if the certificate comes from a private CA.</p>",
            escape(host_name(view)),
            escape(host)
        );
    }
    html.push_str("</section>");
}

fn identity(html: &mut String, view: &View) {
    let Some(identity) = &view.identity else {
        let claims = view.inspection.as_ref().and_then(|inspection| inspection.claims.as_deref());
        if let (Some(claims), true) = (claims, view.error.is_some()) {
            let members: Value = serde_json::from_str(claims).unwrap_or_default();
            let rows = members.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), shown(value)));
            html.push_str("<div class=\"unverified\">");
            table(html, "NOT VERIFIED: what the token says about itself", rows.collect());
            html.push_str("</div>");
        }
        return;
    };
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |time: i64| format!("{time}{}", times::date(time).map_or(String::new(), |date| format!(" ({date})")));
    let left = identity.expires_at - view.now;
    let left = if left >= 0 { times::span(left.unsigned_abs()) } else { "none: within the leeway".to_owned() };
    let jose = view.jose_header().unwrap_or_default();
    let member = |name: &str| jose.get(name).map(shown).unwrap_or_default();
    let mut rows = vec![
        ("Email", optional(&identity.email)),
        ("Name", optional(&identity.name)),
        ("Subject", identity.subject.clone()),
        ("User", optional(&identity.user)),
        ("Groups", identity.groups.join("\n")),
        ("Issuer", identity.issuer.clone()),
        ("Audience", identity.audience.join("\n")),
        ("Expires at", time(identity.expires_at)),
        ("Time left", left),
        ("Issued at", identity.issued_at.map(time).unwrap_or_default()),
        ("Clock difference", identity.issued_at.map(|at| difference(view.now - at)).unwrap_or_default()),
        ("Token ID", optional(&identity.token_id)),
        ("Session ID", optional(&identity.session_id)),
        ("Algorithm", member("alg")),
        ("Key ID", member("kid")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect::<Vec<_>>();
    let claims: Value = serde_json::from_str(identity.claims.text()).unwrap_or_default();
    let custom = claims.as_object().into_iter().flatten();
    let custom = custom.filter(|(name, _)| !KNOWN.contains(&name.as_str()) && *name != "jti" && *name != "nbf");
    rows.extend(custom.map(|(name, value)| (format!("Claim {name}"), shown(value))));
    table(html, "Signed identity", rows);
}

/// Pomerium signs at the time of the request, so the age of a token is what the clocks differ by.
fn difference(seconds: i64) -> String {
    match seconds {
        -2..=2 => "none to speak of".to_owned(),
        3.. => format!("{} behind this machine, or the token is that old", times::span(seconds.unsigned_abs())),
        _ => format!("{} ahead of this machine: check the clocks", times::span(seconds.unsigned_abs())),
    }
}

fn checks(html: &mut String, view: &View) {
    let Some(inspection) = view.inspection.as_ref().filter(|_| view.state != State::Passed) else { return };
    html.push_str(
        "<section><h2>Checks</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Checks\"><table>\
         <thead><tr><th scope=\"col\">Check</th><th scope=\"col\">Result</th><th scope=\"col\">Token</th>\
         <th scope=\"col\">Expected</th></tr></thead><tbody>",
    );
    for Check { name, expected, actual, outcome, .. } in &inspection.checks {
        let (class, word) = match outcome {
            Outcome::Passed => ("good", "passed"),
            Outcome::Failed(_) => ("bad", "FAILED"),
            _ => ("plain", "not judged"),
        };
        let _ = write!(
            html,
            "<tr class=\"{class}\"><th scope=\"row\">{}</th><td>{word}</td><td>{}</td><td>{}</td></tr>",
            escape(name),
            escape(actual),
            escape(expected)
        );
    }
    html.push_str("</tbody></table></div></section>");
}

/// Headers that anybody can send. Those that differ from the signed claim of their name are marked.
fn unsigned(html: &mut String, view: &View) {
    let claims = view.identity.as_ref().and_then(|identity| serde_json::from_str::<Value>(identity.claims.text()).ok());
    let rows = view.headers.iter().filter_map(|(name, values)| {
        let lower = name.to_ascii_lowercase();
        let claim = lower.strip_prefix("x-pomerium-claim-");
        let is_other = lower.starts_with("x-auth-request-") || lower.ends_with("-jwt-assertion-for");
        if claim.is_none() && !is_other {
            return None;
        }
        let value = values.join("\n");
        let signed = claim.zip(claims.as_ref()).and_then(|(claim, claims)| claims.get(claim.replace('-', "_")));
        let note = match signed.map(plain) {
            Some(signed) if signed == value => " (as signed)",
            Some(_) => DIFFERS,
            None => " (not verified)",
        };
        Some((format!("{name}{note}"), value))
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        table(html, "Unsigned headers", rows);
    }
}

/// As Pomerium writes a claim into a header.
fn plain(value: &Value) -> String {
    match value {
        Value::Array(entries) => entries.iter().map(shown).collect::<Vec<_>>().join(","),
        other => shown(other),
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn host_name(view: &View) -> &str {
    let host = view.request.get("host").map_or("", String::as_str);
    host.split(':').next().filter(|host| !host.is_empty()).unwrap_or("app.example.com")
}

fn table(html: &mut String, title: &str, rows: Vec<(String, String)>) {
    let _ = write!(html, "<section><h2>{}</h2><dl>", escape(title));
    for (name, value) in rows {
        let value = if value.is_empty() { "<i>none</i>".to_owned() } else { escape_lines(&value) };
        let class = if name.ends_with(DIFFERS) { " class=\"bad\"" } else { "" };
        let _ = write!(html, "<div{class}><dt>{}</dt><dd>{value}</dd></div>", escape(&name));
    }
    html.push_str("</dl></section>");
}

fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("<br>")
}

/// For text and for attributes in double quotes. What would move or reorder text is shown as an escape.
fn escape(text: &str) -> String {
    printable(text).chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_token_becomes_markup() {
        let table = [
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("a&lt;b", "a&amp;lt;b"),
            ("a\u{202e}b\u{0}", "a\\u202eb\\u0000"),
            ("Zürich 漢", "Zürich 漢"),
        ];
        for (text, expected) in table {
            assert_eq!(escape(text), expected);
        }
    }

    #[test]
    fn clocks_are_compared_in_words() {
        let table = [(0, "none to speak of"), (-2, "none to speak of"), (30, "30 s behind"), (-90, "90 s ahead of")];
        for (seconds, expected) in table {
            assert!(difference(seconds).starts_with(expected), "{seconds}: {}", difference(seconds));
        }
    }
}
