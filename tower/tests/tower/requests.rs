//! Which facts of a request reach the core, and what reaches the service.

use http::{Extensions, Method, Request, Version};
use pomerium_jwt::ErrorCode;
use pomerium_jwt_tower::{Admitted, Caller, PomeriumLayer};

use crate::{Body, answer, application, ask, get, issuer, options, token, verifier};

const HEADER: &str = "x-pomerium-jwt-assertion";

#[tokio::test]
async fn who_is_admitted() {
    let issuer = issuer();
    let options = options(&issuer).exempt_paths(["/health", "/public/*"]);
    let layer = PomeriumLayer::from_verifier(verifier(options));
    let application = application(&layer);
    let token = token(&issuer);

    let connect = || Request::builder().method(Method::CONNECT);
    let missing = (401, r#"{"error":"token_missing"}"#);
    let passed = (200, "reached by nobody");
    let alice = (200, "reached by alice");
    let table = [
        ("no token", get("/"), missing),
        ("a token", get("/").header(HEADER, &token), alice),
        ("the header in another case", get("/").header("X-POMERIUM-JWT-ASSERTION", &token), alice),
        ("as Bearer", get("/").header(HEADER, format!("Bearer {token}")), alice),
        ("two lines", get("/").header(HEADER, &token).header(HEADER, &token), (401, r#"{"error":"token_repeated"}"#)),
        (
            "two lines, one empty",
            get("/").header(HEADER, &token).header(HEADER, ""),
            (401, r#"{"error":"token_repeated"}"#),
        ),
        ("not ASCII", get("/").header(HEADER, &b"\xff"[..]), (401, r#"{"error":"token_malformed"}"#)),
        ("an exempt path", get("/health"), passed),
        ("with a query", get("/health?a=b"), passed),
        ("in absolute form", get("http://example.com/health"), passed),
        ("encoded", get("/%68ealth"), missing),
        ("doubled", get("//health"), missing),
        ("everything below", get("/public/a"), passed),
        ("dotted", get("/public/../admin"), missing),
        ("a WebSocket", get("/health").header("upgrade", "websocket"), missing),
        ("an upgrade in two lines", get("/health").header("upgrade", "h2c").header("upgrade", "websocket"), missing),
        ("to h2c", get("/health").header("upgrade", "h2c"), passed),
        ("CONNECT", connect().uri("example.com:443"), missing),
        ("a WebSocket over HTTP/2", connect().version(Version::HTTP_2).uri("https://example.com/health"), missing),
        ("over HTTP/3", connect().version(Version::HTTP_3).uri("https://example.com/public/a"), missing),
        ("OPTIONS *", Request::options("*"), missing),
    ];
    for (what, request, (status, body)) in table {
        assert_eq!(ask(&application, request).await, (status, body.to_owned()), "{what}");
    }
}

#[tokio::test]
async fn two_layers_share_the_keys_and_differ_in_their_rules() {
    let issuer = issuer();
    let layer = PomeriumLayer::from_verifier(verifier(options(&issuer)));
    let admins = layer.with(pomerium_jwt::Options::default().require_group(["admins"])).expect("request options");
    let token = token(&issuer);

    let request = || get("/").header(HEADER, &token);
    assert_eq!(ask(&application(&layer), request()).await.0, 200);
    assert_eq!(ask(&application(&admins), request()).await, (403, r#"{"error":"group_required"}"#.to_owned()));
    assert_eq!(issuer.fetches(), 1);
    assert!(layer.health().keys_loaded && admins.health().keys_loaded);
}

/// Whatever an earlier layer, or a client through one, has put into the extensions.
#[tokio::test]
async fn a_request_that_passes_carries_no_older_identity() {
    let issuer = issuer();
    let layer = PomeriumLayer::from_verifier(verifier(options(&issuer)));
    let optional = layer.with(pomerium_jwt::Options::default().optional(true)).expect("request options");

    let service = tower::service_fn(|request: Request<Body>| async move {
        let subject = request.extensions().get::<Caller>().map(|caller| caller.subject.clone());
        let mut response = http::Response::new(Body::from(subject.unwrap_or_default()));
        *response.extensions_mut() = request.extensions().clone();
        Ok::<_, std::convert::Infallible>(response)
    });
    let extensions: Extensions = {
        use tower::{Layer as _, ServiceExt as _};
        let request = get("/").header(HEADER, token(&issuer)).body(Body::default()).expect("a request");
        let response = layer.layer(service).oneshot(request).await.expect("infallible");
        response.extensions().clone()
    };
    assert_eq!(extensions.get::<Caller>().map(|caller| &*caller.subject), Some("alice"));

    let mut request = get("/").body(Body::default()).expect("a request");
    *request.extensions_mut() = extensions;
    assert_eq!(answer(&application(&optional), request).await.1, "reached by nobody");
}

#[tokio::test]
async fn a_route_may_demand_more() {
    let issuer = issuer();
    let options = options(&issuer).optional(true).allow_anonymous(true);
    let (sender, reported) = std::sync::mpsc::channel();
    let layer = PomeriumLayer::from_verifier(verifier(options)).on_refused(move |error, path| {
        sender.send((error.code(), path.to_owned())).expect("it is read");
    });
    let service = tower::service_fn(|request: Request<Body>| async move {
        let admitted = Admitted::of(request.extensions()).expect("a layer stands in front");
        let none: [&str; 0] = [];
        let outcomes = [
            admitted.require_caller().map(|_| ()),
            admitted.require_user().map(|_| ()),
            admitted.require_group(&["staff", "admins"]).map(|_| ()),
            admitted.require_group(&["admins"]).map(|_| ()),
            admitted.require_group(&none).map(|_| ()),
        ];
        let codes = outcomes.map(|outcome| outcome.map_or_else(|refused| refused.to_string(), |()| "ok".to_owned()));
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::from(codes.join(" "))))
    });
    let application = {
        use tower::{Layer as _, util::BoxCloneSyncService};
        layer.layer(BoxCloneSyncService::new(service))
    };
    let anonymous = issuer.mint(&issuer.assertion());
    let table = [
        (String::new(), "token_missing token_missing token_missing token_missing invalid_argument"),
        (anonymous, "ok subject_missing subject_missing subject_missing invalid_argument"),
        (token(&issuer), "ok ok ok group_required invalid_argument"),
    ];
    for (token, codes) in table {
        assert_eq!(ask(&application, get("/route?a=b").header(HEADER, token)).await, (200, codes.to_owned()));
    }
    let reported: Vec<_> = reported.try_iter().collect();
    assert_eq!(reported.len(), 11);
    assert_eq!(reported[0], (ErrorCode::TokenMissing, "/route".to_owned()));
    assert!(reported.contains(&(ErrorCode::GroupRequired, "/route".to_owned())), "{reported:?}");
}

#[tokio::test]
async fn a_caller_shows_nobody_and_knows_its_end() {
    let issuer = issuer();
    let layer = PomeriumLayer::from_verifier(verifier(options(&issuer)));
    let service = tower::service_fn(|request: Request<Body>| async move {
        let caller = request.extensions().get::<Caller>().expect("a caller");
        let text = format!("{} {caller:?} {:?}", caller.expires_in().as_secs(), Admitted::of(request.extensions()));
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::from(text)))
    });
    let application = {
        use tower::{Layer as _, util::BoxCloneSyncService};
        layer.layer(BoxCloneSyncService::new(service))
    };
    let shown = |expiry: i64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
        let user = issuer.assertion().user("alice", "alice@example.com", "Alice");
        let assertion = user.expires_at(i64::try_from(now).expect("before 2^63") + expiry);
        let request = get("/").header(HEADER, issuer.mint(&assertion));
        let application = application.clone();
        async move { ask(&application, request).await.1 }
    };
    let text = shown(3600).await;
    let seconds: u64 = text.split(' ').next().and_then(|word| word.parse().ok()).expect("seconds");
    assert!((3000..=3600).contains(&seconds), "{text}");
    assert!(!text.contains("alice") && !text.contains("Alice"), "{text}");
    let expired = shown(-30).await; // within the leeway
    assert!(expired.starts_with("0 "), "{expired}");
}
