//! axum's extractors.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    routing::get,
};
use pomerium_jwt::{Options, Verifier};
use pomerium_jwt_tower::{Admitted, Caller, PomeriumLayer, Refused};
use tower::{Layer as _, ServiceExt as _};

use crate::{issuer, token};

fn router() -> Router {
    async fn caller(caller: Caller) -> String {
        caller.subject.clone()
    }
    async fn perhaps(caller: Option<Caller>) -> String {
        caller.map_or("nobody".to_owned(), |caller| caller.subject.clone())
    }
    async fn user(admitted: Admitted) -> Result<String, Refused> {
        Ok(admitted.require_user()?.subject.clone())
    }
    async fn staff(admitted: Admitted) -> Result<String, Refused> {
        Ok(admitted.require_group(&["staff"])?.subject.clone())
    }
    let router = Router::new().route("/caller", get(caller)).route("/perhaps", get(perhaps));
    router.route("/user", get(user)).route("/staff", get(staff))
}

async fn ask(service: &Router, path: &str, token: &str) -> (u16, String, usize) {
    let request = Request::get(path).header("x-pomerium-jwt-assertion", token).body(Body::empty()).expect("a request");
    let response = service.clone().oneshot(request).await.expect("infallible");
    let (status, headers) = (response.status().as_u16(), response.headers().len());
    let body = to_bytes(response.into_body(), 1000).await.expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned(), headers)
}

#[tokio::test]
async fn extractors_refuse_what_a_route_demands() {
    let issuer = issuer();
    let options = Options::for_route(issuer.url()).optional(true).allow_anonymous(true);
    let pomerium = PomeriumLayer::from_verifier(Verifier::new(options).expect("a verifier"));
    let application = crate::outermost(pomerium.layer(router()));
    let anonymous = issuer.mint(&issuer.assertion());
    let guest = issuer.mint(&issuer.assertion().user("guest", "guest@example.com", "Guest"));

    let table = [
        ("/caller", "", 401, r#"{"error":"token_missing"}"#),
        ("/caller", &anonymous, 200, ""),
        ("/caller", &token(&issuer), 200, "alice"),
        ("/perhaps", "", 200, "nobody"),
        ("/perhaps", &guest, 200, "guest"),
        ("/user", "", 401, r#"{"error":"token_missing"}"#),
        ("/user", &anonymous, 401, r#"{"error":"subject_missing"}"#),
        ("/user", &guest, 200, "guest"),
        ("/staff", "", 401, r#"{"error":"token_missing"}"#),
        ("/staff", &anonymous, 401, r#"{"error":"subject_missing"}"#),
        ("/staff", &guest, 403, r#"{"error":"group_required"}"#),
        ("/staff", &token(&issuer), 200, "alice"),
    ];
    for (path, token, status, body) in table {
        let (answered, text, headers) = ask(&application, path, token).await;
        assert_eq!((answered, &*text), (status, body), "{path}");
        // Content-Type, -Length, Cache-Control, and WWW-Authenticate with 401
        assert_eq!(
            headers,
            match status {
                401 => 4,
                403 => 3,
                _ => 2,
            },
            "{path}"
        );
    }
}

/// A route that was forgotten is not open.
#[tokio::test]
async fn without_a_layer_every_extractor_fails() {
    for path in ["/caller", "/perhaps", "/user", "/staff"] {
        let (status, body, _) = ask(&router(), path, "").await;
        assert_eq!((status, &*body), (500, r#"{"error":"internal"}"#), "{path}");
    }
}
