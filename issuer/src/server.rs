//! The HTTP server: Pomerium's key set, tokens on demand, and the faults that a verifier must survive.

mod connection;
mod http;
mod issuer;
mod stop;
mod tls;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{net::TcpListener, runtime, sync::oneshot, time::sleep};
use tokio_rustls::TlsAcceptor;

pub use issuer::{Fault, Rotation, Stats, Withdrawal};
pub use stop::StopSignal;
pub use tls::Tls;

use crate::{Assertion, SigningKey};
use http::{locked, now};
use issuer::Issuer;

/// Where Pomerium serves its key set, on every host.
pub const KEY_SET_PATH: &str = "/.well-known/pomerium/jwks.json";

/// How a [`Server`] starts.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The address to listen on; port 0 is a free one. Loopback, unless `allow_remote`.
    pub listen: SocketAddr,
    /// Listen on an address that other machines can reach. They can mint tokens then.
    pub allow_remote: bool,
    /// The host whose tokens are minted if no other is asked for. `None`: the host of [`Server::url`], so that this
    /// URL is all that a verifier needs (as its `route`).
    pub host: Option<String>,
    /// The first signs, all are published, as with Pomerium's `signing_key`. None: a key of the moment.
    pub keys: Vec<SigningKey>,
    /// https under this certificate instead of http.
    pub tls: Option<Tls>,
    /// The `max-age` of the key set's Cache-Control, in seconds. Pomerium says 60.
    pub max_age: u32,
}

impl Default for ServerOptions {
    /// http on a free port of 127.0.0.1, a key of the moment.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            host: None,
            keys: Vec::new(),
            tls: None,
            max_age: 60,
        }
    }
}

/// A running issuer, on a thread of its own. Dropping it ends the thread and cuts all connections.
///
/// Over HTTP it answers what `pomerium-jwt issuer` answers; these methods do the same without a connection.
///
/// ```
/// use pomerium_jwt_issuer::{Fault, Server, ServerOptions};
///
/// let server = Server::start(ServerOptions::default()).unwrap();
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// let token = server.mint(&server.assertion().user("alice", "alice@example.com", "Alice Example"));
/// server.fault(Fault::Hang);
/// # assert_eq!(token.split('.').count(), 3);
/// ```
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    url: String,
    ca_pem: Option<String>,
    issuer: Arc<Mutex<Issuer>>,
    /// Dropping it stops the thread
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it. Connections are accepted from the moment this returns.
    ///
    /// # Errors
    /// An address that is not loopback without `allow_remote`, one that is taken, and TLS material that does not fit.
    pub fn start(options: ServerOptions) -> io::Result<Self> {
        if !options.listen.ip().is_loopback() && !options.allow_remote {
            let why = format!("{} can be reached from other machines, which could mint tokens", options.listen.ip());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let tls = options.tls.as_ref().map(Tls::acceptor).transpose()?;
        let listener = std::net::TcpListener::bind(options.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let reached = reached_at(address);
        let host = options.host.unwrap_or_else(|| host(reached.ip()));
        let issuer = Arc::new(Mutex::new(Issuer::new(host, options.max_age, options.keys)));

        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let shared = issuer.clone();
        let thread = thread::Builder::new().name("pomerium-jwt issuer".to_owned()).spawn(move || {
            runtime.spawn(accept(listener, tls, shared));
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Self {
            address,
            url: format!("{}://{reached}", if options.tls.is_some() { "https" } else { "http" }),
            ca_pem: options.tls.map(|tls| tls.ca_pem),
            issuer,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The address in use, with the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:41234`, without a slash at its end. What a verifier takes as `route`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the key set.
    #[must_use]
    pub fn key_set_url(&self) -> String {
        format!("{}{KEY_SET_PATH}", self.url)
    }

    /// The certification authority to trust, for a verifier's `ca_pem`. `None` over http.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The assertion of an anonymous request to this server's host, now. Give it a user and [`mint`](Self::mint) it.
    #[must_use]
    pub fn assertion(&self) -> Assertion {
        Assertion::new(&locked(&self.issuer).host, now())
    }

    /// The token of this assertion under the key that signs now.
    #[must_use]
    pub fn mint(&self, assertion: &Assertion) -> String {
        locked(&self.issuer).mint(assertion)
    }

    /// The key that signs now.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        locked(&self.issuer).signing_key().clone()
    }

    /// The key set as served now.
    #[must_use]
    pub fn key_set(&self) -> String {
        locked(&self.issuer).key_set()
    }

    /// Changes the keys, as `POST /rotate` does.
    ///
    /// # Errors
    /// A swap without a newer key, in a sentence.
    pub fn rotate(&self, rotation: Rotation) -> Result<(), &'static str> {
        locked(&self.issuer).rotate(rotation)
    }

    /// Takes keys out of the key set, as `POST /withdraw` does.
    pub fn withdraw(&self, withdrawal: Withdrawal) {
        locked(&self.issuer).withdraw(withdrawal);
    }

    /// What goes wrong from the next fetch on, as `POST /fault` does. A fetch that hangs already stays that way.
    pub fn fault(&self, fault: Fault) {
        locked(&self.issuer).fault = fault;
    }

    /// GET requests for the key set so far, with any answer.
    #[must_use]
    pub fn fetches(&self) -> u64 {
        locked(&self.issuer).fetches
    }

    /// What `GET /stats` reports.
    #[must_use]
    pub fn stats(&self) -> Stats {
        locked(&self.issuer).stats()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: std::net::TcpListener, tls: Option<TlsAcceptor>, issuer: Arc<Mutex<Issuer>>) {
    let listener = TcpListener::from_std(listener).expect("a listener of our own, on a runtime that does I/O");
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                tokio::spawn(connection::serve(socket, tls.clone(), issuer.clone()));
            }
            // Too many open files, or a client that is gone already
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Where clients on this machine reach a server that listens on all addresses.
fn reached_at(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Pomerium garbles IPv6 addresses in its tokens, so no verifier can expect one.
fn host(ip: IpAddr) -> String {
    if ip.is_ipv4() { ip.to_string() } else { "localhost".to_owned() }
}
