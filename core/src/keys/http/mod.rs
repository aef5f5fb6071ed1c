//! The one GET that brings the keys, sent with ureq. `answer.rs` decides which answers are accepted.

mod dial;
mod explain;
mod proxy;

use std::{sync::Arc, time::Instant};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use ureq::{
    Agent,
    http::{Response, header},
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

use super::{
    answer::{Body, Failure, Fetched, Head},
    fetcher::Fetcher,
    file,
    source::FetchOptions,
    state::LastErrorCode,
    unusable::Unusable,
};
use dial::{Dial, LookUp};

/// The largest `ca_file`: the system's own bundles have about 220 kB.
const MAX_CA_BYTES: usize = 4 * 1024 * 1024;

/// Everything a fetch needs to know.
#[derive(Debug, Clone)]
pub(super) struct Client {
    url: String,
    fetch: FetchOptions,
    /// The system's; only tests that need a resolver which hangs have another.
    look_up: LookUp,
}

impl Fetcher for Client {
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

impl Client {
    /// Checks the CA options now, although the file is read again at each fetch.
    ///
    /// # Errors
    /// A sentence for `invalid_options`.
    pub(super) fn new(url: String, fetch: FetchOptions) -> Result<Self, Unusable> {
        if let Some(path) = &fetch.ca_file {
            let readable = file::read(path, MAX_CA_BYTES).and_then(|text| certificates(&text));
            readable.map_err(|why| why.of(format_args!("ca_file {}", path.display())))?;
        }
        if let Some(text) = &fetch.ca_pem {
            certificates(text.as_bytes()).map_err(|why| why.of("ca_pem"))?;
        }
        Ok(Self { url, fetch, look_up: dial::system })
    }

    fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }

    fn read(&self, mut response: Response<ureq::Body>, conditional: bool) -> Result<Fetched, Failure> {
        let head = match Head::read(&self.url, conditional, response.status().as_u16(), response.headers())? {
            Head::Complete(fetched) => return Ok(fetched),
            Head::Body(head) => head,
        };
        match response.body_mut().with_config().limit(Body::LONGEST_READ).read_to_vec() {
            Ok(body) => head.complete(body),
            Err(ureq::Error::BodyExceedsLimit(_)) => Err(head.too_large()),
            Err(other) => Err(self.explain(&other)),
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
        let system = rustls_native_certs::load_native_certs();
        let mut roots = system.certs;
        if let Some(path) = &self.fetch.ca_file {
            let found = file::read(path, MAX_CA_BYTES).and_then(|text| certificates(&text));
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

/// The certificates of a PEM text; at least one. Each can be trusted: one that cannot would be skipped in silence
/// later, and its absence reported as an unknown CA.
///
/// # Errors
/// A sentence.
fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let list = found.map_err(|error| Unusable::caused_by(format!("the PEM is malformed: {error}"), error))?;
    if list.is_empty() {
        return Err("there is no CERTIFICATE block in it".into());
    }
    for (position, certificate) in list.iter().enumerate() {
        let trusted = RootCertStore::empty().add(certificate.clone());
        trusted.map_err(|error| {
            Unusable::caused_by(format!("certificate {} of {}: {error}", position + 1, list.len()), error)
        })?;
    }
    Ok(list)
}
