//! Exempt paths: which spellings need no token, and the many that do.

use serde_json::json;

use super::{RequestCase, request};

pub(crate) fn cases() -> Vec<RequestCase> {
    [exempt(), guarded(), entries()].concat()
}

/// What the application of these cases exempts.
const EXEMPT: [&str; 4] = ["/health", "/files/", "/public/*", "/a/b/*"];

/// Exempt, and so passed without a look at the token.
fn exempt() -> Vec<RequestCase> {
    let paths = [
        ("exact", "/health"),
        ("exact-with-a-slash", "/files/"),
        ("below", "/public/logo.png"),
        ("below-twice", "/public/css/site.css"),
        ("below-a-deeper-prefix", "/a/b/c"),
        ("below-three-dots", "/public/..."),
        ("below-hidden", "/public/.well-known"),
        ("below-two-dots-in-a-name", "/public/a..b"),
        ("below-tilde", "/public/~alice/A-Z_0.9"),
        ("below-with-the-name-of-the-prefix", "/public/public"),
    ];
    let each = paths.into_iter().flat_map(|(id, path)| {
        let case = |suffix: &str, note: &str| {
            request(format!("exempt-{id}{suffix}"), note).option("exempt_paths", json!(EXEMPT)).path(path)
        };
        [
            case("", "no token").without_token().passed(),
            case("-bad-token", "the token is not looked at").token("no.token").passed(),
        ]
    });
    let others = [
        request("exempt-root", "/ alone is an entry").option("exempt_paths", "/").path("/").without_token().passed(),
        request("exempt-root-is-not-a-prefix", "/ exempts nothing below")
            .option("exempt_paths", "/")
            .path("/health")
            .without_token()
            .refused("token_missing"),
        request("exempt-good-token", "a good token is not looked at either: no identity")
            .option("exempt_paths", json!(EXEMPT))
            .path("/health")
            .passed(),
        request("exempt-repeated-token", "nor two of them")
            .option("exempt_paths", json!(EXEMPT))
            .path("/health")
            .text(|token| format!("{token},{token}"))
            .passed(),
        request("exempt-two-entries-cover-it", "one entry is enough")
            .option("exempt_paths", json!(["/public/*", "/public/logo.png"]))
            .path("/public/logo.png")
            .without_token()
            .passed(),
    ];
    each.chain(others).collect()
}

/// Spellings that a router, a proxy or a file system could take for an exempt path or for one above it.
fn guarded() -> Vec<RequestCase> {
    let paths = [
        ("empty", ""),
        ("star", "*"),
        ("authority", "app.example.com:443"),
        ("root", "/"),
        ("other", "/admin"),
        ("case", "/Health"),
        ("case-of-the-prefix", "/PUBLIC/a"),
        ("slash-behind", "/health/"),
        ("two-slashes-behind", "/health//"),
        ("without-its-slash", "/files"),
        ("below-an-exact-one", "/health/live"),
        ("below-one-with-a-slash", "/files/a"),
        ("doubled-slash", "//health"),
        ("host-like", "//app.example.com/health"),
        ("absolute", "http://app.example.com/health"),
        ("relative", "health"),
        ("encoded-letter", "/%68ealth"),
        ("encoded-slash", "/public%2fa"),
        ("encoded-slash-below", "/public/a%2f..%2f..%2fadmin"),
        ("encoded-dots", "/public/%2e%2e/admin"),
        ("encoded-dots-capitals", "/public/%2E%2E/admin"),
        ("encoded-twice", "/public/%252e%252e/admin"),
        ("encoded-nul", "/health%00"),
        ("encoded-newline", "/health%0a"),
        ("encoded-percent", "/health%25"),
        ("encoded-in-a-good-place", "/public/a%41"),
        ("overlong-dot", "/public/%c0%ae%c0%ae/admin"),
        ("full-width-dot", "/public/\u{ff0e}\u{ff0e}/admin"),
        ("dot", "/./health"),
        ("dot-behind", "/health/."),
        ("dot-dot", "/x/../health"),
        ("dot-dot-below", "/public/../admin"),
        ("dot-dot-at-the-end", "/public/a/.."),
        ("dot-below", "/public/./a"),
        ("dot-dot-alone", "/public/.."),
        ("parameter", "/health;x=1"),
        ("parameter-below", "/public/..;/admin"),
        ("parameter-session", "/public/a;jsessionid=1"),
        ("backslash", "\\health"),
        ("backslash-below", "/public\\..\\admin"),
        ("backslash-in-the-rest", "/public/..\\admin"),
        ("space-behind", "/health "),
        ("space-before", " /health"),
        ("tab", "/health\t"),
        ("nul", "/health\u{0}"),
        ("newline", "/health\n"),
        ("query", "/health?x"),
        ("query-below", "/public/a?x=/../"),
        ("fragment", "/health#x"),
        ("plus", "/public/a+b"),
        ("colon", "/public/a:b"),
        ("at", "/public/@a"),
        ("star-below", "/public/*"),
        ("not-ascii", "/public/\u{e9}"),
        ("combining", "/public/e\u{301}"),
        ("prefix-alone", "/public"),
        ("prefix-with-its-slash", "/public/"),
        ("prefix-of-a-name", "/publicity/a"),
        ("prefix-with-an-empty-segment", "/public//a"),
        ("prefix-doubled", "//public/a"),
        ("rest-with-an-empty-segment", "/public/a//b"),
        ("rest-with-a-slash-behind", "/public/a/"),
        ("mounted-elsewhere", "/app/public/a"),
        ("half-a-prefix", "/a/c"),
        ("longer", "/healthy"),
        ("shorter", "/healt"),
    ];
    let each = paths.into_iter().map(|(id, path)| {
        request(format!("guarded-{id}"), "compared byte for byte, undecoded")
            .option("exempt_paths", json!(EXEMPT))
            .path(path)
            .without_token()
            .refused("token_missing")
    });
    let others = [
        request("guarded-good-token", "what is not exempt is verified")
            .option("exempt_paths", json!(EXEMPT))
            .path("/%68ealth")
            .admitted(),
        request("guarded-bad-token", "and refused for what is wrong with it")
            .option("exempt_paths", json!(EXEMPT))
            .path("/health/")
            .token("no.token")
            .refused("token_malformed"),
        request("guarded-nothing-exempt", "without the option nothing is exempt")
            .path("/health")
            .without_token()
            .refused("token_missing"),
    ];
    each.chain(others).collect()
}

