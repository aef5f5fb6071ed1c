//! Pomerium's route URLs: the option `route`, which gives names and the address of the keys.

use crate::url::is_authority;

/// The `from:` URL of a Pomerium route.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    /// `https://app.example.com:8443`, lower-cased, without a slash at its end.
    origin: String,
    /// The host without its port: Pomerium never writes the port into a token.
    pub(crate) host: String,
}

impl Route {
    /// # Errors
    /// A sentence that says what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let shape = || {
            format!(
                "route {text:?}: write Pomerium's from: URL as https://host[:port], nothing after it: a token names the \
                 host alone, without port or path"
            )
        };
        let lower = text.to_ascii_lowercase();
        let origin = lower.strip_suffix('/').unwrap_or(&lower);
        let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).ok_or_else(shape)?;
        if authority.starts_with('[') {
            let why = "Pomerium garbles an IPv6 address in its tokens; give the route a host name";
            return Err(format!("route {text:?}: IPv6 cannot be used; {why}"));
        }
        let host = authority.split_once(':').map_or(authority, |(host, _)| host);
        let name = host.strip_prefix("*.").unwrap_or(host);
        if name.contains('*') {
            return Err(format!("route {text:?}: * only as the first label, followed by a host"));
        }
        if !is_authority(&authority[host.len() - name.len()..]) {
            return Err(shape());
        }
        Ok(Self { host: host.to_owned(), origin: origin.to_owned() })
    }

    /// The URL at which this route publishes the keys; none for a wildcard.
    pub(crate) fn jwks_url(&self) -> Option<String> {
        (!self.host.contains('*')).then(|| well_known(&self.origin))
    }
}

/// The key set's address below an origin (Pomerium >= 0.20 serves it on every route's host).
pub(crate) fn well_known(origin: &str) -> String {
    format!("{origin}/.well-known/pomerium/jwks.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_origins_and_nothing_else() {
        let good = [
            ("https://app.example.com", "app.example.com", Some("https://app.example.com")),
            ("HTTPS://App.Example.COM:8443/", "app.example.com", Some("https://app.example.com:8443")),
            ("https://*.apps.example.com", "*.apps.example.com", None),
        ];
        for (text, host, origin) in good {
            let route = Route::parse(text).unwrap();
            assert_eq!((route.host.as_str(), route.jwks_url()), (host, origin.map(well_known)), "{text}");
        }
        for bad in [
            "",
            "https://",
            "https:///",
            "https://a//",
            "https://a/b",
            "https://a?b",
            "https://a#b",
            "https://u@a",
            "https://a:",
            "https://a:0",
            "https://a:65536",
            "https://a:080",
            "https://a:8a",
            "ftp://a",
            "https://.a",
            "https://a b",
            "https://a\\b",
            "https://a%2eb",
            "https://*",
            "https://*.",
            "https://*.*.a",
            "https://é",
            " https://a",
            "https://a:1:2",
            "https://[::1]",
            "https://*a.b",
        ] {
            assert!(Route::parse(bad).is_err(), "{bad:?} must be refused");
        }
    }
}
