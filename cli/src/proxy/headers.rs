//! Headers that end at a proxy, and names that an upstream could read as the same one.

use hyper::{
    HeaderMap,
    header::{
        CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
        TRAILER, TRANSFER_ENCODING, UPGRADE,
    },
};

/// Of one connection, whether `Connection` names them or not (RFC 9110, 7.6.1). `proxy` would be HTTP_PROXY under CGI.
const HOP_BY_HOP: [HeaderName; 13] = [
    CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    EXPECT,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("proxy"),
    HeaderName::from_static("proxy-authentication-info"),
];

/// Removes them, and every header that `Connection` names but those without which a message means something else.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named = listed(headers, &CONNECTION).filter_map(|name| HeaderName::from_bytes(name).ok());
        let named: Vec<HeaderName> = named.filter(|name| *name != HOST && *name != CONTENT_LENGTH).collect();
        named.iter().for_each(|name| drop(headers.remove(name)));
    }
    HOP_BY_HOP.iter().for_each(|name| drop(headers.remove(name)));
}

/// The entries of a list header, trimmed.
pub(super) fn listed<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
}

/// Whether CGI, WSGI, PHP or a framework could take the one for the other: case does not matter, and everything but
/// letters and digits becomes the same character.
pub(crate) fn is_read_alike(name: &str, other: &str) -> bool {
    let read = |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' };
    name.len() == other.len() && name.bytes().map(read).eq(other.bytes().map(read))
}

/// Removes every header that could be taken for one of these.
pub(crate) fn remove_alike(headers: &mut HeaderMap, names: &[HeaderName]) {
    remove_if(headers, |name| names.iter().any(|other| is_read_alike(name, other.as_str())));
}

/// Removes every header that could be taken for one that begins so.
pub(crate) fn remove_beginning(headers: &mut HeaderMap, prefix: &str) {
    remove_if(headers, |name| name.get(..prefix.len()).is_some_and(|start| is_read_alike(start, prefix)));
}

fn remove_if(headers: &mut HeaderMap, condition: impl Fn(&str) -> bool) {
    let found: Vec<HeaderName> = headers.keys().filter(|name| condition(name.as_str())).cloned().collect();
    found.iter().for_each(|name| drop(headers.remove(name)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        lines.iter().map(pair).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_belongs_to_one_connection_ends_here() {
        type Lines<'a> = &'a [(&'a str, &'a str)];
        let table: [(Lines<'_>, &[&str]); 6] = [
            (&[("connection", "close, X-Named"), ("x-named", "1"), ("x-other", "1")], &["x-other"]),
            (&[("connection", "x-a"), ("connection", " X-B ,"), ("x-a", "1"), ("x-b", "1")], &[]),
            (
                &[("connection", "host, content-length"), ("host", "a"), ("content-length", "1")],
                &["content-length", "host"],
            ),
            (&[("te", "trailers"), ("trailer", "x"), ("transfer-encoding", "chunked"), ("upgrade", "h2c")], &[]),
            (&[("keep-alive", "1"), ("proxy-connection", "close"), ("http2-settings", "AA"), ("proxy", "x")], &[]),
            (&[("connection", "not a name, \"x\""), ("cookie", "a=b")], &["cookie"]),
        ];
        for (lines, expected) in table {
            let mut headers = map(lines);
            remove_hop_by_hop(&mut headers);
            assert_eq!(names(&headers), expected, "{lines:?}");
        }
    }

    #[test]
    fn every_spelling_of_a_name_is_removed() {
        let all = ["Remote-User", "remote_user", "REMOTE-USER", "Remote.User", "remote~user", "Remote!User"];
        for name in all {
            let mut headers = map(&[(name, "mallory"), ("remote-user-agent", "x"), ("remoteuser", "x")]);
            remove_alike(&mut headers, &[HeaderName::from_static("remote-user")]);
            assert_eq!(names(&headers), ["remote-user-agent", "remoteuser"], "{name}");
        }
    }
}
