//! A fork in the middle of each stage of a fetch. The child has its parent's memory and none of its threads.
//!
//! `tests/dial.rs` has the stage before these, the resolution of a name.

use std::sync::{
    atomic::AtomicU64,
    mpsc::{Sender, channel},
};

use super::{
    source::{FullQueue, Source},
    tls::Authority,
    *,
};

const TTL: i64 = 60;

/// What the source has done when the fork happens.
type Stage = (&'static str, fn(&mut Peer, &Sender<()>));

const STAGES: [Stage; 4] = [
    ("the TLS handshake", |peer, reached| {
        let _ = reached.send(());
        peer.freeze();
    }),
    ("the request", |peer, reached| {
        peer.asked();
        let _ = reached.send(());
        peer.hang();
    }),
    ("the headers", |peer, reached| {
        peer.asked().send("HTTP/1.1 200 OK\r\nContent-");
        let _ = reached.send(());
        peer.hang();
    }),
    ("the body", |peer, reached| {
        peer.asked().send("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"keys\"");
        let _ = reached.send(());
        peer.hang();
    }),
];

#[test]
fn a_fork_in_the_middle_of_a_fetch_leaves_both_processes_whole() {
    child::alone(|| {
        let authority = Authority::new();
        for (name, stage) in STAGES {
            let (reached, stages) = channel();
            let count = AtomicU64::new(0);
            let source = Source::start_tls(authority.server(&["127.0.0.1"]), move |peer| {
                if count.fetch_add(1, Ordering::SeqCst) == 0 {
                    stage(peer, &reached);
                    return peer;
                }
                peer.serve()
            });
            let mut options = options(format!("https://127.0.0.1:{}/keys", source.port()));
            options.ca_pem = Some(authority.pem());
            options.timeout = Some(PATIENCE / 4);
            fork_while(name, options, true, || {
                stages.recv_timeout(PATIENCE).expect("the stage");
            });
        }
        let full = FullQueue::new();
        let mut options = options(format!("http://127.0.0.1:{}/keys", full.port));
        options.timeout = Some(SHORT);
        fork_while("the connection", options, false, || thread::sleep(Duration::from_millis(200)));
    });
}

/// Forks once the fetch has got so far. `reachable`: a second fetch gets through.
fn fork_while(name: &str, mut options: Options, reachable: bool, so_far: impl FnOnce()) {
    options.jwks_initial = Some(good_keys().into());
    options.cache_ttl = Some(Duration::from_secs(TTL as u64));
    let clock = TestClock::new();
    let verifier = Verifier::build(options, crate::keys::Sender::Library, clock.clone()).expect("options");
    let token = token();
    verifier.verify(&token).expect("aging: used at once, a fetch starts in the background");
    so_far();
    clock.pass(TTL);
    let pid = match fork::fork().expect("fork") {
        fork::Fork::Child => {
            // the test harness must not continue in here: in every case the child ends
            let verified = verifier.verify(&token).is_ok();
            let refreshed = verifier.refresh(true).is_ok();
            std::process::exit(if verified && refreshed == reachable { 0 } else { 1 });
        }
        fork::Fork::Parent(pid) => pid,
    };
    verifier.verify(&token).expect("the parent continues");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = fork::waitpid_nohang(pid).expect("a child of ours") {
            break Some(status);
        }
        if start.elapsed() > PATIENCE {
            let process = fork::ProcessId::new(pid).expect("a process");
            let _ = fork::signal_process(process, fork::Signal::KILL);
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    println!("fork during {name}: the child ended with {status:?} after {:.2} s", start.elapsed().as_secs_f64());
    assert_eq!(status, Some(0), "{name}: the child must verify and, if it can, fetch; none: it hung");
    finished(&verifier);
}
