//! Middleware that applications put before and after the layer: a request refused, passed, let in and upgraded with each.

use std::time::Duration;

use axum::{Router, http::StatusCode, routing::any};
use pomerium_jwt_issuer::Fault;
use pomerium_jwt_tower::Caller;
use tower::{Layer as _, ServiceBuilder};
use tower_http::{compression::CompressionLayer, cors::CorsLayer, timeout::TimeoutLayer, trace::TraceLayer};

use crate::{UPGRADE, get, issuer, layer, outermost, serve, socket, token, with};

fn router() -> Router {
    async fn hello(caller: Option<Caller>) -> String {
        format!("hello {} ", caller.map_or("nobody".to_owned(), |caller| caller.subject.clone())).repeat(100)
    }
    Router::new().route("/", any(hello)).route("/health", any(hello)).route("/ws", any(socket))
}

fn timeout(after: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, after)
}

#[tokio::test]
async fn compression_cors_timeouts_and_tracing_before_and_after() {
    let issuer = issuer();
    let pomerium = layer(&issuer, &["/health"]);
    let minute = Duration::from_secs(60);
    let applications = [
        ("compression before", outermost(CompressionLayer::new().layer(pomerium.layer(router())))),
        ("compression after", outermost(pomerium.layer(CompressionLayer::new().layer(router())))),
        ("CORS before", outermost(CorsLayer::permissive().layer(pomerium.layer(router())))),
        ("CORS after", outermost(pomerium.layer(CorsLayer::permissive().layer(router())))),
        ("timeout before", outermost(timeout(minute).layer(pomerium.layer(router())))),
        ("timeout after", outermost(pomerium.layer(timeout(minute).layer(router())))),
        ("tracing before", outermost(TraceLayer::new_for_http().layer(pomerium.layer(router())))),
        ("tracing after", outermost(pomerium.layer(TraceLayer::new_for_http().layer(router())))),
        ("as a layer of the router", router().layer(pomerium.clone())),
    ];
    let token = with(&token(&issuer));
    for (what, application) in applications {
        let address = serve(application).await;
        let (status, text) = get(address, "/", "").await;
        assert_eq!(status, 401, "{what}: {text}");
        assert!(text.ends_with(r#"{"error":"token_missing"}"#), "{what}: {text}");
        assert_eq!(get(address, "/", &format!("{token}Accept-Encoding: gzip\r\n")).await.0, 200, "{what}");
        let (status, text) = get(address, "/", &token).await;
        assert!(status == 200 && text.contains("hello alice"), "{what}: {text}");
        let (status, text) = get(address, "/health", "").await;
        assert!(status == 200 && text.contains("hello nobody"), "{what}: {text}");
        assert_eq!(get(address, "/ws", UPGRADE).await.0, 401, "{what}");
        assert_eq!(get(address, "/ws", &format!("{token}{UPGRADE}")).await.0, 101, "{what}");
    }
}

#[tokio::test]
async fn compression_in_front_takes_the_applications_body() {
    let issuer = issuer();
    let application = CompressionLayer::new().layer(layer(&issuer, &["/health"]).layer(router()));
    let address = serve(outermost(application)).await;
    let (_, text) = get(address, "/", &format!("{}Accept-Encoding: gzip\r\n", with(&token(&issuer)))).await;
    assert!(text.contains("content-encoding: gzip") && text.len() < 1000, "{text:?}");
}

/// A timeout in front ends the wait for keys, and callers that come later get in.
#[tokio::test]
async fn a_timeout_in_front_drops_a_waiting_request() {
    let issuer = issuer();
    issuer.fault(Fault::Hang);
    let pomerium = layer(&issuer, &["/health"]);
    let application =
        ServiceBuilder::new().layer(timeout(Duration::from_millis(100))).layer(pomerium).service(router());
    let address = serve(outermost(application)).await;
    let token = with(&token(&issuer));
    assert_eq!(get(address, "/", &token).await.0, 408);
    assert_eq!(get(address, "/health", "").await.0, 200);
    issuer.fault(Fault::None);
    // The fetch that hangs is given up after the option `timeout`, and tried again a second later or more
    while get(address, "/", &token).await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
