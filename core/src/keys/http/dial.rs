//! Which addresses the fetch dials, and until when.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::mpsc,
    time::{Duration, Instant},
};

use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::{
            Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector, TcpConnector,
            Transport, time,
        },
    },
};

use crate::keys::fetcher::spawn;

/// Finds the addresses of `host:port`. May take as long as it likes.
pub(super) type LookUp = fn(&str) -> io::Result<Vec<SocketAddr>>;

/// The system's way: the hosts file, DNS, or anything else that this machine is set up for.
pub(super) fn system(target: &str) -> io::Result<Vec<SocketAddr>> {
    target.to_socket_addrs().map(Vec::from_iter)
}

/// Finds the addresses to dial, and judges them: what counts is the address actually dialled.
#[derive(Debug)]
pub(super) struct Dial {
    connect_to: Option<String>,
    loopback_only: bool,
    look_up: LookUp,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Refusal {
    PlainHttp(IpAddr),
    /// This `host:port`. Without an error it took too long.
    Unresolved(String, Option<io::Error>),
    /// None of these addresses. Without an error it took too long.
    Unreached(Vec<SocketAddr>, Option<io::Error>),
    Spawn(io::Error),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Refusal {}

fn refuse(refusal: Refusal) -> ureq::Error {
    ureq::Error::Io(io::Error::other(refusal))
}

impl Dial {
    /// `loopback_only`: the address asked for is plain http.
    pub(super) fn new(connect_to: Option<String>, loopback_only: bool, look_up: LookUp) -> Self {
        Self { connect_to, loopback_only, look_up }
    }
}

impl Resolver for Dial {
    /// ureq asks for the proxy's host here too; `connect_to` never meets one, since it switches proxies off.
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let target = match &self.connect_to {
            Some(target) => target.clone(),
            None => host_and_port(uri).ok_or(ureq::Error::HostNotFound)?,
        };
        let found = bounded(self.look_up, target.clone(), *timeout.after).map_err(refuse)?;
        let mut addresses = self.empty();
        let family = config.ip_family();
        let mut outside = None;
        for address in family.keep_wanted(found.into_iter()) {
            if self.loopback_only && !address.ip().is_loopback() {
                outside = Some(address.ip());
            } else if addresses.len() < 16 {
                addresses.push(address);
            }
        }
        match outside {
            Some(address) if addresses.is_empty() => Err(refuse(Refusal::PlainHttp(address))),
            _ if addresses.is_empty() => {
                let why = io::Error::new(io::ErrorKind::NotFound, "it has no address");
                Err(refuse(Refusal::Unresolved(target, Some(why))))
            }
            _ => Ok(addresses),
        }
    }
}

fn host_and_port(uri: &Uri) -> Option<String> {
    let port = uri.port_u16().or(match uri.scheme_str()? {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    })?;
    Some(format!("{}:{port}", uri.host()?))
}

/// The system's resolver has no time limit, so it runs on a thread of its own, which is abandoned when the time is over.
/// ureq's own resolver panics if no thread can be spawned.
fn bounded(look_up: LookUp, target: String, timeout: Duration) -> Result<Vec<SocketAddr>, Refusal> {
    if let Ok(address) = target.parse::<SocketAddr>() {
        return Ok(vec![address]);
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let name = target.clone();
    let resolve = move || {
        let _ = sender.send(look_up(&name)); // nobody waits any more after the timeout
    };
    spawn("pomerium-jwt-dns", resolve).map_err(Refusal::Spawn)?;
    match receiver.recv_timeout(timeout) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Refusal::Unresolved(target, Some(error))),
        Err(_) => Err(Refusal::Unresolved(target, None)),
    }
}

/// TCP, through a proxy if there is one, and TLS on top of it if the address is https.
pub(super) fn connector(deadline: Instant) -> impl Connector {
    let tcp = Tcp { deadline, inner: TcpConnector::default() };
    ().chain(ConnectProxyConnector::default()).chain(tcp).chain(RustlsConnector::default())
}

/// TCP with one deadline for everything. ureq hands each step through a proxy, and each read of the proxy's answer,
/// the whole time again: a proxy that answers byte by byte would keep a fetch going for hours.
#[derive(Debug)]
struct Tcp {
    deadline: Instant,
    inner: TcpConnector,
}

impl<In: Transport> Connector<In> for Tcp {
    type Out = Bounded<<TcpConnector as Connector<In>>::Out>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let unreached = |why| refuse(Refusal::Unreached(details.addrs.to_vec(), why));
        let bounded = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: (details.current_time)(),
            timeout: until(self.deadline, details.timeout),
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        match self.inner.connect(&bounded, chained) {
            Ok(transport) => Ok(transport.map(|inner| Bounded { deadline: self.deadline, inner })),
            Err(ureq::Error::Timeout(_)) => Err(unreached(None)),
            Err(ureq::Error::Io(error)) => Err(unreached(Some(error))),
            Err(other) => Err(other),
        }
    }
}

#[derive(Debug)]
struct Bounded<T> {
    deadline: Instant,
    inner: T,
}

impl<T: Transport> Transport for Bounded<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.inner.transmit_output(amount, until(self.deadline, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.await_input(until(self.deadline, timeout))
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// What is left of the time, at most what ureq allows.
fn until(deadline: Instant, timeout: NextTimeout) -> NextTimeout {
    let left = deadline.saturating_duration_since(Instant::now()).min(*timeout.after);
    NextTimeout { after: time::Duration::Exact(left), ..timeout }
}

#[cfg(test)]
#[path = "../../tests/dial.rs"]
mod tests;
