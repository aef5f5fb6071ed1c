//! Which path is compared with `exempt_paths` when the layer stands within axum's routers.

use axum::{Router, extract::Request, routing::any};
use pomerium_jwt_tower::{Admitted, PomeriumLayer};
use tower::{ServiceBuilder, ServiceExt as _};

use crate::{issuer, layer};

async fn anything(admitted: Admitted) -> String {
    admitted.caller().map_or("nobody".to_owned(), |caller| caller.subject.clone())
}

fn inner(pomerium: &PomeriumLayer) -> Router {
    let router = Router::new().route("/", any(anything)).route("/health", any(anything)).route("/admin", any(anything));
    router.fallback(anything).layer(pomerium.clone())
}

/// The statuses of these paths.
async fn statuses<const N: usize>(application: &Router, paths: [&str; N]) -> [u16; N] {
    let mut statuses = [0; N];
    for (status, path) in statuses.iter_mut().zip(paths) {
        let request = Request::get(path).body(axum::body::Body::empty()).expect("a request");
        *status = application.clone().oneshot(request).await.expect("infallible").status().as_u16();
    }
    statuses
}

#[tokio::test]
async fn below_nest_it_is_the_whole_path() {
    let issuer = issuer();
    let pomerium = layer(&issuer, &["/api/health", "/api"]);
    let nested = Router::new().nest("/api", inner(&pomerium));
    let paths = ["/api/health", "/api/health?a=b", "/api", "/api/admin", "/api/other", "/api/%68ealth", "/health"];
    assert_eq!(statuses(&nested, paths).await, [200, 200, 200, 401, 401, 401, 404]);

    let pomerium = layer(&issuer, &["/health", "/admin"]);
    let nested = Router::new().nest("/api", inner(&pomerium));
    let paths = ["/api/health", "/api/admin", "/api"];
    assert_eq!(statuses(&nested, paths).await, [401; 3], "the path below the prefix is not what the client has sent");
}

#[tokio::test]
async fn below_nest_within_nest_and_with_parameters() {
    let issuer = issuer();
    let pomerium = layer(&issuer, &["/tenants/a/app/health"]);
    let nested = Router::new().nest("/tenants/{tenant}", Router::new().nest("/app", inner(&pomerium)));
    let paths =
        ["/tenants/a/app/health", "/tenants/b/app/health", "/tenants/a/app/admin", "/tenants/a%2Fapp/app/health"];
    assert_eq!(statuses(&nested, paths).await, [200, 401, 401, 401]);

    let service = Router::new().nest_service("/tenants/a/app", inner(&pomerium));
    assert_eq!(statuses(&service, ["/tenants/a/app/health", "/tenants/a/app/admin"]).await, [200, 401]);
}

#[tokio::test]
async fn around_the_router_it_covers_what_is_nested() {
    let issuer = issuer();
    let nested =
        Router::new().nest("/api", Router::new().route("/health", any(anything)).route("/admin", any(anything)));
    let service = ServiceBuilder::new().layer(layer(&issuer, &["/api/health"])).service(nested);
    let application = crate::outermost(service);
    let paths = ["/api/health", "/api/admin", "/unknown", "/"];
    assert_eq!(statuses(&application, paths).await, [200, 401, 401, 401]);
}

/// A middleware between the outermost router and the layer that changes the path by which handlers are found: what the
/// client has sent is no longer what is routed.
#[tokio::test]
async fn a_path_that_was_rewritten_is_never_exempt() {
    let issuer = issuer();
    let pomerium = layer(&issuer, &["/public/*", "/health"]);
    let rewriting = ServiceBuilder::new()
        .map_request(|mut request: Request| {
            let rest = request.uri().path().strip_prefix("/public").map(str::to_owned);
            if let Some(rest) = rest {
                *request.uri_mut() = rest.parse().expect("a path");
            }
            request
        })
        .service(inner(&pomerium));
    let application = crate::outermost(rewriting);
    let paths = ["/public/admin", "/public/health", "/public/x", "/health", "/admin"];
    assert_eq!(statuses(&application, paths).await, [401, 401, 401, 200, 401]);
}
