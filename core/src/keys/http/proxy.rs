//! The proxy that the environment asks for.

use std::net::IpAddr;

use ureq::{Proxy, ProxyProtocol, http::Uri};

use super::Client;
use crate::keys::{answer::Failure, source::is_loopback_name, state::LastErrorCode};

impl Client {
    /// The proxy, and the variable that names it. For https alone, never with `connect_to` and never to loopback.
    /// HTTP_PROXY is never read: under CGI the client of the application sets it.
    pub(super) fn proxy(&self) -> Result<Option<(&'static str, Proxy)>, Failure> {
        if !self.is_https() || self.fetch.connect_to.is_some() {
            return Ok(None);
        }
        let uri = self.url.parse::<Uri>().unwrap_or_default();
        let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443));
        if is_loopback_name(host)
            || variable(["NO_PROXY", "no_proxy"]).is_some_and(|(_, list)| is_excepted(host, port, &list))
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

/// NO_PROXY as curl and Go read it: a name covers its subdomains too, `10.0.0.0/8` a network, `*` everything; with
/// `:port` at its end an entry is for that port alone.
///
/// Not left to a library: ureq 3.5 takes neither networks nor ports, hyper-util no ports.
fn is_excepted(host: &str, port: u16, list: &str) -> bool {
    let host = bare(host).to_ascii_lowercase();
    list.split([',', ' ']).any(|entry| covers(&entry.to_ascii_lowercase(), &host, port))
}

fn covers(entry: &str, host: &str, port: u16) -> bool {
    let (name, only_port) = split_port(entry);
    if only_port.is_some_and(|only| only != port) {
        return false;
    }
    if name == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return holds(bare(name), address).unwrap_or_default();
    }
    let name = name.trim_start_matches('*').trim_start_matches('.');
    let parent = host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    parent && !name.is_empty()
}

/// The port at the end of `host:port` and `[::1]:port`; an IPv6 address without brackets has none.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    let split = entry.rsplit_once(':').and_then(|(name, port)| Some((name, Some(port.parse().ok()?))));
    split.filter(|_| entry.parse::<IpAddr>().is_err()).unwrap_or((entry, None))
}

/// Whether an entry is this address (`192.0.2.1`) or a network that holds it (`192.0.2.0/24`); none if it is neither.
fn holds(entry: &str, address: IpAddr) -> Option<bool> {
    let (network, length) = entry.split_once('/').map_or((entry, None), |(network, length)| (network, Some(length)));
    let (network, address, bits) = match (network.parse().ok()?, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (network.to_bits().into(), address.to_bits().into(), 32),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return None,
    };
    let length = length.map_or(Some(bits), |length| length.parse().ok().filter(|length| *length <= bits))?;
    let different: u128 = network ^ address;
    Some(different.checked_shr(bits - length).unwrap_or_default() == 0)
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
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
            ("192.0.2.1", "2.1", false),
            ("192.0.2.1", "*.2.1", false),
        ];
        for (host, list, excepted) in table {
            assert_eq!(is_excepted(host, 443, list), excepted, "{host} with NO_PROXY={list:?}");
        }
    }

    #[test]
    fn no_proxy_lists_networks() {
        let table = [
            ("10.1.2.3", "10.0.0.0/8", true),
            ("10.1.2.3", "10.9.9.9/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "other.test,10.1.2.0/24", true),
            ("10.1.3.3", "10.1.2.0/24", false),
            ("10.1.2.3", "10.1.2.3/32", true),
            ("10.1.2.2", "10.1.2.3/32", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("10.1.2.3", "::/0", false),
            ("[2001:db8::1]", "2001:db8::/32", true),
            ("[2001:db9::1]", "2001:db8::/32", false),
            ("[2001:db8::1]", "::/0", true),
            ("[2001:db8::1]", "0.0.0.0/0", false),
            ("[2001:db8::1]", "2001:0db8:0::1", true),
            ("10.1.2.3", "10.1.2.3/33", false),
            ("10.1.2.3", "10.0.0.0/", false),
            ("10.1.2.3", "10.0.0.0/x", false),
            ("10.1.2.3", "10/8", false),
            ("ten.example.test", "10.0.0.0/8", false),
        ];
        for (host, list, excepted) in table {
            assert_eq!(is_excepted(host, 443, list), excepted, "{host} with NO_PROXY={list:?}");
        }
    }

    #[test]
    fn no_proxy_may_be_for_one_port() {
        let table = [
            ("keys.example.test", 443, "keys.example.test:443", true),
            ("keys.example.test", 8443, "keys.example.test:443", false),
            ("keys.example.test", 8443, "keys.example.test:443,keys.example.test:8443", true),
            ("keys.example.test", 8443, "keys.example.test", true),
            ("keys.example.test", 443, "*.example.test:443", true),
            ("keys.example.test", 8443, ".example.test:443", false),
            ("keys.example.test", 443, "*:443", true),
            ("keys.example.test", 443, "*:8443", false),
            ("192.0.2.1", 443, "192.0.2.1:443", true),
            ("192.0.2.1", 8443, "192.0.2.1:443", false),
            ("[2001:db8::1]", 443, "[2001:db8::1]:443", true),
            ("[2001:db8::1]", 8443, "[2001:db8::1]:443", false),
            ("[2001:db8::1]", 8443, "[2001:db8::1]", true),
            ("[2001:db8::443]", 443, "2001:db8::443", true),
            ("keys.example.test", 443, "keys.example.test:", false),
            ("keys.example.test", 443, "keys.example.test:https", false),
            ("keys.example.test", 443, "keys.example.test:65979", false),
        ];
        for (host, port, list, excepted) in table {
            assert_eq!(is_excepted(host, port, list), excepted, "{host}:{port} with NO_PROXY={list:?}");
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
