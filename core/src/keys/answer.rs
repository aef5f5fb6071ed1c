//! Reads the answer to a request for keys: status, ETag, Cache-Control, content encoding and size, for every sender of
//! the request.

use super::{jwk::MAX_BYTES, state::LastErrorCode};

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// A new set, not yet read. `max_age` is Cache-Control's, in seconds.
    Set { body: Vec<u8>, etag: Option<String>, max_age: Option<i64> },
    /// The set that the request's ETag names is still the source's.
    NotModified { max_age: Option<i64> },
}

/// Why a fetch brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(super) code: LastErrorCode,
    pub(super) message: String,
}

impl Failure {
    pub(crate) fn new(code: LastErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What status and headers say.
pub(super) enum Head<'u> {
    /// That is the whole answer.
    Complete(Fetched),
    /// The body has the keys.
    Body(Body<'u>),
}

/// A body that is not read yet.
pub(super) struct Body<'u> {
    url: &'u str,
    etag: Option<String>,
    max_age: Option<i64>,
}

impl<'u> Head<'u> {
    /// Judges status and headers: only 200 has a body to read, which is not encoded; only 304 is an answer without one,
    /// and only if the request was `conditional`, which is to say that it had an `If-None-Match`. A redirect is not
    /// followed, because it could lead anywhere.
    pub(super) fn read<N: AsRef<str>, V: AsRef<[u8]>>(
        url: &'u str,
        conditional: bool,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, Failure> {
        let headers = Headers::read(headers);
        let max_age = headers.max_age();
        match status {
            304 if conditional => Ok(Head::Complete(Fetched::NotModified { max_age })),
            200 if headers.encoded => Err(encoded(url)),
            200 => Ok(Head::Body(Body { url, etag: headers.etag, max_age })),
            _ => Err(wrong_status(url, status)),
        }
    }
}

impl Body<'_> {
    /// The most of a body that has to be read to see that it is too large.
    #[cfg(feature = "fetch")]
    pub(super) const LONGEST_READ: u64 = MAX_BYTES as u64 + 1;

    /// The whole answer.
    pub(super) fn complete(self, body: Vec<u8>) -> Result<Fetched, Failure> {
        if body.len() > MAX_BYTES {
            return Err(self.too_large());
        }
        Ok(Fetched::Set { body, etag: self.etag, max_age: self.max_age })
    }

