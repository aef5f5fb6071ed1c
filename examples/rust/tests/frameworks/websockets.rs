//! WebSockets: opened by an upgrade over HTTP/1.1, and by an extended CONNECT over HTTP/2 (RFC 8441).

use std::net::SocketAddr;

use axum::{Router, http::Method, http::Request, routing::any};
use h2::{client, ext::Protocol};
use tokio::net::TcpStream;
use tower::Layer as _;

use crate::{UPGRADE, get, issuer, layer, outermost, serve, socket, token, with};

#[tokio::test]
async fn they_need_a_token_on_exempt_paths_too() {
    let issuer = issuer();
    let pomerium = layer(&issuer, &["/ws"]);
    let router = Router::new().route("/ws", any(socket));
    let address = serve(outermost(pomerium.layer(router))).await;
    let token = token(&issuer);

    assert_eq!(get(address, "/ws", "").await.0, 400, "the exempt path reaches axum, which finds no upgrade");
    assert_eq!(get(address, "/ws", UPGRADE).await.0, 401);
    assert_eq!(get(address, "/ws", &format!("{}{UPGRADE}", with(&token))).await.0, 101);

    assert_eq!(extended_connect(address, None).await, 401);
    assert_eq!(extended_connect(address, Some("x.y.z")).await, 401);
    assert_eq!(extended_connect(address, Some(&token)).await, 200);
}

/// The status of the answer.
async fn extended_connect(address: SocketAddr, token: Option<&str>) -> u16 {
    let socket = TcpStream::connect(address).await.expect("a connection");
    let (client, connection) = client::handshake(socket).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.expect("it accepts requests");
    while !client.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await; // the server's settings are on their way
    }
    let request = Request::builder().method(Method::CONNECT).uri(format!("http://{address}/ws"));
    let mut request = request.header("sec-websocket-version", "13").body(()).expect("a request");
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    if let Some(token) = token {
        request.headers_mut().insert("x-pomerium-jwt-assertion", token.parse().expect("a value"));
    }
    let (response, _stream) = client.send_request(request, false).expect("it is sent");
    let status = response.await.expect("an answer").status().as_u16();
    connection.abort();
    status
}
