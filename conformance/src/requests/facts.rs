//! The other facts of a request: the token's header, upgrades, endpoints marked as public; and their order.

use serde_json::json;

use super::{RequestCase, request};

pub(crate) fn cases() -> Vec<RequestCase> {
    [token(), upgrades(), marked_public(), optional(), order()].concat()
}

fn token() -> Vec<RequestCase> {
    vec![
        request("token-good", "alice").admitted(),
        request("token-bearer", "one Bearer is removed").text(|token| format!("Bearer {token}")).admitted(),
        request("token-bearer-in-any-case", "schemes have no case").text(|token| format!("bEARER {token}")).admitted(),
        request("token-absent", "no header").without_token().refused("token_missing"),
        request("token-bearer-alone", "nothing after it").token("Bearer ").refused("token_missing"),
        request("token-blank", "not trimmed: a server does that").token(" ").refused("token_malformed"),
        request("token-twice", "two values joined by a comma")
            .text(|token| format!("{token},{token}"))
            .refused("token_repeated"),
        request("token-twice-with-a-space", "as some frameworks join")
            .text(|token| format!("{token}, {token}"))
            .refused("token_repeated"),
        request("token-and-an-empty-one", "an empty value counts")
            .text(|token| format!("{token},"))
            .refused("token_repeated"),
        request("token-behind-an-empty-one", "an empty value counts")
            .text(|token| format!(",{token}"))
            .refused("token_repeated"),
        request("token-two-empty-ones", "nor are two empty ones absent").token(",").refused("token_repeated"),
        request("token-with-a-space-behind", "not trimmed")
            .text(|token| format!("{token} "))
            .refused("token_malformed"),
        request("token-basic", "another scheme").token("Basic YTpi").refused("token_malformed"),
    ]
}

fn upgrades() -> Vec<RequestCase> {
    let health =
        |id: &str, note: &str| request(id, note).option("exempt_paths", json!(["/health", "/public/*"])).upgrade();
    vec![
        health("upgrade-exempt", "an upgrade is never exempt").path("/health").without_token().refused("token_missing"),
        health("upgrade-exempt-below", "nor below").path("/public/a").without_token().refused("token_missing"),
        health("upgrade-exempt-bad-token", "so its token is looked at")
            .path("/health")
            .token("x")
            .refused("token_malformed"),
        health("upgrade-exempt-good-token", "and verifies").path("/health").admitted(),
        request("upgrade-good-token", "an upgrade with a token").upgrade().admitted(),
        request("upgrade-without-a-token", "and without one").upgrade().without_token().refused("token_missing"),
        request("upgrade-optional", "optional lets it pass, as any request")
            .option("optional", true)
            .upgrade()
            .without_token()
            .passed(),
    ]
}

fn marked_public() -> Vec<RequestCase> {
    let public = |id: &str, note: &str| request(id, note).marked_public();
    vec![
        public("public-without-a-token", "passes").without_token().passed(),
        public("public-bearer-alone", "no token either").token("Bearer ").passed(),
        public("public-good-token", "a token is verified all the same").admitted(),
        public("public-bad-token", "and refused").token("x").refused("token_malformed"),
        public("public-two-tokens", "and refused").token(",").refused("token_repeated"),
        public("public-expired-token", "and refused").claim("exp", 1_700_000_300).refused("token_expired"),
        public("public-upgrade", "an upgrade does not pass").upgrade().without_token().refused("token_missing"),
        public("public-upgrade-good-token", "with a token it does").upgrade().admitted(),
        public("public-require-group", "a token must be in the group")
            .option("require_group", "admins")
            .refused("group_required"),
        public("public-require-group-without-a-token", "no token passes: the mark is the host's")
            .option("require_group", "admins")
            .without_token()
            .passed(),
    ]
}

fn optional() -> Vec<RequestCase> {
    let optional = |id: &str, note: &str| request(id, note).option("optional", true);
    vec![
        optional("optional-without-a-token", "passes").without_token().passed(),
        optional("optional-bearer-alone", "no token either").token("bearer ").passed(),
        optional("optional-good-token", "is verified").admitted(),
        optional("optional-bad-token", "is refused all the same").token("x").refused("token_malformed"),
        optional("optional-two-tokens", "are refused").token(",").refused("token_repeated"),
        optional("optional-blank-token", "is refused").token(" ").refused("token_malformed"),
        optional("optional-expired-token", "is refused").claim("exp", 1_700_000_300).refused("token_expired"),
        optional("optional-anonymous-token", "is refused without allow_anonymous")
            .anonymous()
            .refused("subject_missing"),
        optional("optional-other-application", "is refused")
            .claim("aud", "other.example.com")
            .refused("audience_mismatch"),
        request("optional-false", "false is the default")
            .option("optional", false)
            .without_token()
            .refused("token_missing"),
    ]
}

/// Exempt comes first, then the missing token, then the verification.
fn order() -> Vec<RequestCase> {
    let all = |id: &str, note: &str| {
        request(id, note).option("optional", true).option("exempt_paths", "/health").marked_public()
    };
    vec![
        all("order-exempt-first", "an exempt path passes with any token").path("/health").token("x").passed(),
        all("order-exempt-with-a-good-token", "and without an identity").path("/health").passed(),
        all("order-missing-second", "no token passes").path("/reports").without_token().passed(),
        all("order-verified-last", "a bad token is refused").path("/reports").token("x").refused("token_malformed"),
        request("order-exempt-before-group", "exempt paths demand no group")
            .option("exempt_paths", "/health")
            .option("require_group", "admins")
            .path("/health")
            .without_token()
            .passed(),
    ]
}
