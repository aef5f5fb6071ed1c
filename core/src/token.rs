//! Hostile bytes -> a parsed token. Nothing in it is believed yet.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    error::{Code, Error},
    json::{self, Json},
};

/// A JWS in compact serialization (RFC 7515 section 3.1), taken apart.
pub(crate) struct Token<'a> {
    pub(crate) header: Header,
    /// The exact bytes received that the signature is over.
    pub(crate) signing_input: &'a [u8],
    /// The payload, decoded from base64url and nothing more.
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// What the checks need of the JOSE header. `jwk`, `jku`, `x5u` and `x5c` are not even read: keys come from the
/// configured source only.
#[derive(Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) algorithm: Option<String>,
    pub(crate) key_id: Option<String>,
}

/// Takes the header's text apart: `Bearer `, size, parts, base64url, JOSE header, in this order.
pub(crate) fn parse(text: &[u8], max_bytes: usize) -> Result<Token<'_>, Error> {
    let text = without_bearer(text);
    if text.is_empty() {
        return Err(Error::new(Code::TokenMissing, "there is no token: the header is absent or empty"));
    }
    if text.len() > max_bytes {
        let message = format!("the token has {} bytes, max_token_bytes allows {max_bytes}", text.len());
        return Err(Error::new(Code::TokenTooLarge, message));
    }
    if text.contains(&b',') {
        let message = "a comma joins several header values: Pomerium sends exactly one token";
        return Err(Error::new(Code::TokenRepeated, message));
    }
    let [header, payload, signature] = three_parts(text)?;
    let signing_input = &text[..header.len() + 1 + payload.len()];
    let header = decode(header, "header")?;
    let payload = decode(payload, "payload")?;
    let signature = decode(signature, "signature")?;
    Ok(Token { header: Header::parse(&header)?, signing_input, payload, signature })
}

/// One `Bearer ` in any case, as `${pomerium.jwt}` in an Authorization header has it (Pomerium >= 0.28).
fn without_bearer(text: &[u8]) -> &[u8] {
    const BEARER: &[u8] = b"Bearer ";
    match text.split_at_checked(BEARER.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(BEARER) => token,
        _ => text,
    }
}

fn three_parts(text: &[u8]) -> Result<[&[u8]; 3], Error> {
    let mut parts = text.split(|&byte| byte == b'.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok([header, payload, signature]),
        _ => Err(malformed("the token is not three parts joined by two dots")),
    }
}

/// Strict base64url without padding (RFC 7515 section 2): one text for one sequence of bytes.
fn decode(part: &[u8], name: &str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed(format!("the {name} is not base64url without padding")))
}

impl Header {
    fn parse(text: &[u8]) -> Result<Self, Error> {
        // The reader's own sentence would quote names of a text that nobody has signed
        let header = json::parse_bytes(text).map_err(|_| malformed("the JOSE header is not strict JSON"))?;
        if !matches!(header, Json::Object(_)) {
            return Err(malformed(format!("the JOSE header is {}, not an object", header.kind())));
        }
        let key_id = match header.member("kid") {
            None => None,
            Some(Json::String(kid)) => Some(kid.clone().into_owned()),
            Some(other) => return Err(malformed(format!("kid in the JOSE header is {}, not a string", other.kind()))),
        };
        if header.member("typ").is_some_and(|typ| !is_jwt(typ)) {
            return Err(Error::new(Code::HeaderUnsupported, "typ in the JOSE header is not JWT"));
        }
        if header.member("crit").is_some() {
            let message = "the JOSE header has crit: it demands an extension that Pomerium never uses";
            return Err(Error::new(Code::HeaderUnsupported, message));
        }
        let algorithm = header.member("alg").and_then(Json::as_str).map(str::to_owned);
        Ok(Self { algorithm, key_id })
    }
}

/// Media types compare without case (RFC 7519 section 5.1).
fn is_jwt(typ: &Json<'_>) -> bool {
    typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT"))
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(Code::TokenMalformed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_is_removed_once_in_any_case_with_one_space() {
        let table: [(&[u8], &[u8]); 7] = [
            (b"Bearer a.b.c", b"a.b.c"),
            (b"bEARER a.b.c", b"a.b.c"),
            (b"Bearer ", b""),
            (b"Bearer", b"Bearer"),
            (b"Bearer  a", b" a"),
            (b"Bearer Bearer a", b"Bearer a"),
            (b"Basic a", b"Basic a"),
        ];
        for (text, expected) in table {
            assert_eq!(without_bearer(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn no_message_quotes_the_token() {
        let secret = "c2VjcmV0";
        for text in [
            secret.to_string(),
            format!("{secret}.{secret}.{secret}"),
            format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(r#"{"secret":1,"secret":2}"#)),
            format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(r#"{"typ":"secret"}"#)),
        ] {
            let error = parse(text.as_bytes(), 1000).map(|_| ()).expect_err("must be refused");
            assert!(!error.message().contains("secret") && !error.message().contains(secret), "{error}");
        }
    }
}
