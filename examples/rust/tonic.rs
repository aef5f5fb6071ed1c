//! A gRPC server behind Pomerium with tonic: gRPC's own health service, whose `Check` needs no token.
//! `POMERIUM_JWT_ROUTE=https://app.example.com PORT=8080 tonic`
#![forbid(unsafe_code)]

use std::{env, error::Error, io};

use pomerium_jwt_tower::{Options, PomeriumLayer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let pomerium = PomeriumLayer::new(Options::default().exempt_paths(["/grpc.health.v1.Health/Check"]))?;
    let (_reporter, health) = tonic_health::server::health_reporter();

    let port = env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    // Around all services: unknown methods are verified too. A handler finds its caller in the request's extensions
    let server = Server::builder().layer(pomerium).add_service(health);
    Ok(server.serve_with_incoming(TcpListenerStream::new(listener)).await?)
}
