//! The steps: what each saw, how it ended, and what to change.

use std::{net::SocketAddr, time::SystemTime};

use hyper::header::{AGE, CACHE_CONTROL, DATE};
use pomerium_jwt::{Error, KeyStatus, LastErrorCode, Verifier};
use serde_json::Value;
use tokio::runtime;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::{
    Step,
    certificate::Certificate,
    look::{Answer, Connection, Target},
};
use crate::{report::internal, times};

/// Pomerium's document about itself, on every host.
const WELL_KNOWN: &str = "/.well-known/pomerium";

/// A certificate that ends sooner is worth a warning, in seconds.
const SOON: i64 = 14 * 86_400;

/// What the core's own fetch came to.
pub(super) struct Fetch {
    failure: Option<(LastErrorCode, String)>,
    keys: Vec<KeyStatus>,
    /// For how many seconds the set is fresh.
    ttl: Option<u64>,
}

impl Fetch {
    pub(super) fn new(verifier: &Verifier, failure: Option<Error>) -> Self {
        let status = verifier.status();
        let last = status.last_error.map(|error| (error.code, error.message));
        let failure = failure.map(|error| last.unwrap_or((LastErrorCode::Timeout, error.message().to_owned())));
        Self { failure, keys: status.keys, ttl: status.ttl }
    }

    fn is_ok(&self) -> bool {
        self.failure.is_none()
    }

    /// Whether it failed on the way, before there was an answer.
    fn broke_off(&self) -> Option<&str> {
        use LastErrorCode::{Body, Status};
        let (code, message) = self.failure.as_ref()?;
        (!matches!(code, Status | Body)).then_some(message)
    }

    fn failed_with(&self, wanted: LastErrorCode) -> Option<&str> {
        let (code, message) = self.failure.as_ref()?;
        (*code == wanted).then_some(message)
    }

    /// Why the proxy did not lead to the server. The core says of no other failure that `NO_PROXY` may help.
    fn failed_at_proxy(&self) -> Option<&str> {
        self.broke_off().filter(|message| message.contains("list the host in NO_PROXY"))
    }

    /// A step on the way that this machine cannot take directly. The fetch has the last word: it may use a proxy.
    fn blocked(&self, step: &'static str, seen: String, change: String) -> Step {
        if self.is_ok() {
            return Step::skipped(step, format!("{seen}, but the keys were fetched, by the proxy"));
        }
        if self.failed_at_proxy().is_some() {
            return Step::skipped(step, format!("{seen}; the proxy has to lead there"));
        }
        Step::failed(step, self.broke_off().map_or(seen, str::to_owned), change)
    }
}

/// Takes the steps until one cannot be taken.
pub(super) fn examine(target: &Target, fetch: &Fetch) -> Result<Vec<Step>, Error> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| internal(format!("the steps cannot be taken: {error}")))?;
    let mut steps = vec![proxy(target, fetch)];
    let way = runtime.block_on(go(target, fetch, &mut steps));
    if let Some(way) = way {
        steps.push(keys_fetched(fetch));
        runtime.block_on(look_around(target, fetch, way, &mut steps));
    } else if fetch.is_ok() {
        steps.push(keys_fetched(fetch));
    }
    runtime.shutdown_background(); // a lookup of a name has no time limit of its own
    Ok(steps)
}

/// A way that was found to the server: its addresses, and a connection on which nothing was said yet.
struct Way {
    addresses: Vec<SocketAddr>,
    connection: Connection,
}

