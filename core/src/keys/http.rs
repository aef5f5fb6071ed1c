//! The one GET that brings the keys. What may be asked, and what is taken for an answer, is decided here.

use std::{io, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use ureq::{
    Agent, Proxy, ProxyProtocol,
    http::{HeaderMap, Response, StatusCode, Uri, header},
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
    unversioned::transport::DefaultConnector,
};

use super::{
    dial::{Dial, Refusal},
    flight::{Failure, Fetched, Fetcher},
    jwk::MAX_BYTES,
    local,
};
use crate::{options::Options, status::LastErrorCode};

/// The largest `ca_file`: the system's own bundles have about 220 kB.
const MAX_CA_BYTES: usize = 4 * 1024 * 1024;

/// Everything a fetch needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) url: String,
    pub(crate) connect_to: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) ca_pem: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) allow_http: bool,
}

impl Fetcher for Request {
    /// A new agent each time: no pooled connection outlives its fetch, roots and proxy are read anew.
    fn fetch(&self, etag: Option<&str>) -> Result<Fetched, Failure> {
        let config = Agent::config_builder()
            .timeout_global(Some(self.timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(self.proxy()?)
            .tls_config(self.tls()?)
            .user_agent(concat!("pomerium-jwt/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::with_parts(
            config,
            DefaultConnector::new(),
            Dial::new(self.connect_to.clone(), !self.is_https() && !self.allow_http),
        );
        let mut request = agent.get(&self.url).header(header::ACCEPT, "application/json");
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = request.call().map_err(|error| self.explain(&error))?;
        self.read(response, etag.is_some())
    }
}

impl Request {
    /// Checks the CA options now, although the file is read again at each fetch.
    ///
    /// # Errors
    /// A sentence for `invalid_options`.
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, String> {
        if let Some(path) = &options.ca_file {
            let readable = local::read(path.as_ref(), MAX_CA_BYTES).and_then(|text| certificates(&text));
            readable.map_err(|why| format!("ca_file {path}: {why}"))?;
        }
        if let Some(text) = &options.ca_pem {
            certificates(text.as_bytes()).map_err(|why| format!("ca_pem: {why}"))?;
        }
        Ok(Self {
            url: url.to_owned(),
            connect_to: options.connect_to.clone(),
            ca_file: options.ca_file.as_ref().map(PathBuf::from),
            ca_pem: options.ca_pem.clone(),
            timeout: options.timeout.unwrap_or_default(),
            allow_http: options.allow_http.unwrap_or_default(),
        })
    }

    fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// 200 and 304 alone are answers; a redirect is not followed, it could lead anywhere.
    fn read(&self, mut response: Response<ureq::Body>, asked: bool) -> Result<Fetched, Failure> {
        let status = response.status();
        let max_age = max_age(response.headers());
        if status == StatusCode::NOT_MODIFIED && asked {
            return Ok(Fetched::NotModified { max_age });
        }
        if status != StatusCode::OK {
            return Err(Failure::new(LastErrorCode::Status, self.explain_status(status)));
        }
        let encoded = response.headers().get(header::CONTENT_ENCODING);
        if encoded.is_some_and(|encoding| encoding != "identity") {
            let message = format!("{} answered in a content encoding that was not asked for", self.url);
            return Err(Failure::new(LastErrorCode::Body, message));
        }
        let etag = response.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let limited = response.body_mut().with_config().limit(MAX_BYTES as u64 + 1).read_to_vec();
        let body = limited.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => self.too_large(),
            other => self.explain(&other),
        })?;
        if body.len() > MAX_BYTES {
            return Err(self.too_large());
        }
        Ok(Fetched::Set { body, etag, max_age })
    }

    fn too_large(&self) -> Failure {
        Failure::new(LastErrorCode::Body, format!("{} answered with more than {MAX_BYTES} bytes", self.url))
    }

    fn explain_status(&self, status: StatusCode) -> String {
        let url = &self.url;
        match status.as_u16() {
            300..=399 => {
                format!("{url} answered {status}: redirects are not followed, set jwks_url to where the keys are")
            }
            401 | 403 | 404 => format!("{url} answered {status}: is it the host of a Pomerium route? see jwks_url"),
            _ => format!("{url} answered {status}"),
        }
    }

    /// For https alone, never beside `connect_to` and never to loopback. HTTP_PROXY is never read: under CGI the
    /// client of the application sets it.
    fn proxy(&self) -> Result<Option<Proxy>, Failure> {
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
            Ok(proxy) if matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) => Ok(Some(proxy)),
            _ => {
                let message = format!("the environment variable {name} is not the URL of an http or https proxy");
                Err(Failure::new(LastErrorCode::Connect, message))
            }
        }
    }

    /// The system's roots and `ca_file` and `ca_pem` in one list, read now: a rotated file is picked up.
    fn tls(&self) -> Result<TlsConfig, Failure> {
        let mut builder = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
        if self.is_https() {
            builder = builder.root_certs(RootCerts::Specific(Arc::new(self.roots()?)));
        }
        Ok(builder.build())
    }

    fn roots(&self) -> Result<Vec<Certificate<'static>>, Failure> {
        let refuse = |message: String| Failure::new(LastErrorCode::Tls, message);
        let mut roots = rustls_native_certs::load_native_certs().certs;
        if let Some(path) = &self.ca_file {
            let found = local::read(path, MAX_CA_BYTES).and_then(|text| certificates(&text));
            roots.extend(found.map_err(|why| refuse(format!("ca_file {}: {why}", path.display())))?);
        }
        if let Some(text) = &self.ca_pem {
            roots.extend(certificates(text.as_bytes()).map_err(|why| refuse(format!("ca_pem: {why}")))?);
        }
        if roots.is_empty() {
            let message = "this machine trusts no CA: install the package ca-certificates, or give the CA in ca_file";
            return Err(refuse(message.to_owned()));
        }
        Ok(roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect())
    }

    /// What went wrong, and which option to change.
    fn explain(&self, error: &ureq::Error) -> Failure {
        use ureq::Error::{ConnectProxyFailed, HostNotFound, Io, Rustls, Timeout, Tls};
        let url = &self.url;
        match error {
            Timeout(_) => {
                let message = format!("{url} did not answer within {} s, see timeout", self.timeout.as_secs());
                Failure::new(LastErrorCode::Timeout, message)
            }
            HostNotFound => Failure::new(LastErrorCode::Dns, self.explain_dns(None)),
            Rustls(error) => Failure::new(LastErrorCode::Tls, self.explain_tls(error)),
            Tls(error) => Failure::new(LastErrorCode::Tls, format!("{url}: {error}")),
            ConnectProxyFailed(why) => {
                let message = format!("the proxy of HTTPS_PROXY or ALL_PROXY did not connect to {url}: {why}");
                Failure::new(LastErrorCode::Connect, message)
            }
            Io(error) => self.explain_io(error),
            other => Failure::new(LastErrorCode::Body, format!("{url} did not answer in proper HTTP: {other}")),
        }
    }

    fn explain_io(&self, error: &io::Error) -> Failure {
        let url = &self.url;
        let inner = error.get_ref();
        if let Some(refusal) = inner.and_then(|inner| inner.downcast_ref::<Refusal>()) {
            return self.explain_refusal(refusal);
        }
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Failure::new(LastErrorCode::Tls, self.explain_tls(error));
        }
        if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
            let message = format!("{url} did not answer within {} s, see timeout", self.timeout.as_secs());
            return Failure::new(LastErrorCode::Timeout, message);
        }
        let dialled = self.connect_to.as_ref().map_or(String::new(), |target| format!(" at {target} (connect_to)"));
        Failure::new(LastErrorCode::Connect, format!("no connection to {url}{dialled}: {error}"))
    }

    fn explain_tls(&self, error: &rustls::Error) -> String {
        use rustls::{CertificateError, Error::InvalidCertificate};
        let url = &self.url;
        match error {
            InvalidCertificate(CertificateError::UnknownIssuer) => {
                format!("{url}: the certificate is from an unknown CA; give a private CA in ca_file or ca_pem")
            }
            InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
                format!(
                    "{url}: the certificate is for another name; use the name it has and dial with connect_to ({error})"
                )
            }
            InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
                format!("{url}: the certificate has expired, or this machine's clock is wrong ({error})")
            }
            InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
                format!("{url}: the certificate is not valid yet, or this machine's clock is wrong ({error})")
            }
            other => format!("{url}: TLS failed: {other}"),
        }
    }

    fn explain_dns(&self, error: Option<&io::Error>) -> String {
        let why = error.map_or(String::new(), |error| format!(": {error}"));
        match &self.connect_to {
            Some(target) => format!("the name in connect_to, {target}, could not be resolved{why}"),
            None => format!("the host of {} could not be resolved{why}; see jwks_url and connect_to", self.url),
        }
    }

    fn explain_refusal(&self, refusal: &Refusal) -> Failure {
        match refusal {
            Refusal::PlainHttp(address) => {
                let message = format!(
                    "{} is plain http and {address} is not loopback: use https, or set allow_http if the network is yours",
                    self.url
                );
                Failure::new(LastErrorCode::Refused, message)
            }
            Refusal::Dns(error) => Failure::new(LastErrorCode::Dns, self.explain_dns(Some(error))),
            Refusal::Spawn(error) => {
                Failure::new(LastErrorCode::Spawn, format!("no thread could be started to resolve a name: {error}"))
            }
        }
    }
}

