//! WebSockets: after both sides have agreed, bytes in both directions.

use hyper::{
    HeaderMap, Method, Request, Version,
    body::Incoming,
    header::{CONNECTION, HeaderValue, UPGRADE},
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::headers::listed;

/// Whether the client opens a WebSocket. No other protocol is forwarded: requests could be hidden in it (`h2c`, `TLS`).
pub(super) fn is_wanted(request: &Request<Incoming>) -> bool {
    let is_connected = listed(request.headers(), &CONNECTION).any(|entry| entry.eq_ignore_ascii_case(b"upgrade"));
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && is_connected
        && request.headers().contains_key("sec-websocket-key")
        && is_websocket(request.headers())
}

/// Whether `Upgrade` is `websocket` and nothing else.
pub(super) fn is_websocket(headers: &HeaderMap) -> bool {
    let mut entries = listed(headers, &UPGRADE);
    entries.next().is_some_and(|entry| entry.eq_ignore_ascii_case(b"websocket")) && entries.next().is_none()
}

/// Sets what the next server must see of an upgrade.
pub(super) fn mark(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Copies until one side ends.
pub(super) fn connect(client: OnUpgrade, upstream: OnUpgrade) {
    tokio::spawn(async move {
        if let (Ok(client), Ok(upstream)) = tokio::join!(client, upstream) {
            // How it ends concerns the two sides alone
            let _ = copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(upstream)).await;
        }
    });
}
