//! What the suite's own applications share: a small server, JSON and one WebSocket.

use std::{convert::Infallible, net::TcpListener, sync::Arc, thread};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    body::{Bytes, Incoming},
    header::{HeaderMap, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use pomerium_jwt::Error;
use tokio::{io::AsyncWriteExt as _, runtime, task::LocalSet};

/// What an application answers.
pub type Answer = Response<Full<Bytes>>;
/// What it is asked.
pub type Asked = hyper::Request<Incoming>;

/// A thread for each connection, so that one that waits holds up no other.
///
/// # Errors
/// If the listener fails.
pub fn serve(
    listener: &TcpListener,
    answer: impl Fn(Asked) -> Answer + Send + Sync + 'static,
) -> std::io::Result<Infallible> {
    let answer: Arc<dyn Fn(Asked) -> Answer + Send + Sync> = Arc::new(answer);
    loop {
        let (socket, _) = listener.accept()?;
        let answer = answer.clone();
        thread::spawn(move || connection(&answer, socket));
    }
}

fn connection(answer: &Arc<dyn Fn(Asked) -> Answer + Send + Sync>, socket: std::net::TcpStream) -> std::io::Result<()> {
    socket.set_nonblocking(true)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let upgraded = LocalSet::new();
    upgraded.block_on(&runtime, async {
        let socket = TokioIo::new(tokio::net::TcpStream::from_std(socket)?);
        let service = service_fn(|asked| {
            let answer = answer.clone();
            async move { Ok::<_, Infallible>(answer(asked)) }
        });
        // What a client does wrong ends its connection, and that is all
        let _ = http1::Builder::new().serve_connection(socket, service).with_upgrades().await;
        Ok::<_, std::io::Error>(())
    })?;
    runtime.block_on(upgraded);
    Ok(())
}

/// A refusal as the core describes it.
#[must_use]
pub fn refusal(error: &Error) -> Answer {
    let mut answer = Response::new(Full::from(error.body()));
    *answer.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in error.headers() {
        set(&mut answer, name, &value);
    }
    answer
}

/// All values of this header, joined by `,`.
#[must_use]
pub fn joined(headers: &HeaderMap, name: &str) -> Vec<u8> {
    let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    values.join(&b","[..])
}

/// 200 and this JSON.
#[must_use]
pub fn json(value: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::from(value.to_string()));
    set(&mut answer, "content-type", "application/json");
    answer
}

/// Sets a header of an answer.
pub fn set(answer: &mut Answer, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        answer.headers_mut().insert(name, value);
    }
}

/// One text message, then it closes (RFC 6455).
pub fn websocket(asked: &mut Asked, subject: Option<String>) -> Answer {
    let key = asked.headers().get("sec-websocket-key").map(HeaderValue::as_bytes).unwrap_or_default();
    let accept = [key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    let accept = STANDARD.encode(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &accept));
    let upgrade = hyper::upgrade::on(asked);
    tokio::task::spawn_local(async move {
        if let Ok(upgraded) = upgrade.await {
            let _ = message(TokioIo::new(upgraded), subject.unwrap_or_default().as_bytes()).await;
        }
    });
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", &accept)] {
        set(&mut answer, name, value);
    }
    answer
}

async fn message(mut stream: TokioIo<Upgraded>, text: &[u8]) -> std::io::Result<()> {
    let length = u8::try_from(text.len()).unwrap_or(125).min(125);
    stream.write_all(&[&[0x81, length], &text[..usize::from(length)], &[0x88, 0]].concat()).await?;
    stream.shutdown().await
}
