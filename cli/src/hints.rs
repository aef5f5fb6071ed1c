//! Explains texts that are not tokens, and tokens that are not Pomerium's.

use std::borrow::Cow;

use serde_json::Value;

/// Says what a text without a token probably is.
pub(crate) fn explain_text(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let dots = text.matches('.').count();
    Some(match text {
        "" => {
            "The text is empty. Pomerium sends the header on routes with pass_identity_headers, and an empty one if it \
             cannot sign."
        }
        _ if text.contains("${") || text.contains("{{") => {
            "This is a placeholder that was not filled in: ${pomerium.jwt} needs Pomerium v0.28 or later."
        }
        _ if text.contains("-----BEGIN") => "This is a key or certificate, not a token: see pomerium-jwt keys.",
        _ if text.contains("eyJ")
            && (text.contains("...") || text.contains(|c: char| c == '…' || c.is_whitespace())) =>
        {
            "The text has the beginning of a token but not all of it: the end was probably cut off when it was copied."
        }
        _ if text.starts_with('{') => {
            "This is JSON: use pomerium-jwt keys for a key set; claims that were decoded can no longer be verified."
        }
        _ if text.contains(char::is_whitespace) => return None,
        _ if text.contains(',') => "The text has several values: Pomerium sends exactly one.",
        _ if dots == 4 => {
            "With five parts it is an encrypted token (JWE), which Pomerium never sends to an application."
        }
        _ if dots == 1 => "With two parts the signature is missing: the end was probably cut off.",
        _ if dots == 0 => "Without a dot this is not a JWT: it is an opaque token, a session id or a piece of a token.",
        _ => return None,
    })
}

/// Says what the header and claims reveal. `signature` is the third part, still in base64url.
pub(crate) fn explain_content(header: &Value, claims: &Value, signature: &str) -> Vec<Cow<'static, str>> {
    let mut hints: Vec<Cow<'static, str>> = Vec::new();
    match header["alg"].as_str() {
        Some("HS256" | "HS384" | "HS512") => hints.push(
            "The algorithm is an HMAC: this is a session cookie or a service account's credential, never the assertion in \
             X-Pomerium-Jwt-Assertion."
                .into(),
        ),
        Some(alg) if alg.eq_ignore_ascii_case("none") => {
            hints.push("A token with alg none is unsigned, so anyone can write it: it is always refused.".into());
        }
        Some("ES256") if signature.len() < 86 => {
            let sentence = "An ES256 signature has 86 characters, this one has {}: the end was cut off.";
            hints.push(sentence.replace("{}", &signature.len().to_string()).into());
        }
        _ => {}
    }
    if ["nonce", "at_hash", "azp"].iter().any(|name| claims.get(name).is_some()) {
        let sentence = "With nonce, at_hash or azp this looks like an identity provider's own token; Pomerium's is in X-Pomerium-Jwt-Assertion.";
        hints.push(sentence.into());
    }
    hints
}