/// Which entries the option takes.
fn entries() -> Vec<RequestCase> {
    let good = [
        ("root", "/"),
        ("one", "/health"),
        ("slash", "/health/"),
        ("below", "/public/*"),
        ("deep", "/a/b/c.d_e~f-g/*"),
        ("dots", "/.../a..b"),
    ];
    let bad = [
        ("empty", ""),
        ("relative", "health"),
        ("star", "*"),
        ("everything", "/*"),
        ("star-in-a-name", "/health*"),
        ("star-in-the-middle", "/a/*/b"),
        ("two-stars", "/a/**"),
        ("double-slash", "//"),
        ("empty-segment", "/a//b"),
        ("empty-segment-behind", "/a//"),
        ("empty-segment-below", "/a//*"),
        ("dot", "/./a"),
        ("dot-dot", "/a/../b"),
        ("dot-dot-below", "/../*"),
        ("encoded", "/%61"),
        ("space", "/a b"),
        ("parameter", "/a;b"),
        ("backslash", "/a\\b"),
        ("query", "/a?b"),
        ("not-ascii", "/\u{e9}"),
        ("url", "https://app.example.com/health"),
        ("nul", "/a\u{0}"),
    ];
    let good = good.into_iter().map(|(id, entry)| {
        request(format!("entry-{id}"), "an entry").option("exempt_paths", entry).path("/elsewhere").admitted()
    });
    let bad = bad.into_iter().map(|(id, entry)| {
        request(format!("entry-bad-{id}"), "not an entry").option("exempt_paths", entry).invalid("exempt_paths")
    });
    let many: Vec<String> = (0..65).map(|n| format!("/{n}")).collect();
    let others = [
        request("entry-list", "a list").option("exempt_paths", json!(["/a", "/b"])).path("/b").without_token().passed(),
        request("entry-one-bad-of-two", "each is checked").option("exempt_paths", json!(["/a", "b"])).invalid("\"b\""),
        request("entry-64", "at most 64")
            .option("exempt_paths", json!(many[..64]))
            .path("/63")
            .without_token()
            .passed(),
        request("entry-65", "at most 64").option("exempt_paths", json!(many)).invalid("exempt_paths"),
        request("entry-none", "an empty list is a mistake").option("exempt_paths", json!([])).invalid("exempt_paths"),
        request("entry-number", "a string or a list").option("exempt_paths", 1).invalid("exempt_paths"),
    ];
    good.chain(bad).chain(others).collect()
}
