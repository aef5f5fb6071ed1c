//! Which addresses the fetch dials.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::mpsc,
    time::Duration,
};

use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use super::flight::spawn;

/// Finds the addresses to dial, and judges them: what counts is the address actually dialled.
#[derive(Debug)]
pub(super) struct Dial {
    connect_to: Option<String>,
    loopback_only: bool,
}

/// Why nothing is dialled.
#[derive(Debug)]
pub(super) enum Refusal {
    PlainHttp(IpAddr),
    Dns(io::Error),
    Spawn(io::Error),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Refusal {}

impl Dial {
    /// `loopback_only`: the address asked for is plain http.
    pub(super) fn new(connect_to: Option<String>, loopback_only: bool) -> Self {
        Self { connect_to, loopback_only }
    }
}

impl Resolver for Dial {
    /// ureq asks for the proxy's host here too; `connect_to` never meets one, since it switches proxies off.
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let target = match &self.connect_to {
            Some(target) => target.clone(),
            None => host_and_port(uri).ok_or(ureq::Error::HostNotFound)?,
        };
        let found = look_up(target, *timeout.after).map_err(refuse)??;
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
            _ if addresses.is_empty() => Err(ureq::Error::HostNotFound),
            _ => Ok(addresses),
        }
    }
}

fn refuse(refusal: Refusal) -> ureq::Error {
    ureq::Error::Io(io::Error::other(refusal))
}

fn host_and_port(uri: &Uri) -> Option<String> {
    let port = uri.port_u16().or(match uri.scheme_str()? {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    })?;
    Some(format!("{}:{port}", uri.host()?))
}

/// The system's resolver, which knows no time limit, in a thread of its own, which does. ureq's own way panics where no
/// thread can be had.
fn look_up(target: String, timeout: Duration) -> Result<Result<Vec<SocketAddr>, ureq::Error>, Refusal> {
    if let Ok(address) = target.parse::<SocketAddr>() {
        return Ok(Ok(vec![address]));
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let resolve = move || {
        let _ = sender.send(target.to_socket_addrs().map(Vec::from_iter)); // nobody waits any more after the timeout
    };
    spawn("pomerium-jwt-dns", resolve).map_err(Refusal::Spawn)?;
    match receiver.recv_timeout(timeout) {
        Ok(Ok(found)) => Ok(Ok(found)),
        Ok(Err(error)) => Err(Refusal::Dns(error)),
        Err(_) => Ok(Err(ureq::Error::Timeout(ureq::Timeout::Resolve))),
    }
}
