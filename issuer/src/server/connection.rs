//! One connection, from accept to close.

use std::{
    error::Error as _,
    future::poll_fn,
    sync::{Arc, Mutex},
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Issuer,
    http::{Reset, answer},
};

/// Errors end the connection and are nobody's concern: the clients are tests that hang up as they like.
pub(crate) async fn serve(socket: TcpStream, tls: Option<TlsAcceptor>, issuer: Arc<Mutex<Issuer>>) {
    // A byte of the slow fault shall leave when it is written
    let _ = socket.set_nodelay(true);
    let Some(tls) = tls else { return exchange(socket, |socket| socket, issuer).await };
    if let Ok(stream) = tls.accept(socket).await {
        exchange(stream, |stream| stream.get_ref().0, issuer).await;
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    socket: fn(&S) -> &TcpStream,
    issuer: Arc<Mutex<Issuer>>,
) {
    let service = service_fn(move |request| Box::pin(answer(issuer.clone(), request)));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let result = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let mut stream = connection.into_parts().io.into_inner();
    if result.is_err_and(|error| error.source().is_some_and(|source| source.is::<Reset>())) {
        // With nothing to linger for, closing sends RST
        let _ = socket(&stream).set_zero_linger();
    } else {
        let _ = stream.shutdown().await;
    }
}
