//! An application behind Pomerium with axum. The environment says which one:
//! `POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health PORT=8080 app`
#![forbid(unsafe_code)]

use std::{env, error::Error, io};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, WebSocketUpgrade, ws::Message},
    http::{
        HeaderValue, Method,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::{any, get},
};
use pomerium_jwt_tower::{Admitted, Caller, PomeriumLayer, Refused};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, util::MapRequestLayer};
use tower_http::cors::CorsLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let pomerium = PomeriumLayer::from_env()?;
    let health = pomerium.clone();
    let routes = Router::new()
        .route("/", get(index).fallback(anything))
        .route("/admin", get(admin).fallback(anything))
        .route("/health", get(|| async move { answer(json!(health.health())) }).fallback(anything))
        .route("/ws", any(socket))
        .fallback(anything);

    // Around the routes: every request is verified, unknown paths included. CORS stands in front, so that browsers may
    // read refusals too
    let application =
        ServiceBuilder::new().option_layer(cors()?).option_layer(rewrite()).layer(pomerium).service(routes);

    let port = env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, Router::new().fallback_service(application)).await?)
}

/// Null if the request passed without an identity.
async fn index(caller: Option<Caller>) -> impl IntoResponse {
    answer(json!(caller.as_deref()))
}

async fn admin(admitted: Admitted) -> Result<impl IntoResponse, Refused> {
    Ok(answer(json!(admitted.require_group(&["admins"])?)))
}

/// It has read the body, whatever that is.
async fn anything(caller: Option<Caller>, _body: Bytes) -> impl IntoResponse {
    answer(json!({"reached": true, "subject": caller.map(|caller| caller.subject.clone())}))
}

fn answer(value: Value) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], value.to_string())
}

async fn socket(caller: Option<Caller>, upgrade: WebSocketUpgrade) -> Response {
    let subject = caller.map(|caller| caller.subject.clone()).unwrap_or_default();
    upgrade.on_upgrade(|mut socket| async move {
        // The client may have gone
        let _ = socket.send(Message::text(subject)).await;
        let _ = socket.send(Message::Close(None)).await;
    })
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn cors() -> Result<Option<CorsLayer>, Box<dyn Error>> {
    let Some(origin) = set("CORS_ORIGIN") else { return Ok(None) };
    let allowed = CorsLayer::new().allow_origin(HeaderValue::try_from(origin)?);
    Ok(Some(allowed.allow_methods([Method::GET, Method::DELETE]).allow_headers([AUTHORIZATION])))
}

/// `REWRITE=/from=/to` gives requests for exactly `/from` the path `/to`.
fn rewrite() -> Option<MapRequestLayer<impl Fn(Request) -> Request + Clone>> {
    let value = set("REWRITE")?;
    let (from, to) = value.split_once('=')?;
    let (from, to) = (from.to_owned(), to.parse().ok()?);
    Some(MapRequestLayer::new(move |mut request: Request| {
        if request.uri().path() == from {
            *request.uri_mut() = axum::http::Uri::clone(&to);
        }
        request
    }))
}
