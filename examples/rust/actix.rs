//! An application behind Pomerium with actix-web, which knows no tower: a middleware of its own asks the guard.
//! `POMERIUM_JWT_ROUTE=https://app.example.com POMERIUM_JWT_EXEMPT_PATHS=/health PORT=8080 actix`
#![forbid(unsafe_code)]

use std::{env, io};

use actix_cors::Cors;
use actix_web::{
    App, Error, HttpMessage as _, HttpRequest, HttpResponse, HttpServer,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header::HeaderMap},
    middleware::{Condition, Next, from_fn},
    web::{self, Data, ReqData},
};
use pomerium_jwt_tower::{Admission, Guard, Request};
use serde_json::json;

#[actix_web::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let guard = Guard::from_env().map_err(io::Error::other)?;
    let port = env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let server = HttpServer::new(move || {
        // The last one wrapped stands in front: CORS, then ours, then the routes
        App::new()
            .app_data(Data::new(guard.clone()))
            .wrap(from_fn(protect))
            .wrap(Condition::new(set("CORS_ORIGIN").is_some(), cors()))
            .service(web::resource("/").get(index).head(index).default_service(web::to(anything)))
            .service(web::resource("/admin").get(admin).head(admin).default_service(web::to(anything)))
            .service(web::resource("/health").get(health).head(health).default_service(web::to(anything)))
            .route("/ws", web::get().to(socket))
            .default_service(web::to(anything))
    });
    let server = server.workers(2).bind(format!("127.0.0.1:{port}"))?;
    for address in server.addrs() {
        println!("http://{address}");
    }
    server.run().await
}

/// Lets requests through if the guard admits them, and answers the others.
async fn protect(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let guard = request.app_data::<Data<Guard>>().expect("it is given to App::app_data").clone();
    let token = joined(request.headers(), guard.verifier().header_name());
    let path = if request.method() == Method::CONNECT { "" } else { request.uri().path() }.to_owned();
    let facts = Request {
        token: &token,
        path: path.as_bytes(),
        upgrade: Request::is_upgrade(joined(request.headers(), "upgrade")),
        ..Request::default()
    };
    match guard.admit(&facts).await {
        Ok(admission) => {
            request.extensions_mut().insert(admission);
            next.call(request).await.map(ServiceResponse::map_into_boxed_body)
        }
        Err(error) => Ok(request.into_response(refusal(&error))),
    }
}

/// All values of this header, joined by commas.
fn joined(headers: &HeaderMap, name: &str) -> Vec<u8> {
    let values: Vec<&[u8]> = headers.get_all(name).map(|value| value.as_bytes()).collect();
    values.join(&b","[..])
}

fn refusal(error: &pomerium_jwt_tower::Error) -> HttpResponse {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in error.headers() {
        response.insert_header(header);
    }
    response.body(error.body())
}

/// Null if the request passed without an identity.
async fn index(admission: ReqData<Admission>) -> HttpResponse {
    HttpResponse::Ok().json(admission.identity())
}

async fn admin(admission: ReqData<Admission>) -> HttpResponse {
    match admission.require_group(&["admins"]) {
        Ok(identity) => HttpResponse::Ok().json(identity),
        Err(error) => refusal(&error),
    }
}

async fn health(guard: Data<Guard>) -> HttpResponse {
    HttpResponse::Ok().json(guard.health())
}

async fn anything(admission: ReqData<Admission>) -> HttpResponse {
    let subject = admission.identity().map(|identity| &identity.subject);
    HttpResponse::Ok().json(json!({"reached": true, "subject": subject}))
}

async fn socket(
    admission: ReqData<Admission>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Error> {
    let (response, mut session, _) = actix_ws::handle(&request, body)?;
    let subject = admission.identity().map(|identity| identity.subject.clone()).unwrap_or_default();
    actix_web::rt::spawn(async move {
        // The client may have gone
        let _ = session.text(subject).await;
        let _ = session.close(None).await;
    });
    Ok(response)
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn cors() -> Cors {
    let origin = set("CORS_ORIGIN").unwrap_or_default();
    Cors::default()
        .allowed_origin_fn(move |asked, _| asked.as_bytes() == origin.as_bytes())
        .allowed_methods(["GET", "DELETE"])
        .allowed_header("Authorization")
}