/// Name, connection and TLS. None if one of them fails.
async fn go(target: &Target, fetch: &Fetch, steps: &mut Vec<Step>) -> Option<Way> {
    let dialled = &target.dialled;
    let addresses = match target.resolve().await {
        Ok(addresses) => addresses,
        Err(error) => {
            let change = format!(
                "Make {dialled} resolvable here (DNS, the hosts file, extra_hosts of a container), or set connect_to to an \
                 address that is"
            );
            steps.push(fetch.blocked("name", format!("{dialled} could not be resolved: {error}"), change));
            return None;
        }
    };
    let list = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ");
    let by = if target.connect_to { " (by connect_to)" } else { "" };
    steps.push(Step::passed("name", format!("{dialled}{by} is {list}")));
    if let Some(refusal) = fetch.failed_with(LastErrorCode::Refused) {
        steps.push(Step::failed("connection", refusal, "Write https in route, or in jwks_url"));
        return None;
    }
    let socket = match target.connect(&addresses).await {
        Ok(socket) => socket,
        Err(error) => {
            let change = "Check that Pomerium listens there and that no firewall or network policy is in between; inside a \
                          cluster set connect_to to Pomerium's own address, such as pomerium:443";
            steps.push(fetch.blocked("connection", format!("no connection to {dialled}: {error}"), change.to_owned()));
            return None;
        }
    };
    let peer = socket.peer_addr().map_or_else(|_| dialled.clone(), |address| address.to_string());
    steps.push(Step::passed("connection", format!("{peer} accepts connections")));
    if !target.is_https() {
        steps.push(Step::skipped("tls", "the address is http"));
        return Some(Way { addresses, connection: Box::new(socket) });
    }
    let (connection, certificates) = match target.handshake(socket).await {
        Ok(shaken) => shaken,
        Err(error) => {
            let change = format!("Check that {peer} is Pomerium's https port");
            steps.push(fetch.blocked("tls", format!("{peer} does not speak TLS: {error}"), change));
            return None;
        }
    };
    steps.push(tls(target, fetch, &certificates));
    let distrusted = fetch.failed_with(LastErrorCode::Tls).is_some();
    (!distrusted).then_some(Way { addresses, connection })
}

/// The proxies of the environment, without the passwords that their URLs may hold.
fn proxy(target: &Target, fetch: &Fetch) -> Step {
    const NAMES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
    let set = NAMES.iter().filter_map(|name| Some((name, std::env::var(name).ok().filter(|value| !value.is_empty())?)));
    let shown = |(name, value): (&&str, String)| {
        let bare = match value.rsplit_once('@') {
            Some((secret, host)) => {
                format!(
                    "{}{host}",
                    secret.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"))
                )
            }
            None => value,
        };
        format!("{name}={bare}")
    };
    let list: Vec<String> = set.map(shown).collect();
    if list.is_empty() {
        return Step::passed("proxy", "none in the environment");
    }
    let list = list.join(", ");
    if let Some(why) = fetch.failed_at_proxy() {
        let change = format!("Correct it, or, if Pomerium is reached without it, list {} in NO_PROXY", target.host);
        return Step::failed("proxy", format!("{list}. {why}"), change);
    }
    match (target.connect_to, target.is_https()) {
        (true, _) => Step::passed("proxy", format!("{list}; not used, because connect_to is set")),
        (_, false) => Step::passed("proxy", format!("{list}; not used for http")),
        _ if !list.to_ascii_uppercase().contains("S_PROXY=") && !list.to_ascii_uppercase().contains("ALL_PROXY=") => {
            Step::passed("proxy", list)
        }
        _ => Step::warning(
            "proxy",
            format!("{list}; keys are fetched through it unless NO_PROXY lists {}", target.host),
            format!("If Pomerium is reached without it, list {} in NO_PROXY", target.host),
        ),
    }
}

