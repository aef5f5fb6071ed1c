//! The proxy that the environment asks for.

use std::net::IpAddr;

use ureq::{Proxy, ProxyProtocol, http::Uri};

use super::Request;
use crate::{keys::remote::Failure, status::LastErrorCode};

impl Request {
    /// The proxy, and the variable that names it. For https alone, never beside `connect_to` and never to loopback.
    /// HTTP_PROXY is never read: under CGI the client of the application sets it.
    pub(super) fn proxy(&self) -> Result<Option<(&'static str, Proxy)>, Failure> {
        if !self.is_https() || self.connect_to.is_some() {
            return Ok(None);
        }
        let host = self.url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
        if is_loopback_name(&host)
            || variable(["NO_PROXY", "no_proxy"]).is_some_and(|(_, list)| is_excepted(&host, &list))
        {
            return Ok(None);
        }
        let Some((name, url)) = variable(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) else {
            return Ok(None);
        };
        match Proxy::new(&url) {
            Ok(proxy) if matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) => {
                Ok(Some((name, proxy)))
            }
            _ => {
                // its value may hold a password
                let message = format!(
                    "the environment variable {name} is not the URL of an http or https proxy; correct it, or list \
                     {host} in NO_PROXY"
                );
                Err(Failure::new(LastErrorCode::Connect, message))
            }
        }
    }
}

/// The first of these environment variables that is set and not empty.
fn variable<const N: usize>(names: [&'static str; N]) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, std::env::var(name).ok().filter(|value| !value.is_empty())?)))
}

/// `localhost` and what is below it (RFC 6761 section 6.3), and the addresses of loopback.
fn is_loopback_name(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// NO_PROXY as curl and Go read its names: they cover their subdomains too, `*` everything.
fn is_excepted(host: &str, list: &str) -> bool {
    let bare = |host: &str| host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let host = bare(host);
    list.split([',', ' ']).map(bare).filter(|entry| !entry.is_empty()).any(|entry| {
        let name = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*" || host == name || (!name.is_empty() && host.ends_with(&format!(".{name}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_lists_names_with_their_subdomains() {
        let table = [
            ("keys.example.test", "keys.example.test", true),
            ("keys.example.test", "example.test", true),
            ("keys.example.test", ".example.test", true),
            ("keys.example.test", "*.example.test", true),
            ("keys.example.test", "other.test, EXAMPLE.TEST", true),
            ("keys.example.test", "other.test example.test", true),
            ("KEYS.example.test", "keys.EXAMPLE.test", true),
            ("keys.example.test", "*", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("[2001:db8::1]", "2001:db8::1", true),
            ("[2001:db8::1]", "[2001:db8::1]", true),
            ("keys.example.test", "", false),
            ("keys.example.test", " , ", false),
            ("keys.example.test", "ample.test", false),
            ("keys.example.test", "s.example.test", false),
            ("keys.example.test", "keys.example.test.evil", false),
            ("example.test", "keys.example.test", false),
            ("192.0.2.1", "192.0.2.2", false),
        ];
        for (host, list, excepted) in table {
            assert_eq!(is_excepted(host, list), excepted, "{host} with NO_PROXY={list:?}");
        }
    }

    #[test]
    fn loopback_is_never_asked_through_a_proxy() {
        for host in ["localhost", "LocalHost", "app.localhost", "127.0.0.1", "127.8.9.10", "[::1]"] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in ["localhost.example", "notlocalhost", "128.0.0.1", "0.0.0.0", "[::2]", "[::ffff:127.0.0.1]"] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }
}
