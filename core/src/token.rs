//! Hostile bytes -> a parsed token. Nothing in it is believed yet.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    code::ErrorCode,
    error::Error,
    json::{self, Json},
};

/// The longest JOSE header read, in bytes after decoding. Pomerium's have about 120; the bound keeps what nobody has
/// signed cheap to refuse, however large `max_token_bytes` is.
const MAX_HEADER_BYTES: usize = 4096;

/// The deepest JOSE header read; Pomerium's have depth 1. Each level costs stack, which belongs to the caller's thread,
/// and this text may come from anybody.
const HEADER_DEPTH: usize = 8;

/// The members of a JOSE header that are looked at. `jwk`, `jku`, `x5u` and `x5c` are judged as JSON and no more: keys
/// come from the configured source only.
const HEADER_MEMBERS: [&str; 4] = ["alg", "crit", "kid", "typ"];

/// A JWS in compact serialization (RFC 7515 section 3.1), taken apart.
pub(crate) struct Token<'a> {
    pub(crate) header: Arc<Header>,
    /// The exact bytes received that the signature is over.
    pub(crate) signing_input: &'a [u8],
    /// The payload, decoded from base64url and nothing more.
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// What the checks need of the JOSE header.
#[derive(Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) algorithm: Option<String>,
    pub(crate) key_id: Option<String>,
    /// Its text in base64url.
    encoded: Box<[u8]>,
}

/// The JOSE header of the last token whose signature held. Pomerium writes the same one into every token of a key, so
/// it is compared before it is parsed.
#[derive(Default)]
pub(crate) struct LastHeader(ArcSwapOption<Header>);

impl LastHeader {
    fn find(&self, encoded: &[u8]) -> Option<Arc<Header>> {
        self.0.load().as_ref().filter(|header| *header.encoded == *encoded).cloned()
    }

    /// Only of a token whose signature held: nobody else decides what is remembered.
    pub(crate) fn remember(&self, header: &Arc<Header>) {
        if !self.0.load().as_ref().is_some_and(|last| Arc::ptr_eq(last, header)) {
            self.0.store(Some(header.clone()));
        }
    }
}

/// Takes the header's text apart: `Bearer `, size, parts, base64url, JOSE header, in this order.
pub(crate) fn parse<'a>(text: &'a [u8], max_bytes: usize, last: &LastHeader) -> Result<Token<'a>, Error> {
    let text = without_bearer(text);
    check_presence(text)?;
    check_size(text, max_bytes)?;
    let parts = Parts::split(text)?;
    let known = last.find(parts.header);
    let unknown = if known.is_none() { parts.decode_header()? } else { Vec::new() };
    let payload = parts.decode_payload()?;
    let signature = parts.decode_signature()?;
    let header = match known {
        Some(header) => header,
        None => Arc::new(Header::parse(&unknown, parts.header)?),
    };
    Ok(Token { header, signing_input: parts.signing_input, payload, signature })
}

pub(crate) fn check_presence(text: &[u8]) -> Result<(), Error> {
    if !text.is_empty() {
        return Ok(());
    }
    let message = "there is no token: the request's header is absent or empty. Pomerium sends an empty \
                   one if it cannot sign: signing_key is missing, or is an EC key on a curve other than P-256";
    Err(Error::new(ErrorCode::TokenMissing, message))
}

pub(crate) fn check_size(text: &[u8], max_bytes: usize) -> Result<(), Error> {
    if text.len() <= max_bytes {
        return Ok(());
    }
    let message = format!("the token has {} bytes; max_token_bytes allows {max_bytes}", text.len());
    Err(Error::new(ErrorCode::TokenTooLarge, message))
}

/// One `Bearer ` in any case, as `${pomerium.jwt}` in an Authorization header has it (Pomerium >= 0.28).
pub(crate) fn without_bearer(text: &[u8]) -> &[u8] {
    const BEARER: &[u8] = b"Bearer ";
    match text.split_at_checked(BEARER.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(BEARER) => token,
        _ => text,
    }
}

/// The three parts, still in base64url.
pub(crate) struct Parts<'a> {
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
    pub(crate) signing_input: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(crate) fn split(text: &'a [u8]) -> Result<Self, Error> {
        if memchr::memchr(b',', text).is_some() {
            let message = "a comma joins several header values: Pomerium sends exactly one token";
            return Err(Error::new(ErrorCode::TokenRepeated, message));
        }
        let mut dots = memchr::memchr_iter(b'.', text);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(malformed("the token is not three parts joined by two dots"));
        };
        Ok(Self {
            header: &text[..first],
            payload: &text[first + 1..second],
            signature: &text[second + 1..],
            signing_input: &text[..second],
        })
    }

    pub(crate) fn decode_header(&self) -> Result<Vec<u8>, Error> {
        decode(self.header, "header")
    }

    pub(crate) fn decode_payload(&self) -> Result<Vec<u8>, Error> {
        decode(self.payload, "payload")
    }

    pub(crate) fn decode_signature(&self) -> Result<Vec<u8>, Error> {
        decode(self.signature, "signature")
    }
}