    pub(super) fn too_large(&self) -> Failure {
        let message = format!("{} answered with more than {MAX_BYTES} bytes: is it a key set? see jwks_url", self.url);
        Failure::new(LastErrorCode::Body, message)
    }
}

/// A whole answer, as a host has it.
pub(super) fn read<N: AsRef<str>, V: AsRef<[u8]>>(
    url: &str,
    conditional: bool,
    status: u16,
    headers: impl IntoIterator<Item = (N, V)>,
    body: &[u8],
) -> Result<Fetched, Failure> {
    match Head::read(url, conditional, status, headers)? {
        Head::Complete(fetched) => Ok(fetched),
        Head::Body(head) if body.len() > MAX_BYTES => Err(head.too_large()),
        Head::Body(head) => head.complete(body.to_vec()),
    }
}

/// The headers that mean something. Read without an HTTP library: a host's headers come from its own.
#[derive(Debug, Default)]
struct Headers {
    etag: Option<String>,
    /// The directives of Cache-Control, in lower case.
    cache_control: Vec<String>,
    encoded: bool,
}

impl Headers {
    fn read<N: AsRef<str>, V: AsRef<[u8]>>(headers: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut read = Self::default();
        for (name, value) in headers {
            let (name, value) = (name.as_ref(), value.as_ref());
            if name.eq_ignore_ascii_case("content-encoding") {
                read.encoded |= is_encoded(value);
                continue;
            }
            let Some(value) = std::str::from_utf8(value).ok().filter(|value| is_text(value)) else { continue };
            if name.eq_ignore_ascii_case("etag") && read.etag.is_none() {
                read.etag = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("cache-control") {
                read.cache_control.extend(value.split(',').map(|directive| directive.trim().to_ascii_lowercase()));
            }
        }
        read
    }

    /// Cache-Control's max-age in seconds (RFC 9111 section 5.2.2.1); 0 for no-store and no-cache. `ttl.rs` raises what
    /// is too short.
    fn max_age(&self) -> Option<i64> {
        if self.cache_control.iter().any(|directive| directive == "no-store" || directive == "no-cache") {
            return Some(0);
        }
        let seconds = self.cache_control.iter().find_map(|directive| directive.strip_prefix("max-age="))?;
        let seconds = seconds.trim_matches('"');
        // longer than a number can say is long
        let is_number = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| seconds.parse().unwrap_or(i64::MAX))
    }
}

/// Whether the body is encoded. "identity", in any case (RFC 9110 section 8.4.1), and an empty list say that it is not.
fn is_encoded(value: &[u8]) -> bool {
    let mut codings = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

/// Visible ASCII, spaces and tabs: a value that may be sent back as it came.
fn is_text(value: &str) -> bool {
    value.bytes().all(|byte| byte == b'\t' || (b' '..0x7f).contains(&byte))
}

fn wrong_status(url: &str, status: u16) -> Failure {
    let fix = match status {
        304 => "the request was not conditional, so a cache in front of it is broken; see jwks_url",
        300..=399 => "redirects are not followed; set jwks_url to the address of the keys",
        401 | 403 | 404 => "is it the host of a Pomerium route? see jwks_url",
        500..=599 => "the fault is in that server, unless jwks_url is wrong",
        _ => "that is not an answer to a request for keys; see jwks_url",
    };
    Failure::new(LastErrorCode::Status, format!("{url} answered {status}: {fix}"))
}

fn encoded(url: &str) -> Failure {
    let message = format!(
        "{url} answered in a content encoding that was not asked for; set jwks_url or connect_to to a server that does \
         not compress unasked"
    );
    Failure::new(LastErrorCode::Body, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://keys.example.test/";

    fn answer(conditional: bool, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<Fetched, Failure> {
        read(URL, conditional, status, headers.iter().copied(), body)
    }

    fn set(etag: Option<&str>, max_age: Option<i64>) -> Result<Fetched, Failure> {
        Ok(Fetched::Set { body: b"{}".to_vec(), etag: etag.map(str::to_owned), max_age })
    }

    #[test]
    fn headers_are_read_in_any_case_and_the_first_etag_counts() {
        type Row<'a> = (&'a [(&'a str, &'a str)], Result<Fetched, Failure>);
        let rows: [Row<'_>; 18] = [
            (&[], set(None, None)),
            (&[("ETag", "\"a\"")], set(Some("\"a\""), None)),
            (&[("etag", "\"a\""), ("ETAG", "\"b\"")], set(Some("\"a\""), None)),
            (&[("etag", "a\r\nX-Injected: 1")], set(None, None)),
            (&[("etag", "\u{e9}")], set(None, None)),
            (&[("Cache-Control", "max-age=60")], set(None, Some(60))),
            (&[("cache-control", "public, Max-Age=\"60\"")], set(None, Some(60))),
            (&[("cache-control", "public"), ("cache-control", "max-age=7")], set(None, Some(7))),
            (&[("cache-control", "max-age=99999999999999999999")], set(None, Some(i64::MAX))),
            (&[("cache-control", "max-age=-1")], set(None, None)),
            (&[("cache-control", "max-age=")], set(None, None)),
            (&[("cache-control", "max-age=\"\"")], set(None, None)),
            (&[("cache-control", "max-age=60, no-store")], set(None, Some(0))),
            (&[("cache-control", "no-cache")], set(None, Some(0))),
            (&[("content-encoding", "")], set(None, None)),
            (&[("Content-Encoding", " Identity ,")], set(None, None)),
            (&[("content-encoding", "identity"), ("content-encoding", "gzip")], Err(encoded(URL))),
            (&[("content-encoding", "identity, br")], Err(encoded(URL))),
        ];
        for (headers, expected) in rows {
            assert_eq!(answer(false, 200, headers, b"{}"), expected, "{headers:?}");
        }
    }

    #[test]
    fn only_200_and_an_expected_304_are_answers() {
        let unchanged = Ok(Fetched::NotModified { max_age: Some(60) });
        assert_eq!(answer(true, 304, &[("cache-control", "max-age=60")], b""), unchanged);
        assert_eq!(answer(true, 304, &[("content-encoding", "gzip")], b""), Ok(Fetched::NotModified { max_age: None }));
        for (conditional, status) in [(false, 304), (true, 301), (true, 206), (true, 404), (true, 500), (true, 0)] {
            let failure = answer(conditional, status, &[], b"{}").expect_err("not an answer");
            assert_eq!(failure.code, LastErrorCode::Status);
            assert!(failure.message.contains(&format!("answered {status}:")), "{failure:?}");
        }
    }

    #[test]
    fn a_body_has_a_largest_size() {
        assert!(answer(false, 200, &[], &vec![b' '; MAX_BYTES]).is_ok());
        let failure = answer(false, 200, &[], &vec![b' '; MAX_BYTES + 1]).expect_err("too large");
        assert_eq!(failure.code, LastErrorCode::Body);
    }
}