fn tls(target: &Target, fetch: &Fetch, certificates: &[CertificateDer<'_>]) -> Step {
    let read = certificates.first().and_then(|first| Certificate::read(first, &target.host));
    let Some(certificate) = read else {
        let change = "Give the server a certificate that can be read".to_owned();
        return fetch.blocked("tls", "the server's certificate cannot be read".to_owned(), change);
    };
    let Certificate { names, issuer, not_after, .. } = &certificate;
    let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
    let until = times::date(*not_after).unwrap_or_else(|| "the end of time".to_owned());
    let signer = if certificate.is_self_signed { "itself".to_owned() } else { issuer.clone() };
    let seen = format!("certificate for {names}; signed by {signer}; valid until {until}");
    let now = times::now().unwrap_or_default();
    match fetch.failed_with(LastErrorCode::Tls) {
        Some(why) => Step::failed("tls", format!("{seen}. {why}"), advice(target, &certificate, now)),
        None if *not_after - now < SOON => Step::warning("tls", seen, "Renew the certificate: it is about to expire"),
        None => Step::passed("tls", seen),
    }
}

/// What to change about a certificate that is not trusted.
fn advice(target: &Target, certificate: &Certificate, now: i64) -> String {
    let clock = "or correct this machine's clock";
    let mut advice = Vec::new();
    if certificate.not_after < now {
        advice.push(format!("Renew the certificate, {clock}"));
    } else if certificate.not_before > now {
        advice.push(format!("Wait until the certificate is valid, {clock}"));
    }
    if !certificate.fits {
        let port = target.url.port_u16().map_or(String::new(), |port| format!(":{port}"));
        // Anybody can have written them, and this is a command to copy
        let is_host = |name: &&String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        let real = certificate.names.iter().find(is_host);
        let route = real.map_or("https://app.example.com".to_owned(), |name| format!("https://{name}{port}"));
        advice.push(format!(
            "The certificate is not for {}: set route to the route's from: URL, as users open it, and dial with \
             connect_to, for example --route {route} --connect-to {}",
            target.host, target.dialled
        ));
    }
    if advice.is_empty() || certificate.is_self_signed {
        let signer = if certificate.is_self_signed { "that certificate's CA" } else { "the CA that signed it" };
        advice.push(format!(
            "If the server is yours, write {signer} to a file in PEM and give it in ca_file; if it is public, install the \
             package ca-certificates and let the server send its whole chain"
        ));
    }
    advice.join(". ")
}

fn keys_fetched(fetch: &Fetch) -> Step {
    match &fetch.failure {
        None => keys(&fetch.keys),
        Some((_, why)) => {
            let change = "Is it the host of a Pomerium route? The key set is at /.well-known/pomerium/jwks.json on each of \
                          them; if something in front of Pomerium answers, let it pass that path on";
            Step::failed("keys", why.clone(), change)
        }
    }
}

/// Which keys are usable with the options that were given.
pub(super) fn keys(keys: &[KeyStatus]) -> Step {
    if keys.is_empty() {
        return Step::failed("keys", "the set is empty, so no token can be verified", crate::keys::GIVE_A_KEY);
    }
    let describe = |key: &KeyStatus| {
        let name = key.kid.as_deref().or(key.thumbprint.as_deref()).unwrap_or("a key without kid");
        match &key.reason {
            None => format!("{name} is usable"),
            Some(why) => format!("{name} is not usable: {why}"),
        }
    };
    let seen = keys.iter().map(describe).collect::<Vec<_>>().join("; ");
    let foreign = |key: &&KeyStatus| key.usable && key.kid.is_some() && key.kid != key.thumbprint;
    if !keys.iter().any(|key| key.usable) {
        let is_rsa = keys.iter().any(|key| key.alg.as_deref() == Some("RS256"));
        let rsa = if is_rsa { "; for an RSA key set algorithms to ES256,RS256" } else { "" };
        return Step::failed("keys", seen, format!("Give Pomerium a signing_key on P-256{rsa}"));
    }
    match keys.iter().find(foreign) {
        None => Step::passed("keys", seen),
        Some(key) => Step::warning(
            "keys",
            format!("{seen}; the thumbprint of {} is another", key.kid.as_deref().unwrap_or_default()),
            "Pomerium's kid is the key's thumbprint: is this Pomerium's key set?",
        ),
    }
}

/// What the answers say besides the keys.
async fn look_around(target: &Target, fetch: &Fetch, way: Way, steps: &mut Vec<Step>) {
    let path = target.url.path_and_query().map_or("/", |path| path.as_str());
    match target.get(way.connection, path).await {
        Ok(answer) => {
            if fetch.is_ok() {
                steps.push(cache(&answer, fetch.ttl));
            } else {
                steps.push(Step::skipped("cache", "there is no key set to keep"));
            }
            steps.push(clock(&answer, target.leeway));
        }
        Err(error) => {
            let why = format!("the server did not answer a second request: {error}");
            steps.extend([Step::skipped("cache", why.clone()), Step::skipped("clock", why)]);
        }
    }
    let about = match target.reopen(&way.addresses).await {
        Ok(connection) => target.get(connection, WELL_KNOWN).await,
        Err(error) => Err(error),
    };
    steps.push(match about {
        Ok(answer) => issuer(target, &answer),
        Err(error) => Step::skipped("issuer", format!("{WELL_KNOWN} was not answered: {error}")),
    });
}

fn header(answer: &Answer, name: hyper::header::HeaderName) -> Option<&str> {
    answer.headers.get(name)?.to_str().ok()
}

fn cache(answer: &Answer, ttl: Option<u64>) -> Step {
    let control = header(answer, CACHE_CONTROL);
    let fresh = ttl.map_or(String::new(), |ttl| format!("; this set is fresh for {ttl} s (see cache_ttl)"));
    let seen = format!("Cache-Control: {}{fresh}", control.unwrap_or("none"));
    if let Some(age) = header(answer, AGE).and_then(|age| age.parse::<u64>().ok()).filter(|age| *age > 0) {
        let change =
            "A cache in front of Pomerium keeps the key set, and rotations wait for it: let it pass that path on";
        return Step::warning("cache", format!("{seen}; Age: {age}"), change);
    }
    if control.is_some_and(|control| control.contains("max-age=") && !control.contains("no-")) {
        return Step::passed("cache", seen);
    }
    Step::warning("cache", seen, "Pomerium sends max-age=60: something in front of it changes its headers")
}

fn clock(answer: &Answer, leeway: i64) -> Step {
    let date = header(answer, DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    let Some(date) = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok()) else {
        return Step::skipped("clock", "the answer has no Date");
    };
    let age: i64 = header(answer, AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    let theirs = i64::try_from(date.as_secs()).unwrap_or(i64::MAX).saturating_add(age);
    let ahead = answer.at.saturating_sub(theirs);
    let span = times::span(ahead.unsigned_abs());
    let seen = match ahead {
        -1..=1 => "this machine and the server agree".to_owned(),
        2.. => format!("this machine's clock is {span} ahead of the server's"),
        _ => format!("this machine's clock is {span} behind the server's"),
    };
    let change = "Synchronise both clocks (NTP)";
    match ahead.abs() {
        difference if difference > leeway => {
            Step::failed("clock", format!("{seen}, more than leeway ({leeway} s): tokens are refused"), change)
        }
        6.. => Step::warning("clock", seen, change),
        _ => Step::passed("clock", seen),
    }
}

/// Whether the server takes the request's host for the route's, as it must when it signs tokens for it.
fn issuer(target: &Target, answer: &Answer) -> Step {
    if !target.is_route {
        return Step::skipped("issuer", "the keys are not fetched from the route's host");
    }
    let route = &target.host;
    let document: Option<Value> = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200);
    let Some(issuer) = document.as_ref().and_then(|document| document["issuer"].as_str()) else {
        let seen = format!("{WELL_KNOWN} answered {} without an issuer", answer.status);
        return Step::warning("issuer", seen, "Is this Pomerium? It tells there for which host it takes a request");
    };
    let host = issuer.parse::<hyper::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let host = host.unwrap_or_else(|| issuer.to_owned());
    if host.eq_ignore_ascii_case(route) {
        return Step::passed("issuer", format!("{issuer} is the route's host"));
    }
    Step::failed(
        "issuer",
        format!("Pomerium takes this for a request to {issuer}, so its tokens are not for {route}"),
        format!(
            "Something in front of Pomerium changes the Host header: let it pass the client's on. If users open \
             https://{host}, set route to that"
        ),
    )
}
