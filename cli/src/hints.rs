//! What people paste instead of a token, and what it is.

use std::borrow::Cow;

use serde_json::Value;

/// The token inside of what was given, and what had to be taken off.
pub(crate) struct Found {
    pub(crate) token: String,
    /// Sentences; empty if the text is as an application receives it.
    pub(crate) removed: Vec<&'static str>,
}

/// Gives the text without one such thing and the sentence about it, if it was there.
type Step = fn(&str) -> Option<(String, &'static str)>;

/// Takes off what clings to a token that was copied from somewhere.
pub(crate) fn find(text: &str) -> Found {
    let mut found = Found { token: text.to_owned(), removed: Vec::new() };
    let steps: [Step; 6] =
        [without_header_name, without_percent, without_quotes, without_spaces, without_padding, in_url_alphabet];
    // a header line may hold a quoted value, which may be percent-encoded: twice around is enough
    for step in steps.iter().chain(&steps) {
        if let Some((token, sentence)) = step(&found.token) {
            found.token = token;
            if !found.removed.contains(&sentence) {
                found.removed.push(sentence);
            }
        }
    }
    found
}

fn without_header_name(text: &str) -> Option<(String, &'static str)> {
    let (name, value) = text.trim_start().split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let sentence = match name.to_ascii_lowercase().as_str() {
        _ if !is_name => return None,
        "x-pomerium-jwt-assertion" | "authorization" => {
            "The header's name stands before the token: give its value alone."
        }
        "x-pomerium-jwt-assertion-for" => {
            "This is X-Pomerium-Jwt-Assertion-For: the first hop's token, which Pomerium copies without verifying it. \
             Use X-Pomerium-Jwt-Assertion."
        }
        "cookie" | "set-cookie" => "This is a cookie: the application's token is in X-Pomerium-Jwt-Assertion.",
        _ => "This is another header: the token is in X-Pomerium-Jwt-Assertion.",
    };
    let value = value.trim();
    let value = value.split_once("_pomerium=").map_or(value, |(_, cookie)| cookie.split(';').next().unwrap_or(cookie));
    Some((value.to_owned(), sentence))
}

fn without_percent(text: &str) -> Option<(String, &'static str)> {
    if !text.contains('%') {
        return None;
    }
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    let decoded = String::from_utf8(decoded).ok().filter(|decoded| decoded != text)?;
    Some((decoded, "It is percent-encoded, as for a URL: a token needs no encoding."))
}

fn without_quotes(text: &str) -> Option<(String, &'static str)> {
    let bare = text.trim().trim_matches(['"', '\'', '`', '<', '>']);
    (bare != text.trim()).then(|| (bare.to_owned(), "There are quotation marks around it."))
}

fn without_spaces(text: &str) -> Option<(String, &'static str)> {
    let (scheme, token) = match text.trim_start().split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer ") => (scheme, token),
        _ => ("", text),
    };
    let joined: String = token.split_whitespace().collect();
    let whole = format!("{scheme}{joined}");
    (whole != text).then_some((whole, "There are spaces or line breaks in it."))
}

fn without_padding(text: &str) -> Option<(String, &'static str)> {
    let parts: Vec<&str> = text.split('.').map(|part| part.trim_end_matches('=')).collect();
    let bare = parts.join(".");
    (bare != text).then_some((bare, "A part is padded with =, which base64url in a token never is."))
}

fn in_url_alphabet(text: &str) -> Option<(String, &'static str)> {
    let translated = text.replace('+', "-").replace('/', "_");
    let sentence = "It is in the standard base64 alphabet (+ and /), a token is in base64url (- and _).";
    (text.contains('.') && translated != text).then_some((translated, sentence))
}

/// What a text that is no token probably is.
pub(crate) fn explain_text(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let dots = text.matches('.').count();
    Some(match text {
        "" => {
            "There is nothing. Pomerium sends the header on routes with pass_identity_headers, and an empty one where it cannot sign."
        }
        _ if text.contains("${") || text.contains("{{") => {
            "This is a placeholder that nobody filled in: ${pomerium.jwt} needs Pomerium v0.28 or later."
        }
        _ if text.contains("-----BEGIN") => "This is a key or certificate, not a token: see pomerium-jwt keys.",
        _ if text.starts_with('{') => {
            "This is JSON, not a token: a key set is for pomerium-jwt keys, decoded claims cannot be checked any more."
        }
        _ if text.contains(',') => "There are several values: Pomerium sends exactly one.",
        _ if dots == 4 => "Five parts are an encrypted token (JWE), which Pomerium never sends to an application.",
        _ if dots == 1 => "Two parts: the signature is missing, the end was probably cut off.",
        _ if dots == 0 => "Without a dot this is no JWT: an opaque token, a session id, or a piece of a token.",
        _ => return None,
    })
}

/// What the readable parts give away. `signature` is the third part, still in base64url.
pub(crate) fn explain_content(header: &Value, claims: &Value, signature: &str) -> Vec<Cow<'static, str>> {
    let mut hints: Vec<Cow<'static, str>> = Vec::new();
    match header["alg"].as_str() {
        Some("HS256" | "HS384" | "HS512") => hints.push(
            "An HMAC: in Pomerium this is a session cookie or a service account's credential, never the assertion in \
             X-Pomerium-Jwt-Assertion."
                .into(),
        ),
        Some(alg) if alg.eq_ignore_ascii_case("none") => {
            hints.push("alg none: anybody can write a token without a signature, so it is always refused.".into());
        }
        Some("ES256") if signature.len() < 86 => {
            let sentence = "An ES256 signature has 86 characters, here are {}: the end was cut off.";
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clings_to_a_token_is_taken_off_and_named() {
        let table = [
            ("a.b.c", "a.b.c", ""),
            ("Bearer a.b.c", "Bearer a.b.c", ""),
            ("\"a.b.c\"", "a.b.c", "quotation"),
            ("a.b\n  .c", "a.b.c", "line breaks"),
            (" Bearer a.b.c\n", "Bearer a.b.c", "line breaks"),
            ("X-Pomerium-Jwt-Assertion: a.b.c", "a.b.c", "header's name"),
            ("x-pomerium-jwt-assertion-for: a.b.c", "a.b.c", "first hop"),
            ("Authorization: Bearer a.b.c", "Bearer a.b.c", "header's name"),
            ("Cookie: x=1; _pomerium=a.b.c; y=2", "a.b.c", "cookie"),
            ("a%2Eb%2ec", "a.b.c", "percent"),
            ("%22a.b.c%22", "a.b.c", "percent"),
            ("'a.b.c%0A'", "a.b.c", "quotation"),
            ("a==.b=.c", "a.b.c", "padded"),
            ("a+/.b.c", "a-_.b.c", "alphabet"),
            ("100%", "100%", ""),
            ("%zz%2", "%zz%2", ""),
            ("%é", "%é", ""),
            ("", "", ""),
        ];
        for (text, token, sentence) in table {
            let found = find(text);
            assert_eq!(found.token, token, "{text:?}");
            assert_eq!(found.removed.is_empty(), sentence.is_empty(), "{text:?}: {:?}", found.removed);
            assert!(found.removed.join(" ").contains(sentence), "{text:?}: {:?} lacks {sentence:?}", found.removed);
        }
    }
}
