//! The one GET that brings the keys. What may be asked, and what is taken for an answer, is decided here.

mod explain;
mod proxy;

use std::{sync::Arc, time::Instant};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use ureq::{
    Agent,
    http::{HeaderMap, Response, StatusCode, header},
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

use super::{
    Fetch,
    dial::{self, Dial, LookUp},
    jwk::MAX_BYTES,
    local,
    remote::{Failure, Fetched, Fetcher},
};
use crate::status::LastErrorCode;

/// The largest `ca_file`: the system's own bundles have about 220 kB.
const MAX_CA_BYTES: usize = 4 * 1024 * 1024;

/// Everything a fetch needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(super) url: String,
    pub(super) fetch: Fetch,
    /// The system's; only tests that need a resolver which hangs have another.
    pub(super) look_up: LookUp,
}

impl Fetcher for Request {
    /// A new agent each time: no pooled connection outlives its fetch, and roots and proxy are read again.
    fn fetch(&self, etag: Option<&str>) -> Result<Fetched, Failure> {
        let deadline = Instant::now() + self.fetch.timeout;
        let config = Agent::config_builder()
            .timeout_global(Some(self.fetch.timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(self.proxy()?.map(|(_, proxy)| proxy))
            .tls_config(self.tls()?)
            .user_agent(concat!("pomerium-jwt/", env!("CARGO_PKG_VERSION")))
            .build();
        let loopback_only = !self.is_https() && !self.fetch.allow_http;
        let resolver = Dial::new(self.fetch.connect_to.clone(), loopback_only, self.look_up);
        let agent = Agent::with_parts(config, dial::connector(deadline), resolver);
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
    pub(crate) fn new(url: String, fetch: Fetch) -> Result<Self, String> {
        if let Some(path) = &fetch.ca_file {
            let readable = local::read(path, MAX_CA_BYTES).and_then(|text| certificates(&text));
            readable.map_err(|why| format!("ca_file {}: {why}", path.display()))?;
        }
        if let Some(text) = &fetch.ca_pem {
            certificates(text.as_bytes()).map_err(|why| format!("ca_pem: {why}"))?;
        }
        Ok(Self { url, fetch, look_up: dial::system })
    }

    fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// Only 200 and 304 are answers. A redirect is not followed, because it could lead anywhere.
    fn read(&self, mut response: Response<ureq::Body>, asked: bool) -> Result<Fetched, Failure> {
        let status = response.status();
        let max_age = max_age(response.headers());
        if status == StatusCode::NOT_MODIFIED && asked {
            return Ok(Fetched::NotModified { max_age });
        }
        if status != StatusCode::OK {
            return Err(self.wrong_status(status));
        }
        if is_encoded(response.headers()) {
            return Err(self.encoded());
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
        let system = rustls_native_certs::load_native_certs();
        let mut roots = system.certs;
        if let Some(path) = &self.fetch.ca_file {
            let found = local::read(path, MAX_CA_BYTES).and_then(|text| certificates(&text));
            roots.extend(found.map_err(|why| refuse(format!("ca_file {}: {why}", path.display())))?);
        }
        if let Some(text) = &self.fetch.ca_pem {
            roots.extend(certificates(text.as_bytes()).map_err(|why| refuse(format!("ca_pem: {why}")))?);
        }
        if roots.is_empty() {
            let why = system.errors.first().map_or(String::new(), |error| format!(" ({error})"));
            return Err(refuse(format!(
                "this machine trusts no CA{why}: install the package ca-certificates, or give the CA in ca_file"
            )));
        }
        Ok(roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect())
    }
}

/// Whether the body is encoded. "identity", in any case (RFC 9110 section 8.4.1), and an empty list say that it is not.
fn is_encoded(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut codings = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

/// Cache-Control's max-age in seconds (RFC 9111 section 5.2.2.1); 0 if it forbids storing.
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

/// The certificates of a PEM text; at least one. Each can be trusted: one that cannot would be skipped in silence
/// later, and its absence reported as an unknown CA.
///
/// # Errors
/// A sentence.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let list = found.map_err(|error| format!("the PEM is malformed: {error}"))?;
    if list.is_empty() {
        return Err("there is no CERTIFICATE block in it".to_owned());
    }
    for (position, certificate) in list.iter().enumerate() {
        let trusted = RootCertStore::empty().add(certificate.clone());
        trusted.map_err(|error| format!("certificate {} of {}: {error}", position + 1, list.len()))?;
    }
    Ok(list)
}
