//! Goes the way of a fetch and tells what is there. Sends nothing secret and trusts nothing that it sees.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{
    HeaderMap, Request, Uri,
    body::Bytes,
    client::conn::http1,
    header::{ACCEPT, HOST, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use pomerium_jwt::{Error, Now, Options, Verifier};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, DigitallySignedStruct, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use crate::{options, report::internal};

/// The longest answer that is looked at: the core takes no longer key set.
const LONGEST: usize = 256 * 1024;

/// Where an application's fetch goes.
pub(super) struct Target {
    pub(super) url: Uri,
    pub(super) host: String,
    /// `connect_to`, or host and port of the URL.
    pub(super) dialled: String,
    pub(super) connect_to: bool,
    /// Whether the keys are fetched from a host of the option `route`.
    pub(super) is_route: bool,
    /// In seconds.
    pub(super) leeway: i64,
    timeout: Duration,
}

/// An answer, its body read as far as it was sent in time.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// This machine's clock when the answer arrived, in Unix seconds.
    pub(super) at: i64,
}

/// A connection up to the request.
pub(super) type Connection = Box<dyn Stream>;

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Target {
    /// None if the keys are not fetched.
    pub(super) fn of(given: &Options) -> Result<Option<Self>, Error> {
        let mut members = options::members(given);
        let connect_to = members.remove("connect_to").and_then(|value| value.as_str().map(str::to_owned));
        let routes = members.get("route").map_or(Vec::new(), hosts);
        let leeway = members.get("leeway").and_then(Value::as_i64);
        // A verifier whose host fetches says where the keys are, and takes no part of the way there
        members.retain(|name, _| name != "ca_file" && name != "ca_pem");
        members.insert("allow_http".to_owned(), true.into());
        let asking = Options::from_json(Value::Object(members).to_string())?;
        let verifier = Verifier::for_host(asking, || Now::new(Duration::from_secs(1), 1))?;
        let Some(request) = verifier.next_request(true) else { return Ok(None) };
        let url: Uri = request.url().parse().map_err(|error| internal(format!("{}: {error}", request.url())))?;
        let host = url.host().unwrap_or_default().to_owned();
        let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
        Ok(Some(Self {
            dialled: connect_to.clone().unwrap_or_else(|| format!("{host}:{port}")),
            connect_to: connect_to.is_some(),
            is_route: routes.iter().any(|route| route.eq_ignore_ascii_case(&host)),
            leeway: leeway.unwrap_or(60),
            timeout: request.timeout(),
            url,
            host,
        }))
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme_str() == Some("https")
    }

    pub(super) async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let found: Vec<SocketAddr> = self.bounded(lookup_host(&self.dialled)).await?.collect();
        if found.is_empty() { Err(io::Error::new(io::ErrorKind::NotFound, "it has no address")) } else { Ok(found) }
    }

    /// To the first address that answers.
    pub(super) async fn connect(&self, addresses: &[SocketAddr]) -> io::Result<TcpStream> {
        self.bounded(TcpStream::connect(addresses)).await
    }

    /// The certificates as the server shows them, no matter who signed them.
    pub(super) async fn handshake(&self, socket: TcpStream) -> io::Result<(Connection, Vec<CertificateDer<'static>>)> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let stream = self.bounded(connector()?.connect(name, socket)).await?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let certificates = certificates.iter().map(|certificate| certificate.clone().into_owned()).collect();
        Ok((Box::new(stream), certificates))
    }

    pub(super) async fn get(&self, connection: Connection, path: &str) -> io::Result<Answer> {
        self.bounded(exchange(connection, self.request(path)?)).await
    }

    /// A connection like the one that is being examined.
    pub(super) async fn reopen(&self, addresses: &[SocketAddr]) -> io::Result<Connection> {
        let socket = self.connect(addresses).await?;
        Ok(if self.is_https() { self.handshake(socket).await?.0 } else { Box::new(socket) })
    }

    fn request(&self, path: &str) -> io::Result<Request<Empty<Bytes>>> {
        let authority = self.url.authority().map_or("", |authority| authority.as_str());
        Request::get(path)
            .header(HOST, authority)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("pomerium-jwt/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(io::Error::other)
    }

    async fn bounded<T>(&self, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", self.timeout.as_secs()));
        timeout(self.timeout, step).await.map_err(|_| late())?
    }
}

/// The hosts of one URL or a list of them.
fn hosts(routes: &Value) -> Vec<String> {
    let routes = routes.as_array().map_or(std::slice::from_ref(routes), Vec::as_slice);
    let urls = routes.iter().filter_map(|route| route.as_str()?.parse::<Uri>().ok());
    urls.filter_map(|url| url.host().map(str::to_owned)).collect()
}

async fn exchange(connection: Connection, request: Request<Empty<Bytes>>) -> io::Result<Answer> {
    let (mut sender, driver) = http1::handshake(TokioIo::new(connection)).await.map_err(io::Error::other)?;
    tokio::spawn(driver);
    let began = Instant::now();
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let at = crate::times::now().unwrap_or_default() - i64::try_from(began.elapsed().as_secs() / 2).unwrap_or(0);
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, LONGEST).collect().await.map(http_body_util::Collected::to_bytes);
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.unwrap_or_default(), at })
}

fn connector() -> io::Result<TlsConnector> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Takes every certificate, so that it can be shown. Whether it is to be trusted says the core's own fetch.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
