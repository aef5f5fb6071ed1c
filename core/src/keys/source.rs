//! Where the keys come from: which of the options says so.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use crate::{url, wording::quoted};

/// The key source, as configured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// `jwks`.
    Inline(String),
    /// `jwks_file`.
    File(PathBuf),
    /// `public_key`.
    Pem(String),
    /// `public_key_file`.
    PemFile(PathBuf),
    /// `jwks_url`, given or derived, and `jwks_initial`.
    Url { url: String, initial: Option<String> },
}

impl Source {
    /// For `status` and for the log line at start.
    pub(crate) fn describe(&self) -> String {
        match self {
            Source::Inline(_) => "jwks".to_owned(),
            Source::File(path) => format!("jwks_file {}", path.display()),
            Source::Pem(_) => "public_key".to_owned(),
            Source::PemFile(path) => format!("public_key_file {}", path.display()),
            Source::Url { url, .. } => format!("jwks_url {url}"),
        }
    }
}

/// How keys are fetched: the options that say so.
#[derive(Debug, Clone, Default)]
#[cfg_attr(not(feature = "fetch"), allow(dead_code, reason = "nothing fetches"))]
pub(crate) struct FetchOptions {
    pub(crate) connect_to: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) ca_pem: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) allow_http: bool,
}

/// `http(s)://host[:port][/path][?query]` in printable ASCII.
pub(crate) fn check_url(url: &str) -> Result<(), String> {
    let wrong = || format!("jwks_url {}: write https://host[:port]/path", quoted(url));
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or_else(wrong)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let printable = url.bytes().all(|b| b.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&b)) && url.len() <= 2048;
    (printable && is_authority_or_ipv6(authority)).then_some(()).ok_or_else(wrong)
}

/// Whether a host can do what the options say of fetching.
///
/// # Errors
/// A sentence for `invalid_options`.
pub(super) fn check_host_fetching(url: &str, fetch: &FetchOptions) -> Result<(), String> {
    let FetchOptions { connect_to, ca_file, ca_pem, allow_http, timeout: _ } = fetch;
    let set = [("connect_to", connect_to.is_some()), ("ca_file", ca_file.is_some()), ("ca_pem", ca_pem.is_some())];
    if let Some((name, _)) = set.into_iter().find(|(_, set)| *set) {
        return Err(format!("{name}: the host fetches the keys, so it decides how to connect: leave {name} out"));
    }
    // only the host knows which address is dialled
    let plain = url.strip_prefix("http://").filter(|_| !allow_http);
    let host = plain.map(|rest| rest.split(['/', '?']).next().unwrap_or_default()).map(without_port);
    match host {
        Some(host) if !is_loopback_name(host) => {
            Err(format!("jwks_url {url}: plain http, and {host} is not loopback: use https, or set allow_http"))
        }
        _ => Ok(()),
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// `localhost` and what is below it (RFC 6761 section 6.3), and the addresses of loopback, those of IPv6 in brackets.
pub(super) fn is_loopback_name(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `host[:port]`. The host may be an IPv6 address in brackets.
pub(crate) fn is_authority_or_ipv6(text: &str) -> bool {
    let Some(bracketed) = text.strip_prefix('[') else { return url::is_authority(text) };
    let Some((address, port)) = bracketed.split_once(']') else { return false };
    let is_port = || port.starts_with(':') && url::is_authority(&format!("host{port}"));
    address.parse::<std::net::Ipv6Addr>().is_ok() && (port.is_empty() || is_port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_fetches_over_https_or_from_loopback_and_connects_as_it_likes() {
        let https = "https://keys.example.test/keys";
        let default = FetchOptions::default;
        let rows = [
            (https, default(), ""),
            (https, FetchOptions { connect_to: Some("10.0.0.1:443".to_owned()), ..default() }, "connect_to: the host"),
            (https, FetchOptions { ca_file: Some(PathBuf::from("ca.pem")), ..default() }, "ca_file: the host"),
            (https, FetchOptions { ca_pem: Some(String::new()), ..default() }, "ca_pem: the host"),
            ("http://localhost/keys", default(), ""),
            ("http://127.0.0.1:8080/keys", default(), ""),
            ("http://[::1]:8080?keys", default(), ""),
            ("http://[::1]/keys", default(), ""),
            ("http://pomerium:80/keys", default(), "pomerium is not loopback"),
            ("http://10.0.0.1/localhost", default(), "10.0.0.1 is not loopback"),
            ("http://[::2]/keys", default(), "[::2] is not loopback"),
            ("http://pomerium/keys", FetchOptions { allow_http: true, ..default() }, ""),
        ];
        for (url, fetch, why) in rows {
            match check_host_fetching(url, &fetch) {
                Ok(()) => assert_eq!(why, "", "{url} with {fetch:?} must be refused"),
                Err(message) => assert!(!why.is_empty() && message.contains(why), "{url}: {message}, expected {why:?}"),
            }
        }
    }

    #[test]
    fn an_authority_is_a_host_and_perhaps_a_port() {
        for good in ["[::1]", "[::1]:80", "host", "host:80", "127.0.0.1"] {
            assert!(is_authority_or_ipv6(good), "{good}");
        }
        for bad in ["[::1", "[::1]80", "[host]", "[host]:80", "[]", "[::1]:", "user@host", ""] {
            assert!(!is_authority_or_ipv6(bad), "{bad}");
        }
    }
}