/// Strict base64url without padding (RFC 7515 section 2): one text for one sequence of bytes.
fn decode(part: &[u8], name: &str) -> Result<Vec<u8>, Error> {
    // `decode` would ask for memory that is zeroed, which the C library takes longer to find
    let mut bytes = Vec::with_capacity(base64::decoded_len_estimate(part.len()));
    match URL_SAFE_NO_PAD.decode_vec(part, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(malformed(format!("the {name} is not base64url without padding"))),
    }
}

impl Header {
    fn parse(text: &[u8], encoded: &[u8]) -> Result<Self, Error> {
        let header = read_header(text)?;
        let key_id = key_id(&header)?.map(str::to_owned);
        check_type(&header)?;
        check_critical(&header)?;
        let algorithm = algorithm(&header).map(str::to_owned);
        Ok(Self { algorithm, key_id, encoded: encoded.into() })
    }
}

pub(crate) fn read_header(text: &[u8]) -> Result<Json<'_>, Error> {
    if text.len() > MAX_HEADER_BYTES {
        let message = format!("the JOSE header has {} bytes; at most {MAX_HEADER_BYTES} are accepted", text.len());
        return Err(malformed(message));
    }
    let header = json::parse_members(text, HEADER_DEPTH, &HEADER_MEMBERS).map_err(|_| {
        // The reader's own sentence would quote names of a text that nobody has signed
        malformed(format!("the JOSE header is not strict JSON, nested at most {HEADER_DEPTH} levels deep"))
    })?;
    if !matches!(header, Json::Object(_)) {
        return Err(malformed(format!("the JOSE header is {}, not an object", header.kind())));
    }
    Ok(header)
}

pub(crate) fn key_id<'a>(header: &'a Json<'_>) -> Result<Option<&'a str>, Error> {
    match header.member("kid") {
        None => Ok(None),
        Some(Json::String(kid)) => Ok(Some(kid)),
        Some(other) => Err(malformed(format!("kid in the JOSE header is {}, not a string", other.kind()))),
    }
}

pub(crate) fn check_type(header: &Json<'_>) -> Result<(), Error> {
    if header.member("typ").is_none_or(is_jwt) {
        return Ok(());
    }
    Err(Error::new(ErrorCode::HeaderUnsupported, "typ in the JOSE header is not JWT"))
}

pub(crate) fn check_critical(header: &Json<'_>) -> Result<(), Error> {
    if header.member("crit").is_none() {
        return Ok(());
    }
    let message = "the JOSE header has crit: it demands an extension that Pomerium never uses";
    Err(Error::new(ErrorCode::HeaderUnsupported, message))
}

pub(crate) fn algorithm<'a>(header: &'a Json<'_>) -> Option<&'a str> {
    header.member("alg").and_then(Json::as_str)
}

/// Media types compare without case (RFC 7519 section 5.1).
fn is_jwt(typ: &Json<'_>) -> bool {
    typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT"))
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::TokenMalformed, message)
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
    fn parts_are_what_is_between_two_dots_wherever_they_are() {
        for (first, second) in (0..100).flat_map(|first| (first..100).map(move |second| (first, second))) {
            let mut text = [b'A'; 100];
            (text[first], text[second]) = (b'.', b'.');
            let expected: Vec<&[u8]> = text.split(|byte| *byte == b'.').collect();
            match Parts::split(&text) {
                Ok(Parts { header, payload, signature, signing_input }) => {
                    assert_eq!([header, payload, signature], *expected, "{}", text.escape_ascii());
                    assert_eq!(signing_input, &text[..second]);
                }
                Err(_) => assert_eq!(expected.len(), 2, "{}", text.escape_ascii()),
            }
            let third = (first + second) / 2;
            for (byte, code) in [(b'.', ErrorCode::TokenMalformed), (b',', ErrorCode::TokenRepeated)] {
                let mut text = text;
                text[third] = byte;
                let dots = text.iter().filter(|byte| **byte == b'.').count();
                let refused = Parts::split(&text).map(|_| ()).map_err(|error| error.code());
                assert!(refused == Err(code) || (byte, dots) == (b'.', 2), "{}: {refused:?}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn the_header_that_verified_last_is_not_read_again_and_no_other_is_taken_for_it() {
        let token = |header: &str| format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
        let (known, other) = (token(r#"{"alg":"ES256"}"#), token(r#"{"alg":"HS256"}"#));
        let last = LastHeader::default();
        let header = |text: &str| parse(text.as_bytes(), 1000, &last).map(|token| token.header).expect("a header");

        let first = header(&known);
        assert!(!Arc::ptr_eq(&first, &header(&known)), "nothing is remembered before the signature held");
        last.remember(&first);
        assert!(Arc::ptr_eq(&first, &header(&known)));
        assert_eq!(header(&other).algorithm.as_deref(), Some("HS256"));
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
            let error = parse(text.as_bytes(), 1000, &LastHeader::default()).map(|_| ()).expect_err("must be refused");
            assert!(!error.message().contains("secret") && !error.message().contains(secret), "{error}");
        }
    }
}
