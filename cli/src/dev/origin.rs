//! Where a request comes from, and where an answer may lead to.

use hyper::{
    HeaderMap, Method, Request,
    header::{HeaderName, HeaderValue, ORIGIN},
};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether `host` or `host:port` is this machine, as browsers name it, or one of these hosts. With any port: a forwarded
/// one is another.
pub(super) fn is_own(authority: &str, hosts: &[String]) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let here = ["localhost", "127.0.0.1", "[::1]"];
    let mut own = here.into_iter().chain(hosts.iter().map(String::as_str));
    port.is_none_or(is_port) && own.any(|own| own.eq_ignore_ascii_case(host))
}

/// Browsers say where a POST comes from, in at least one of the two headers; what says nothing is refused.
pub(super) fn is_same_origin(headers: &HeaderMap, authority: &str) -> bool {
    let sites: Vec<&[u8]> = headers.get_all(FETCH_SITE).iter().map(HeaderValue::as_bytes).collect();
    let origins: Vec<&[u8]> = headers.get_all(ORIGIN).iter().map(HeaderValue::as_bytes).collect();
    let own = format!("http://{authority}");
    let is_own = |origin: &&[u8]| origin.eq_ignore_ascii_case(own.as_bytes());
    let says_something = !sites.is_empty() || !origins.is_empty();
    says_something && sites.iter().all(|site| *site == b"same-origin") && origins.iter().all(is_own)
}

/// Whether a page of another origin causes the request, in a browser. Opening a page by a link is not that, as with
/// SameSite=Lax.
pub(super) fn is_of_another_site<B>(request: &Request<B>, authority: &str) -> bool {
    let headers = request.headers();
    let is_link =
        request.method() == Method::GET && headers.get("sec-fetch-dest").is_some_and(|dest| dest == "document");
    let names_a_site = headers.contains_key(FETCH_SITE) || headers.contains_key(ORIGIN);
    let was_typed = headers.get(FETCH_SITE).is_some_and(|site| site == "none") && !headers.contains_key(ORIGIN);
    names_a_site && !is_link && !was_typed && !is_same_origin(headers, authority)
}

/// The path of a return address, if it is one of this address: no other site is ever led to.
pub(super) fn inside<'t>(then: &'t str, authority: &str) -> Option<&'t str> {
    let path = match then.strip_prefix("http://") {
        None => then,
        Some(rest) => {
            let path = rest.get(authority.len()..)?;
            if !rest[..authority.len()].eq_ignore_ascii_case(authority) {
                return None;
            }
            if path.is_empty() { "/" } else { path }
        }
    };
    // Browsers take // and /\ for another host, and drop tabs and line ends
    let is_inside = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\");
    (is_inside && path.bytes().all(|byte| byte.is_ascii_graphic())).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_address_stays_here() {
        let table = [
            ("/", Some("/")),
            ("/a?b=c#d", Some("/a?b=c#d")),
            ("http://localhost:8443", Some("/")),
            ("http://LOCALHOST:8443/a", Some("/a")),
            ("http://localhost:8443?a", None),
            ("http://localhost:8443.evil.example/", None),
            ("http://localhost:8443@evil.example/", None),
            ("http://localhost:8443//evil.example/", None),
            ("http://localhost/", None),
            ("https://localhost:8443/", None),
            ("//evil.example", None),
            ("/\\evil.example", None),
            ("\\\\evil.example", None),
            ("/\t/evil.example", None),
            ("/\n/evil.example", None),
            ("/ü", None),
            ("javascript:alert(1)", None),
            ("evil", None),
            ("", None),
        ];
        for (then, expected) in table {
            assert_eq!(inside(then, "localhost:8443"), expected, "{then:?}");
        }
    }

    #[test]
    fn only_a_page_of_this_address_switches_the_user() {
        const OWN: &str = "http://localhost:8443";
        let table: [(&[(&str, &str)], bool); 12] = [
            (&[("sec-fetch-site", "same-origin"), ("origin", OWN)], true),
            (&[("origin", OWN)], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[], false),
            (&[("origin", "null")], false),
            (&[("origin", "http://localhost:3000")], false),
            (&[("origin", "https://localhost:8443")], false),
            (&[("sec-fetch-site", "same-site"), ("origin", OWN)], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")], false),
            (&[("origin", OWN), ("origin", "http://evil.example")], false),
        ];
        for (lines, expected) in table {
            let pair = |(name, value): &(&str, &str)| {
                (name.parse::<HeaderName>().expect("a name"), HeaderValue::from_str(value).expect("a value"))
            };
            let headers: HeaderMap = lines.iter().map(pair).collect();
            assert_eq!(is_same_origin(&headers, "localhost:8443"), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_not_the_first_user() {
        const OWN: &str = "http://localhost:8443";
        const OTHER: &str = "http://evil.example";
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);
        let table: [Row<'_>; 13] = [
            ("GET", &[], false),
            ("POST", &[], false),
            ("GET", &[("sec-fetch-site", "none"), ("sec-fetch-dest", "document")], false),
            ("GET", &[("sec-fetch-site", "none"), ("sec-fetch-dest", "empty")], false),
            ("GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")], false),
            ("GET", &[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "empty")], false),
            ("POST", &[("origin", OWN)], false),
            ("GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")], true),
            ("GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "iframe")], true),
            ("GET", &[("sec-fetch-site", "same-site"), ("sec-fetch-dest", "empty"), ("origin", OTHER)], true),
            ("POST", &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document"), ("origin", OTHER)], true),
            ("GET", &[("upgrade", "websocket"), ("origin", OTHER)], true),
            ("POST", &[("origin", "null")], true),
        ];
        for (method, lines, expected) in table {
            let mut request = Request::builder().method(method);
            for (name, value) in lines {
                request = request.header(*name, *value);
            }
            let request = request.body(()).expect("a request");
            assert_eq!(is_of_another_site(&request, "localhost:8443"), expected, "{method} {lines:?}");
        }
    }
}
