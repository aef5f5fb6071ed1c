//! The server: connections, their limits, and how it ends.

use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use super::{Body, framing::Framed};

/// All headers of a request together, in bytes: Envoy's own limit.
const HEADERS: usize = 128 * 1024;

/// A connection may be so long without a complete head, idle or slow. Longer than nginx keeps connections to its
/// upstreams (60 s), so that no request meets one closing.
const HEAD: Duration = Duration::from_secs(75);

/// A TLS handshake may take so long.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// So many connections may wait to be accepted, or as many as the system allows; a client whose connection is dropped
/// tries again a second later.
const WAITING: u32 = 4_096;

/// Open files that this process wants: connections, and those to the upstream. Each takes memory, so not all that may be had.
#[cfg(unix)]
const FILES: u64 = 65_536;

/// Requests that are running have so long to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// What HTTP/2 without TLS begins with, and no method of HTTP/1.1.
const PREFACE: &[u8] = b"PRI * HTTP/2";

/// The configuration for the next TLS connection.
pub(crate) type TlsConfig = Arc<dyn Fn() -> Arc<ServerConfig> + Send + Sync>;

/// An address that is listened on.
pub(crate) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// # Errors
    /// If the address cannot be listened on.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        #[cfg(unix)]
        allow_connections();
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        #[cfg(unix)] // on Windows it would let another process take the port
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let tcp = socket.listen(WAITING)?;
        Ok(Self { address: tcp.local_addr()?, tcp })
    }

    /// With the port that was taken for port 0.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the stop, then ends idle connections at once and the others with their request, at most ten seconds
    /// later. HTTP/1.1 and HTTP/2; without TLS the latter only if the client begins with it.
    pub(crate) async fn serve<S, F>(self, tls: Option<TlsConfig>, mut stop: Stop, service: S)
    where
        S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        // Every connection holds a sender: when all are gone, nothing is received
        let (alive, mut all_gone) = mpsc::channel::<()>(1);
        loop {
            let socket = tokio::select! {
                accepted = self.tcp.accept() => match accepted {
                    Ok((socket, _)) => socket,
                    // Out of file descriptors, or the client has gone already
                    Err(_) => {
                        sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                },
                () = stop.told() => break,
            };
            let (service, stop, alive) = (service.clone(), stop.clone(), alive.clone());
            let tls = tls.as_ref().map(|current| TlsAcceptor::from(current()));
            tokio::spawn(async move {
                accept(socket, tls, stop, service).await;
                drop(alive);
            });
        }
        drop((self.tcp, alive));
        let _ = timeout(GRACE, all_gone.recv()).await;
    }
}

/// Raises the limit of open files as far as the administrator lets it. Shells and containers often begin with 1,024, which
/// idle connections alone can use up.
#[cfg(unix)]
fn allow_connections() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(FILES, |maximum| maximum.min(FILES));
    if current.is_some_and(|current| current < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }); // what it has is enough to begin with
    }
}

async fn accept<S, F>(socket: TcpStream, tls: Option<TlsAcceptor>, stop: Stop, service: S)
where
    S: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let _ = socket.set_nodelay(true);
    match tls {
        None => match timeout(HEAD, begins_with_http2(&socket)).await {
            Ok(Ok(true)) => http2(socket, stop, service).await,
            Ok(Ok(false)) => http1(socket, stop, service).await,
            _ => {}
        },
        Some(tls) => {
            let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(socket)).await else { return };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                http2(stream, stop, service).await;
            } else {
                http1(stream, stop, service).await;
            }
        }
    }
}

async fn begins_with_http2(socket: &TcpStream) -> io::Result<bool> {
    let mut seen = [0; PREFACE.len()];
    let mut pause = Duration::from_millis(5);
    loop {
        let count = socket.peek(&mut seen).await?;
        if count == 0 || count == PREFACE.len() || seen[..count] != PREFACE[..count] {
            return Ok(seen == PREFACE);
        }
        sleep(pause).await; // peek waits for the first byte only
        pause = (2 * pause).min(Duration::from_secs(1));
    }
}

async fn http1<T, S, F>(stream: T, mut stop: Stop, service: S)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(Request<Incoming>) -> F + Send + Sync,
    F: Future<Output = Response<Body>>,
{
    let service = service_fn(|request| {
        let response = service(request);
        async { Ok::<_, std::convert::Infallible>(response.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEADERS + 16 * 1024)
        .max_header_size(HEADERS)
        .serve_connection(TokioIo::new(Framed::new(stream)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // What a client does wrong ends its connection, and that is all
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.told() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn http2<T, S, F>(stream: T, mut stop: Stop, service: S)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Fn(Request<Incoming>) -> F + Send + Sync,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(|request| {
        let response = service(request);
        async { Ok::<_, std::convert::Infallible>(response.await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .max_header_list_size(HEADERS as u32)
        .max_concurrent_streams(250)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.told() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// When to stop. Clones wait for the same event.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<()>);

impl Stop {
    /// Listens for SIGTERM and SIGINT (Ctrl-C): from here on they end the process by way of this value only. Call it
    /// inside of a runtime.
    ///
    /// # Errors
    /// If the operating system lets no signal handler be added.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let (sender, receiver) = watch::channel(());
        let signalled = signalled()?;
        tokio::spawn(async move {
            signalled.await;
            drop(sender);
        });
        Ok(Self(receiver))
    }

    /// Returns at the first of the events, also if it came before this call.
    pub(crate) async fn told(&mut self) {
        let _ = self.0.changed().await; // nothing is sent: it ends when the sender is dropped
    }
}

#[cfg(unix)]
fn signalled() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signalled() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
