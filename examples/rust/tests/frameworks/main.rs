//! The layer with the frameworks that have it, over real sockets, and the examples that no HTTP client can ask.
#![forbid(unsafe_code)]

mod axum_paths;
mod axum_routes;
mod grpc;
mod hello;
mod middleware;
mod websockets;

use std::net::SocketAddr;

use axum::{Router, extract::Request, response::Response};
use pomerium_jwt::{Options, Verifier};
use pomerium_jwt_issuer::{Server, ServerOptions};
use pomerium_jwt_tower::PomeriumLayer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

fn issuer() -> Server {
    Server::start(ServerOptions::default()).expect("an issuer")
}

fn token(issuer: &Server) -> String {
    issuer.mint(&issuer.assertion().user("alice", "alice@example.com", "Alice").groups(["staff"]))
}

/// A layer to which these paths are exempt.
fn layer(issuer: &Server, exempt_paths: &[&str]) -> PomeriumLayer {
    let options = Options::for_route(issuer.url()).exempt_paths(exempt_paths.iter().copied());
    PomeriumLayer::from_verifier(Verifier::new(options).expect("a verifier"))
}

/// Serves it on a free port, with HTTP/1 and HTTP/2.
async fn serve(application: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, application).await });
    address
}

/// Any service as a router without routes, to be served.
fn outermost<S>(service: S) -> Router
where
    S: tower::Service<Request, Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
    S::Response: axum::response::IntoResponse,
    S::Future: Send + 'static,
{
    Router::new().fallback_service(service)
}

/// The answer to a GET with these further lines: its status, and all of it. Of an upgrade the head alone.
async fn get(address: SocketAddr, target: &str, lines: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let connection = if lines.contains("Upgrade:") { "Upgrade" } else { "close" };
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: {connection}\r\n{lines}\r\n");
    socket.write_all(request.as_bytes()).await.expect("it is read");
    let mut answer = Vec::new();
    while !(connection == "Upgrade" && answer.windows(4).any(|end| end == b"\r\n\r\n")) {
        if socket.read_buf(&mut answer).await.expect("an answer") == 0 {
            break;
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status =
        text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no status: {text:?}"));
    (status, text)
}

fn with(token: &str) -> String {
    format!("X-Pomerium-Jwt-Assertion: {token}\r\n")
}

const UPGRADE: &str =
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

/// Sends one text and closes.
async fn socket(upgrade: axum::extract::WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|mut socket| async move {
        let _ = socket.send(axum::extract::ws::Message::text("hello")).await;
    })
}