/// Cache-Control's max-age in seconds (RFC 9111 section 5.2.2.1); 0 where it forbids storing.
fn max_age(headers: &HeaderMap) -> Option<i64> {
    let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<String> =
        values.flat_map(|value| value.split(',')).map(|directive| directive.trim().to_ascii_lowercase()).collect();
    if directives.iter().any(|directive| directive == "no-store" || directive == "no-cache") {
        return Some(0);
    }
    let seconds =
        directives.iter().find_map(|directive| directive.strip_prefix("max-age="))?.trim_matches('"').to_owned();
    // longer than a number can say is long
    seconds.bytes().all(|b| b.is_ascii_digit()).then(|| seconds.parse().unwrap_or(i64::MAX))
}

/// The first of these environment variables that is set and not empty.
fn variable<const N: usize>(names: [&'static str; N]) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, std::env::var(name).ok().filter(|value| !value.is_empty())?)))
}

fn is_loopback_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// NO_PROXY as curl and Go read it: names cover their subdomains too, `*` everything.
fn is_excepted(host: &str, list: &str) -> bool {
    let host = host.to_ascii_lowercase();
    list.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty()).any(
        |entry| {
            let name = entry.trim_start_matches('*').trim_start_matches('.');
            entry == "*" || host == name || (!name.is_empty() && host.ends_with(&format!(".{name}")))
        },
    )
}

/// The certificates of a PEM text; at least one.
///
/// # Errors
/// A sentence.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(list) if list.is_empty() => Err("there is no CERTIFICATE block in it".to_owned()),
        Ok(list) => Ok(list),
        Err(error) => Err(format!("the PEM is malformed: {error}")),
    }
}
