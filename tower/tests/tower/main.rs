//! The layer around a service, with a real issuer and real tokens.
#![forbid(unsafe_code)]

mod refusals;
mod requests;
mod waiting;

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, request::Builder};
use http_body_util::{BodyExt as _, Full};
use pomerium_jwt::Options;
use pomerium_jwt_issuer::{Server, ServerOptions};
use pomerium_jwt_tower::{Admitted, Caller, PomeriumLayer, PomeriumService, ResponseBody};
use tower::{Layer as _, ServiceExt as _, util::BoxCloneSyncService};

type Body = Full<Bytes>;
type Application = PomeriumService<BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>>;

fn issuer() -> Server {
    Server::start(ServerOptions::default()).expect("an issuer")
}

fn options(issuer: &Server) -> Options {
    Options::for_route(issuer.url())
}

fn token(issuer: &Server) -> String {
    issuer.mint(&issuer.assertion().user("alice", "alice@example.com", "Alice").groups(["staff"]))
}

fn verifier(options: Options) -> pomerium_jwt::Verifier {
    pomerium_jwt::Verifier::new(options).expect("a verifier")
}

/// A service that says who has reached it.
fn application(layer: &PomeriumLayer) -> Application {
    let service = tower::service_fn(|request: Request<Body>| async move {
        let admitted = Admitted::of(request.extensions()).expect("a layer stands in front");
        let caller: Option<&Caller> = request.extensions().get();
        assert_eq!(caller, admitted.caller(), "the extensions agree");
        let subject = caller.map_or("nobody", |caller| &caller.subject);
        Ok::<_, Infallible>(Response::new(Full::from(format!("reached by {subject}"))))
    });
    layer.layer(BoxCloneSyncService::new(service))
}

fn get(path: &str) -> Builder {
    Request::get(path)
}

async fn ask(application: &Application, request: Builder) -> (u16, String) {
    let (head, body) = answer(application, request.body(Body::default()).expect("a request")).await;
    (head.status.as_u16(), body)
}

async fn answer(application: &Application, request: Request<Body>) -> (http::response::Parts, String) {
    let response: Response<ResponseBody<Body>> = application.clone().oneshot(request).await.expect("infallible");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    (head, String::from_utf8_lossy(&body).into_owned())
}
