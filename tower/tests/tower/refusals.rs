//! What a refusal looks like, and who hears of it.

use std::sync::mpsc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Version, request::Builder};
use pomerium_jwt::ErrorCode;
use pomerium_jwt_issuer::Fault;
use pomerium_jwt_tower::{ErrorPage, PomeriumLayer};

use crate::{Body, answer, application, get, issuer, options, verifier};

fn empty(request: Builder) -> Request<Body> {
    request.body(Body::default()).expect("a request")
}

#[tokio::test]
async fn status_headers_and_body_are_the_cores() {
    let issuer = issuer();
    let application = application(&PomeriumLayer::from_verifier(verifier(options(&issuer))));

    let (head, body) = answer(&application, empty(get("/"))).await;
    assert_eq!((head.status.as_u16(), &*body), (401, r#"{"error":"token_missing"}"#));
    assert_eq!(head.headers["content-type"], "application/json");
    assert_eq!(head.headers["cache-control"], "no-store");
    assert_eq!(head.headers["www-authenticate"], r#"Bearer error="invalid_token""#);
    assert_eq!(head.headers.len(), 3);

    let (head, body) = answer(&application, empty(Request::head("/"))).await;
    assert_eq!((head.status.as_u16(), &*body), (401, ""));
    assert_eq!(head.headers["content-length"], "25");

    issuer.fault(Fault::InternalServerError);
    let token = crate::token(&issuer);
    let (head, body) = answer(&application, empty(get("/").header("x-pomerium-jwt-assertion", token))).await;
    assert_eq!((head.status.as_u16(), &*body), (503, r#"{"error":"keys_unavailable"}"#));
    assert!(head.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn an_error_handler_writes_the_body_and_nothing_else() {
    let issuer = issuer();
    let layer = PomeriumLayer::from_verifier(verifier(options(&issuer))).error_handler(|request, error| ErrorPage {
        content_type: HeaderValue::from_static("text/html"),
        body: Bytes::from(format!("<p>{} for {}", error.code(), request.uri)),
    });
    let application = application(&layer);
    let (head, body) = answer(&application, empty(get("/a?b"))).await;
    assert_eq!((head.status.as_u16(), &*body), (401, "<p>token_missing for /a?b"));
    assert_eq!(head.headers["content-type"], "text/html");
    assert_eq!(head.headers["cache-control"], "no-store");

    let (head, body) = answer(&application, empty(Request::head("/"))).await;
    assert_eq!((head.headers["content-length"].as_bytes(), &*body), (&b"22"[..], ""));
}

#[tokio::test]
async fn grpc_clients_get_a_status() {
    let issuer = issuer();
    let options = options(&issuer).require_group(["admins"]);
    let layer = PomeriumLayer::from_verifier(verifier(options));
    let layer = layer.error_handler(|_, _| panic!("no page is made for gRPC"));
    let application = application(&layer);
    let call = || Request::post("/a.B/C").version(Version::HTTP_2).header("content-type", "application/grpc+proto");

    let token = crate::token(&issuer);
    for (token, status, message) in [("", "16", "token_missing"), (&token, "7", "group_required")] {
        let request = empty(call().header("x-pomerium-jwt-assertion", token));
        let (head, body) = answer(&application, request).await;
        assert_eq!((head.status.as_u16(), &*body), (200, ""));
        assert_eq!(head.headers["content-type"], "application/grpc");
        assert_eq!(head.headers["grpc-status"], status);
        assert_eq!(head.headers["grpc-message"], message);
        assert!(!head.headers.contains_key("grpc-status-details-bin"));
    }
}

/// Over HTTP/1, with GET, and with another Content-Type, it is not a gRPC client.
#[tokio::test]
async fn others_do_not() {
    let issuer = issuer();
    let application = application(&PomeriumLayer::from_verifier(verifier(options(&issuer))));
    let table = [
        (Method::POST, Version::HTTP_11, "application/grpc"),
        (Method::GET, Version::HTTP_2, "application/grpc"),
        (Method::POST, Version::HTTP_2, "application/grpc-web"),
        (Method::POST, Version::HTTP_2, "application/json"),
    ];
    for (method, version, kind) in table {
        let request = Request::builder().method(method).version(version).uri("/").header("content-type", kind);
        assert_eq!(answer(&application, empty(request)).await.0.status, 401, "{kind}");
    }
}

#[tokio::test]
async fn on_refused_hears_code_message_and_path() {
    let issuer = issuer();
    let (sender, heard) = mpsc::channel();
    let layer = PomeriumLayer::from_verifier(verifier(options(&issuer))).on_refused(move |error, path| {
        sender.send((error.code(), error.message().to_owned(), path.to_owned())).expect("it is read");
    });
    let _ = answer(&application(&layer), empty(get("/a/b?secret"))).await;
    let (code, message, path) = heard.try_recv().expect("one refusal");
    assert_eq!((code, &*path), (ErrorCode::TokenMissing, "/a/b"));
    assert!(!message.is_empty());
    assert!(heard.try_recv().is_err(), "once");
}
