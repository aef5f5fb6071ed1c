//! The certificate of the listener, read again when its files change.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::proxy::TlsConfig;

/// The files are looked at this often at most.
const PAUSE: Duration = Duration::from_secs(1);

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

struct Current {
    config: Arc<ServerConfig>,
    changed: [Option<SystemTime>; 2],
    looked: Instant,
}

/// The configuration for each new connection. After a change that cannot be read the last good one stays.
///
/// # Errors
/// A sentence, if the files cannot be read now.
pub(super) fn config(certificate: &Path, key: &Path) -> Result<TlsConfig, String> {
    let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
    let current = Current { changed: files.changed(), config: files.read()?, looked: Instant::now() };
    let current = Mutex::new(current);
    Ok(Arc::new(move || {
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= PAUSE {
            current.looked = Instant::now();
            let changed = files.changed();
            if changed != current.changed {
                current.changed = changed;
                match files.read() {
                    Ok(config) => current.config = config,
                    Err(why) => tracing::warn!("pomerium-jwt: {why}; the last certificate stays in use"),
                }
            }
        }
        current.config.clone()
    }))
}

impl Files {
    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key].map(|file| file.metadata().and_then(|data| data.modified()).ok())
    }

    fn read(&self) -> Result<Arc<ServerConfig>, String> {
        let certificates = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("--tls-cert {}: {error}", self.certificate.display()))?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| format!("--tls-key {}: {error}", self.key.display()))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key))
            .map_err(|error| format!("--tls-cert {}: {error}", self.certificate.display()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
