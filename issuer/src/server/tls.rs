//! https under a private certification authority, as Pomerium is often met inside a cluster.

use std::{fmt, io, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// A server certificate, its private key, and the certification authority to trust for it, all in PEM.
///
/// Its `Debug` shows the authority only.
#[derive(Clone)]
pub struct Tls {
    /// The certificate of the certification authority, for a verifier's `ca_file` or `ca_pem`. The server itself
    /// makes no use of it.
    pub ca_pem: String,
    /// The server certificate, and intermediate ones after it.
    pub certificate_pem: String,
    /// The server certificate's private key.
    pub key_pem: String,
}

impl Tls {
    /// A new certification authority, whose own key is forgotten at once, and a certificate by it for `localhost`,
    /// `127.0.0.1`, `::1` and these DNS names or IP addresses.
    ///
    /// # Errors
    /// A host that can stand in no certificate, in a sentence.
    pub fn generate<H: Into<String>>(hosts: impl IntoIterator<Item = H>) -> io::Result<Self> {
        let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        for host in hosts {
            let host = host.into();
            if !names.contains(&host) {
                names.push(host);
            }
        }
        generate(names).map_err(|error| invalid(format!("a certificate for these hosts cannot be made: {error}")))
    }

    /// HTTP/1.1 only: ALPN offers nothing else.
    pub(crate) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| invalid(format!("certificate_pem: {error}")))?;
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())
            .map_err(|error| invalid(format!("key_pem: {error}")))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| invalid(format!("the certificate cannot be served: {error}")))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("ca_pem", &self.ca_pem).finish_non_exhaustive()
    }
}

/// With all that strict verifiers ask for (OpenSSL's X509_V_FLAG_X509_STRICT, which Python 3.13 sets): key usage of
/// the authority, and key identifiers on both sides.
fn generate(names: Vec<String>) -> Result<Tls, rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "pomerium-jwt issuer, private CA for tests");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "pomerium-jwt issuer (not Pomerium)");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &authority)?;
    Ok(Tls { ca_pem: authority.pem(), certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
