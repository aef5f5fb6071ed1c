//! The example with tonic, as a process: refused without a token, let in with one.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use pomerium_jwt_issuer::{Fault, Server};
use tonic::{
    Code, Request, Status,
    body::Body,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt as _;
use tower::{Service as _, ServiceExt as _};

use crate::{issuer, token};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn example(issuer: &Server) -> (Running, Channel) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tonic"));
    command.env("POMERIUM_JWT_ROUTE", issuer.url()).env("PORT", "0").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the example starts");
    let output = child.stdout.take().expect("it is piped");
    let running = Running(child);
    let line = BufReader::new(output).lines().next().expect("a line").expect("text");
    let channel = Endpoint::from_shared(line).expect("an address").connect().await.expect("a connection");
    (running, channel)
}

fn call(token: &str) -> Request<HealthCheckRequest> {
    let mut request = Request::new(HealthCheckRequest::default());
    if !token.is_empty() {
        request.metadata_mut().insert("x-pomerium-jwt-assertion", token.parse().expect("a value"));
    }
    request
}

fn shown(status: &Status) -> (Code, &str) {
    (status.code(), status.message())
}

#[tokio::test]
async fn calls_are_refused_and_let_in() {
    let issuer = issuer();
    let (_running, channel) = example(&issuer).await;
    let mut client = HealthClient::new(channel);
    let token = token(&issuer);

    client.check(call("")).await.expect("its path is exempt");
    assert_eq!(shown(&client.watch(call("")).await.expect_err("no token")), (Code::Unauthenticated, "token_missing"));
    let malformed = client.watch(call("x.y.z")).await.expect_err("a bad token");
    assert_eq!(shown(&malformed), (Code::Unauthenticated, "token_malformed"));

    issuer.fault(Fault::InternalServerError);
    let unavailable = client.watch(call(&token)).await.expect_err("no keys");
    assert_eq!(shown(&unavailable), (Code::Unavailable, "keys_unavailable"));
    let details = unavailable.check_error_details().expect("they can be read");
    let delay = details.retry_info().and_then(|info| info.retry_delay).expect("a RetryInfo");
    assert!((1..=60).contains(&delay.as_secs()), "{delay:?}");

    issuer.fault(Fault::None);
    tokio::time::sleep(delay + Duration::from_millis(100)).await;
    let mut stream = client.watch(call(&token)).await.expect("a good token").into_inner();
    assert!(stream.message().await.expect("an answer").is_some());
}

/// The layer stands around all services, and so around those that do not exist.
#[tokio::test]
async fn unknown_methods_are_refused_too() {
    let issuer = issuer();
    let (_running, mut channel) = example(&issuer).await;
    let token = token(&issuer);
    let table = [("", "16"), (&*token, "12")];
    for (token, status) in table {
        let request =
            axum::http::Request::post("http://localhost/no.Such/Method").header("content-type", "application/grpc");
        let request = request.header("x-pomerium-jwt-assertion", token).body(Body::empty()).expect("a request");
        let response = channel.ready().await.expect("a channel").call(request).await.expect("an answer");
        assert_eq!(response.headers()["grpc-status"], status);
    }
}

/// At start: what is accepted, and which variables the code overrides, without their values.
#[tokio::test]
async fn the_start_is_logged() {
    let issuer = issuer();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tonic"));
    command.env("POMERIUM_JWT_ROUTE", issuer.url()).env("POMERIUM_JWT_EXEMPT_PATHS", "/s3cret").env("PORT", "0");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the example starts");
    let log = child.stderr.take().expect("it is piped");
    let _running = Running(child);
    let lines: Vec<String> = BufReader::new(log).lines().take(2).map(|line| line.expect("text")).collect();
    assert!(lines[0].contains("INFO") && lines[0].contains(&issuer.key_set_url()), "{lines:?}");
    assert!(lines[1].contains("WARN") && lines[1].contains("override the environment: POMERIUM_JWT_EXEMPT_PATHS"));
    assert!(!lines.concat().contains("s3cret"), "{lines:?}");
}
