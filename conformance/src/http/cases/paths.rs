//! Exempt paths: which spellings need no token, and the many that do.

use crate::http::{
    case::{Case, get, request},
    world::World,
};

/// What the application of these cases exempts.
pub(crate) const EXEMPT: [&str; 3] = ["/health", "/files/", "/public/*"];

/// Spellings that a router, a proxy or a file system could take for an exempt path or for one above it.
const GUARDED: [(&str, &[u8]); 46] = [
    ("root", b"/"),
    ("root-with-an-exempt-query", b"/?/health"),
    ("other", b"/reports"),
    ("case", b"/Health"),
    ("case-of-the-prefix", b"/PUBLIC/a"),
    ("slash-after", b"/health/"),
    ("two-slashes-after", b"/health//"),
    ("without-its-slash", b"/files"),
    ("below-an-exact-one", b"/health/live"),
    ("below-one-with-a-slash", b"/files/a"),
    ("longer-name", b"/healthy"),
    ("doubled-slash", b"//health"),
    ("tripled-slash", b"///health"),
    ("host-like", b"//127.0.0.1/health"),
    ("absolute-other", b"http://127.0.0.1/admin"),
    ("absolute-root", b"http://127.0.0.1/"),
    ("absolute-with-an-exempt-host", b"http://health/"),
    ("encoded-letter", b"/%68ealth"),
    ("encoded-slash", b"/public%2fa"),
    ("encoded-slash-in-front", b"/%2fhealth"),
    ("encoded-slash-after", b"/health%2f"),
    ("encoded-slashes-below", b"/public/a%2f..%2f..%2fadmin"),
    ("encoded-dots", b"/public/%2e%2e/admin"),
    ("encoded-dots-capitals", b"/public/%2E%2E/admin"),
    ("encoded-twice", b"/public/%252e%252e/admin"),
    ("encoded-backslash", b"/public/..%5cadmin"),
    ("encoded-nul", b"/health%00"),
    ("encoded-newline", b"/health%0a"),
    ("encoded-space", b"/health%20"),
    ("encoded-question-mark", b"/health%3f"),
    ("encoded-in-a-good-place", b"/public/a%41"),
    ("encoded-badly", b"/public/%zz"),
    ("overlong-dot", b"/public/%c0%ae%c0%ae/admin"),
    ("dot", b"/./health"),
    ("dot-after", b"/health/."),
    ("dot-dot", b"/x/../health"),
    ("dot-dot-below", b"/public/../admin"),
    ("dot-dot-at-the-end", b"/public/a/.."),
    ("dot-below", b"/public/./a"),
    ("prefix-alone", b"/public"),
    ("prefix-with-its-slash", b"/public/"),
    ("doubled-slash-below", b"/public//admin"),
    ("parameter", b"/health;x=1"),
    ("parameter-below", b"/public/..;/admin"),
    ("backslash", b"/public/..\\admin"),
    ("not-ascii", b"/public/\xc3\xa9"),
];

pub(crate) fn cases(world: &World) -> Vec<Case> {
    let guarded = GUARDED.iter().map(|(id, path)| get(format!("path-{id}"), path).refused("token_missing"));
    exempt(world).into_iter().chain(guarded).chain(odd()).collect()
}

fn exempt(world: &World) -> Vec<Case> {
    let alice = world.mint(&world.alice());
    let expired = world.mint(&world.alice().expires_at(world.now - 600));
    let exempt = |id: &str, path: &str| get(format!("exempt-{id}"), path);
    vec![
        exempt("health", "/health").health(),
        exempt("health-with-a-query", "/health?a=/admin").health(),
        exempt("health-bad-token", "/health").token("x.y.z").health(),
        exempt("health-expired-token", "/health").token(expired).health(),
        exempt("health-two-tokens", "/health").token(&alice).token(&alice).health(),
        exempt("health-absolute", "http://127.0.0.1/health").health(),
        exempt("files", "/files/").passed(),
        exempt("public", "/public/site.css").passed(),
        exempt("public-deep", "/public/a/b/c~d_e-f.g").passed(),
        exempt("public-dots", "/public/...").passed(),
        exempt("good-token", "/public/a").token(&alice).passed(),
        request("exempt-post", "POST", "/health").body("a body").passed(),
        request("exempt-head", "HEAD", "/health").health(),
        request("exempt-options", "OPTIONS", "/health").passed(),
    ]
}

/// Targets that are not paths.
fn odd() -> Vec<Case> {
    vec![
        request("target-star", "OPTIONS", "*").refused("token_missing"),
        request("target-authority", "CONNECT", "127.0.0.1:443").refused("token_missing"),
        request("target-connect-exempt", "CONNECT", "/health").refused("token_missing"),
        get("target-star-get", "*").refused("token_missing"),
        get("target-relative", "health").refused("token_missing"),
        get("target-fragment", "/reports#/health").refused("token_missing"),
        get("target-backslash", "\\health").refused("token_missing"),
        get("target-colon", "health:/health").refused("token_missing"),
    ]
}
