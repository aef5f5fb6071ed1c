//! The least application behind Pomerium with axum.
#![forbid(unsafe_code)]

use axum::{Router, routing::get};
use pomerium_jwt_tower::{Caller, PomeriumLayer};
use tower::Layer;

async fn hello(caller: Caller) -> String {
    format!("Hello {}\n", caller.email.as_deref().unwrap_or(&caller.subject))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Or `new(Options::for_route("https://app.example.com"))`
    let pomerium = PomeriumLayer::from_env()?;
    let routes = Router::new().route("/", get(hello));
    // Around the routes, so that unknown paths are verified too
    let application = Router::new().fallback_service(pomerium.layer(routes));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, application).await?)
}
