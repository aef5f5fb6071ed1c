//! `serve`: stands in front of applications that know only headers, or shows who is calling.
//!
//! Three ways into one program: a page and its JSON, `/auth` for proxies that ask, and the sidecar of `--upstream`. Who
//! gets in is decided by the core.

mod access_log;
mod auth;
mod identity_headers;
mod page;
mod pages;
mod settings;
mod sidecar;
mod tls;
mod view;

use std::{
    convert::Infallible,
    io::{self, Write as _},
    net::SocketAddr,
    sync::Arc,
};

use clap::ArgMatches;
use hyper::{Request, Response, StatusCode, body::Incoming, header::HeaderName};
use pomerium_jwt::Error;
use pomerium_jwt_tower::Guard;
use tokio::runtime;

use crate::{
    proxy::{Body, Listener, Stop, ambiguous, full},
    report::{Report, internal, invalid},
};
use auth::Auth;
use identity_headers::IdentityHeaders;
use pages::Pages;
use settings::Settings;
pub(crate) use settings::command;
use sidecar::Sidecar;

const SIDECAR: &str = "the application must listen on loopback, or not be reachable past this program: it trusts anyone \
                       who sends these headers";
const CHOSEN_NAMES: &str =
    "--set-header ...=name: at many providers people choose their names themselves: never decide anything by it";
const UNDECIDED: &str = "neither a route nor issuer and audience is set: the page pins the first that come, and /auth \
                         answers 500; set POMERIUM_JWT_ROUTE to the application's URL";
const NO_PROXY: &str = "exempt_paths without --proxy: /auth does not know the original path, so nothing is exempt";

pub(crate) fn run(matches: &ArgMatches) -> Result<Report, Error> {
    let settings = Settings::read(matches)?;
    log_to_standard_error();
    let runtime = runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| internal(error.to_string()))?;
    runtime.block_on(serve(settings))?;
    runtime.shutdown_background(); // WebSockets end with the process
    Ok(Report::from(String::new()))
}

async fn serve(settings: Settings) -> Result<(), Error> {
    let stop = Stop::on_signals().map_err(|error| internal(error.to_string()))?;
    let header_name = settings.verifier.header_name().to_owned();
    let headers = || {
        let set = settings.set_headers.iter().map(String::as_str);
        IdentityHeaders::new(set, &header_name).map_err(invalid)
    };
    let tls = settings.tls.as_ref().map(|(certificate, key)| tls::config(certificate, key).map_err(invalid));
    let tls = tls.transpose()?;
    let listener = bind("--listen", settings.listen).await?;
    let guard = Guard::from_verifier(settings.verifier);
    let (shown, forwarded) = (headers()?, headers()?);
    let warnings = [
        (settings.upstream.is_some(), SIDECAR),
        (forwarded.shows_chosen_names(), CHOSEN_NAMES),
        (settings.undecided, UNDECIDED),
        (settings.exempts && settings.upstream.is_none() && settings.proxy.is_none(), NO_PROXY),
    ];
    warnings.iter().filter(|(applies, _)| *applies).for_each(|(_, text)| tracing::warn!("pomerium-jwt: {text}"));
    let pages = Arc::new(Pages {
        strict: settings.strict,
        undecided: settings.undecided,
        auth: Auth { guard: guard.clone(), proxy: settings.proxy, headers: shown, undecided: settings.undecided },
    });
    let log = settings.access_log;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.address());
    let Some(upstream) = settings.upstream else {
        announce(&url)?;
        listener.serve(tls, stop, move |request| logged(log, request, pages.clone(), Pages::answer)).await;
        return Ok(());
    };
    let sidecar = Arc::new(Sidecar::new(guard, upstream, forwarded));
    let admin = match settings.admin_listen {
        None => None,
        Some(address) => Some(bind("--admin-listen", address).await?),
    };
    if let Some(admin) = admin {
        tracing::info!("pomerium-jwt: page, probes and metrics on http://{}", admin.address());
        let (stop, pages) = (stop.clone(), pages.clone());
        tokio::spawn(admin.serve(None, stop, move |request| logged(false, request, pages.clone(), Pages::answer)));
    }
    announce(&url)?;
    listener.serve(tls, stop, move |request| logged(log, request, sidecar.clone(), Sidecar::answer)).await;
    Ok(())
}

/// One request, and its line in the access log.
async fn logged<T, F>(
    log: bool,
    request: Request<Incoming>,
    state: Arc<T>,
    answer: fn(Arc<T>, Request<Incoming>) -> F,
) -> Response<Body>
where
    F: Future<Output = Response<Body>>,
{
    if let Some(response) = ambiguous(&request) {
        return response;
    }
    let line = log.then(|| access_log::Line::begin(&request));
    let response = answer(state, request).await;
    if let Some(line) = line {
        line.end(response.status());
    }
    response
}

/// The response that the core describes.
fn refusal(error: &Error) -> Response<Body> {
    let mut response = Response::new(full(error.body()));
    *response.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in error.headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn bind(flag: &str, address: SocketAddr) -> Result<Listener, Error> {
    Listener::bind(address).await.map_err(|error| invalid(format!("{flag} {address}: {error}")))
}

/// The line that scripts wait for.
fn announce(url: &str) -> Result<(), Error> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{url}").and_then(|()| stdout.flush()).map_err(|error| internal(error.to_string()))
}

fn log_to_standard_error() {
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_target(false).with_ansi(false);
    let _ = log.try_init(); // only once in a process
}

/// A service that cannot fail, as a result.
fn infallible<T>(value: T) -> Result<T, Infallible> {
    Ok(value)
}
