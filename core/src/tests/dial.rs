//! Names: what a resolver may do, and where names may lead. A machine's own resolver cannot be made to hang
//! without changing the machine, so these are told what to say; everything after them is real.

use std::{
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread,
};

use pomerium_jwt_issuer::{KEY_SET_PATH, Server, ServerOptions};

use super::*;
use crate::{
    ErrorCode, LastErrorCode,
    algorithm::Algorithm,
    clock::{SECOND, SystemClock},
    keys::{
        FetchOptions, Limits, Patience, Trust, answer::Fetched, cache::Settings, fetcher::Fetcher, http::Client,
        remote::Remote, snapshot::Wanted,
    },
    tests::faults::child,
};

/// Longer than anything takes, so that only a hang is found.
const PATIENCE: Duration = Duration::from_secs(20);

/// Only a resolver that hangs uses it up.
const TIMEOUT: Duration = Duration::from_secs(3);

fn fetch() -> FetchOptions {
    FetchOptions { timeout: TIMEOUT, ..FetchOptions::default() }
}

/// `http://HOST:PORT/...` of this server.
fn client(host: &str, server: &Server, look_up: LookUp) -> Client {
    let url = format!("http://{host}:{}{KEY_SET_PATH}", server.address().port());
    Client { look_up, ..Client::new(url, fetch()).expect("options") }
}

fn remote(client: Client) -> Remote {
    let trust = Trust { algorithms: vec![Algorithm::Es256], pins: None };
    let clock = Arc::new(SystemClock::new());
    let limits = Limits { cache_ttl: None, max_stale: 3600 * SECOND, cooldown: 10 * SECOND, timeout: 4 * SECOND };
    let settings = Settings { source: "jwks_url".to_owned(), url: client.url.clone(), trust, limits };
    Remote::new(settings, Some(Arc::new(client)), clock, None)
}

fn server() -> Server {
    Server::start(ServerOptions::default()).expect("a free port")
}

/// These addresses with the port asked for.
fn with_port(target: &str, addresses: &[&str]) -> io::Result<Vec<SocketAddr>> {
    let port = target.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
    Ok(addresses.iter().map(|address| SocketAddr::new(address.parse().expect("an address"), port)).collect())
}

fn hang(_: &str) -> io::Result<Vec<SocketAddr>> {
    thread::sleep(PATIENCE * 2);
    Ok(Vec::new())
}

#[test]
fn a_name_leads_to_loopback_or_is_refused() {
    fn nowhere(_: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(Vec::new())
    }
    fn unknown(_: &str) -> io::Result<Vec<SocketAddr>> {
        Err(io::Error::other("no such name"))
    }
    let many = |target: &str| {
        let mut addresses = vec!["127.0.0.2"; 40];
        addresses[0] = "127.0.0.1";
        with_port(target, &addresses)
    };
    type Row = (&'static str, LookUp, Option<(LastErrorCode, &'static str)>);
    let rows: [Row; 8] = [
        ("loopback", |target| with_port(target, &["127.0.0.1"]), None),
        ("outside, then loopback", |target| with_port(target, &["192.0.2.1", "2001:db8::1", "127.0.0.1"]), None),
        ("more than ureq takes", many, None),
        (
            "outside",
            |target| with_port(target, &["192.0.2.1"]),
            Some((LastErrorCode::Refused, "192.0.2.1 is not loopback: use https, or set allow_http")),
        ),
        (
            "outside in IPv6",
            |target| with_port(target, &["2001:db8::1"]),
            Some((LastErrorCode::Refused, "2001:db8::1 is not loopback")),
        ),
        (
            "loopback in IPv6's clothes",
            |target| with_port(target, &["::ffff:127.0.0.1"]),
            Some((LastErrorCode::Refused, "is not loopback")),
        ),
        ("no address", nowhere, Some((LastErrorCode::Dns, "it has no address; see jwks_url and connect_to"))),
        ("unknown", unknown, Some((LastErrorCode::Dns, "no such name; see jwks_url and connect_to"))),
    ];
    let server = server();
    for (name, look_up, expected) in rows {
        let remote = remote(client("keys.example.test", &server, look_up));
        let answer = remote.refresh(true);
        let error = remote.state().last_error;
        println!("a name that leads to {name}: {error:?}");
        match (expected, error) {
            (None, None) => answer.expect(name),
            (Some((code, part)), Some(error)) => {
                assert!(error.code == code && error.message.contains(part), "{name}: {error:?}");
            }
            (expected, error) => panic!("{name}: {error:?}, expected {expected:?}"),
        }
    }
    assert_eq!(server.fetches(), 3, "what is refused is not dialled");
}

#[test]
fn with_connect_to_no_other_name_is_asked_for() {
    static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    fn note(target: &str) -> io::Result<Vec<SocketAddr>> {
        ASKED.lock().expect("no panic").push(target.to_owned());
        with_port(target, &["127.0.0.1"])
    }
    let server = server();
    let inner = format!("inner.example.test:{}", server.address().port());
    let connect_to = Some(inner.clone());
    let fetch = FetchOptions { connect_to, ..fetch() };
    let client = Client { fetch, ..client("keys.example.test", &server, note) };
    assert!(matches!(client.fetch(None), Ok(Fetched::Set { .. })));
    assert_eq!(*ASKED.lock().expect("no panic"), [inner]);
}

#[test]
fn a_resolver_that_hangs_costs_one_wait_and_blocks_no_status() {
    let server = server();
    let remote = Arc::new(remote(client("keys.example.test", &server, hang)));
    let waiting = remote.clone();
    let start = Instant::now();
    let wanted = Wanted { kid: None, algorithm: Algorithm::Es256 };
    let waiter = thread::spawn(move || waiting.acquire(wanted, Patience::Wait).err().map(|error| error.code()));
    while remote.state().last_error.is_none() {
        assert!(start.elapsed() < PATIENCE, "{:?}", remote.state().fetches);
        thread::sleep(Duration::from_millis(1));
    }
    let error = remote.state().last_error.expect("there is one");
    println!("a resolver that hangs: {error:?} after {:.2} s", start.elapsed().as_secs_f64());
    assert_eq!(waiter.join().expect("no panic"), Some(ErrorCode::KeysUnavailable));
    assert_eq!(error.code, LastErrorCode::Timeout);
    for part in ["keys.example.test:", "could not be resolved within 3 s", "connect_to", "timeout"] {
        assert!(error.message.contains(part), "{part}: {}", error.message);
    }
    assert!(start.elapsed() >= TIMEOUT * 9 / 10, "given up early");
}

#[test]
fn a_fork_while_a_name_is_resolved_leaves_both_processes_whole() {
    static PARENT: AtomicU32 = AtomicU32::new(0);
    static ASKED: AtomicU64 = AtomicU64::new(0);
    fn hang_in_the_parent(target: &str) -> io::Result<Vec<SocketAddr>> {
        ASKED.fetch_add(1, Ordering::SeqCst);
        if process::id() == PARENT.load(Ordering::SeqCst) { hang(target) } else { with_port(target, &["127.0.0.1"]) }
    }
    child::alone(|| {
        PARENT.store(process::id(), Ordering::SeqCst);
        let server = server();
        let remote = Arc::new(remote(client("keys.example.test", &server, hang_in_the_parent)));
        let refreshing = remote.clone();
        let refresh = thread::spawn(move || refreshing.refresh(false));
        let start = Instant::now();
        while ASKED.load(Ordering::SeqCst) == 0 {
            assert!(start.elapsed() < PATIENCE, "the resolver was not asked");
            thread::sleep(Duration::from_millis(1));
        }
        let child = match fork::fork().expect("fork") {
            // the test harness must not continue in here: in every case the child ends
            fork::Fork::Child => process::exit(if remote.refresh(false).is_ok() { 0 } else { 1 }),
            fork::Fork::Parent(child) => child,
        };
        assert_eq!(fork::waitpid(child).expect("waitpid"), 0, "the child must fetch");
        assert!(refresh.join().expect("no panic").is_err(), "the parent's resolver still hangs");
    });
}
