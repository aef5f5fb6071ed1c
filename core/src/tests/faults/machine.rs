//! A machine without threads, with clocks that jump, with very many verifiers; and `status`, which never waits.

use std::{fs, sync::Condvar, sync::Mutex};

use pomerium_jwt_issuer::{Fault, Rotation, Server, ServerOptions};

use super::{source::Source, *};

const TTL: i64 = 60;

/// An issuer, and a verifier whose clock is ours.
struct App {
    server: Server,
    clock: Arc<TestClock>,
    verifier: Verifier,
}

impl App {
    fn new() -> Self {
        let server = Server::start(ServerOptions::default()).expect("a free port");
        let clock = TestClock::new();
        let verifier = Self::another(&server, &clock, "127.0.0.1");
        Self { server, clock, verifier }
    }

    fn another(server: &Server, clock: &Arc<TestClock>, host: &str) -> Verifier {
        let mut options = Options::for_route(server.url());
        options.jwks_url = Some(server.key_set_url().replace("127.0.0.1", host));
        options.cache_ttl = Some(Duration::from_secs(TTL as u64));
        options.timeout = Some(PATIENCE / 2); // the thousand wait for it once
        Verifier::build(options, Sender::Library, clock.clone()).expect("options")
    }

    /// Good for as long as these tests' clocks go.
    fn token(&self) -> String {
        let assertion = Assertion::new("127.0.0.1", 1).user("alice", "alice@example.com", "Alice");
        self.server.mint(&assertion.expires_at(8_000_000_000))
    }

    fn code(&self, token: &str) -> Option<ErrorCode> {
        self.verifier.verify(token).err().map(|error| error.code())
    }
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_thread_can_be_had_a_waiting_caller_fetches_itself() {
    use rustix::process::{Resource, Rlimit, Uid, getrlimit, setrlimit};
    child::alone(|| {
        let app = App::new();
        let named = App::another(&app.server, &app.clock, "localhost");
        let token = app.token();
        // the limit does not bind root: this thread becomes another user, if it may
        let _ = rustix::thread::set_thread_uid(Uid::from_raw(59_999));
        let maximum = getrlimit(Resource::Nproc).maximum;
        let limit = |current| setrlimit(Resource::Nproc, Rlimit { current, maximum }).expect("a limit");
        limit(Some(0));
        assert!(thread::Builder::new().spawn(|| {}).is_err(), "this machine cannot be kept from starting threads");

        assert_eq!(app.code(&token), None, "cold: the caller fetches itself");
        assert_eq!((app.server.fetches(), app.verifier.status().state.name()), (1, "fresh"));
        app.clock.pass(TTL);
        assert_eq!(app.code(&token), None, "aging: used at once");
        let status = app.verifier.status();
        let error = status.last_error.expect("the background refresh has failed");
        println!("no thread for a refresh: {error:?}");
        assert_eq!((error.code, status.fetch_failures), (LastErrorCode::Spawn, 1));
        assert!(error.message.contains("no thread could be started") && error.message.contains("limit"), "{error:?}");
        app.clock.pass(TTL);
        assert_eq!(app.code(&token), None, "old: the last good keys while the source fails");

        let error = named.verify(&token).expect_err("no thread for its name");
        let last = named.status().last_error.expect("a failure");
        println!("no thread for a name: {last:?}");
        assert_eq!((error.code(), last.code), (ErrorCode::KeysUnavailable, LastErrorCode::Spawn));
        assert!(last.message.contains("resolve its name") && last.message.contains("limit"), "{last:?}");

        limit(maximum);
        app.clock.pass(TTL);
        assert_eq!(app.code(&token), None);
        until(&app.verifier, "the background refresh", |status| status.state.name() == "fresh");
        named.refresh(true).expect("threads are back");
    });
}

#[test]
fn a_machine_that_slept_asks_again_before_it_trusts_its_keys() {
    let app = App::new();
    let token = app.token();
    assert_eq!(app.code(&token), None);
    app.server.rotate(Rotation::AtOnce).expect("rotation");
    app.clock.jump(2 * TTL); // the monotonic clock stops meanwhile
    assert_eq!(app.verifier.status().state.name(), "old");
    assert_eq!(app.code(&token), Some(ErrorCode::KeyNotFound), "the key was withdrawn during the sleep");
    assert_eq!(app.code(&app.token()), None);
}

#[test]
fn a_wall_clock_that_jumps_refuses_no_good_token_and_floods_no_source() {
    const YEAR: i64 = 365 * 86_400;
    let app = App::new();
    let token = app.token();
    assert_eq!(app.code(&token), None);
    for (jump, state, fetches) in [
        (-YEAR, "fresh", 1), // the monotonic clock knows better
        (YEAR, "fresh", 1),
        (YEAR, "expired", 2),
        (-YEAR, "fresh", 2),
        (-30 * YEAR, "fresh", 2),
        (30 * YEAR, "fresh", 2),
    ] {
        app.clock.jump(jump);
        assert_eq!(app.verifier.status().state.name(), state, "after {jump} s");
        for _ in 0..10 {
            assert_eq!(app.code(&token), None, "after {jump} s: {:?}", app.verifier.status());
        }
        assert_eq!(app.server.fetches(), fetches, "after {jump} s");
    }
    app.clock.jump(-100 * YEAR);
    assert_eq!(app.code(&token), Some(ErrorCode::Internal), "a clock before 1970 is not usable");
    app.clock.jump(100 * YEAR);
    assert_eq!(app.code(&token), None);

    app.server.fault(Fault::InternalServerError);
    app.clock.pass(TTL);
    assert_eq!(app.code(&token), None);
    let failed = until(&app.verifier, "the refresh to fail", |status| status.fetch_failures == 1);
    app.clock.jump(-YEAR);
    let next = app.verifier.status().next_attempt.expect("a fetched source");
    assert!(
        next <= failed.next_attempt.expect("a fetched source").max(1),
        "the backoff does not follow the wall clock"
    );
    app.server.fault(Fault::None);
    app.clock.pass(10);
    assert_eq!(app.code(&token), None);
    until(&app.verifier, "the background refresh", |status| {
        status.state.name() == "fresh" && status.last_error.is_none()
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_verifiers_verify_and_leave_nothing_behind() {
    const COUNT: u64 = 1000;
    /// The fetches' threads, and the open files.
    fn left_over() -> (usize, usize) {
        let tasks = fs::read_dir("/proc/self/task").expect("tasks").flatten();
        let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        let threads = names.filter(|name| name.starts_with("pomerium-jwt-")).count();
        (threads, fs::read_dir("/proc/self/fd").expect("files").count())
    }
    fn until_gone(before: (usize, usize)) {
        let start = Instant::now();
        while left_over().0 > before.0 || left_over().1 > before.1 {
            assert!(start.elapsed() < PATIENCE, "threads and open files {:?}, before {before:?}", left_over());
            thread::sleep(Duration::from_millis(5));
        }
    }
    child::alone(|| {
        let app = App::new();
        let token = app.token();
        let before = left_over();
        let start = Instant::now();
        let verifiers: Vec<_> = (0..COUNT).map(|_| App::another(&app.server, &app.clock, "127.0.0.1")).collect();
        let all_verify = || {
            thread::scope(|scope| {
                for some in verifiers.chunks(25) {
                    scope.spawn(|| some.iter().for_each(|verifier| drop(verifier.verify(&token).expect("good"))));
                }
            });
        };
        all_verify();
        assert_eq!(app.server.fetches(), COUNT);
        println!("1,000 verifiers fetched and verified in {:.2} s", start.elapsed().as_secs_f64());
        until_gone(before);

        app.server.fault(Fault::Hang);
        app.clock.pass(TTL);
        all_verify();
        let flying = left_over().0;
        for verifier in &verifiers {
            until(verifier, "its fetch to end", |status| status.fetch_failures == 1);
        }
        println!("then the source hung: {flying} fetches at once, all given up, all verified");
        until_gone(before);
    });
}

/// Holds the source back until it is opened.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn wait(&self) {
        let open = self.open.lock().expect("no panic");
        drop(self.opened.wait_while(open, |open| !*open));
    }

    /// Waits, then does the rest.
    fn wait_then<T>(&self, rest: impl FnOnce() -> T) {
        self.wait();
        rest();
    }

    fn open(&self) {
        *self.open.lock().expect("no panic") = true;
        self.opened.notify_all();
    }
}

/// The fetch continues only after all of them have answered: had one of them waited for it, it would have taken the
/// whole `timeout`.
#[test]
fn status_and_the_calls_that_never_wait_answer_in_every_stage_of_a_fetch() {
    const TIMEOUT: Duration = Duration::from_secs(40);
    type Stage = (&'static str, fn(&mut Peer, &Gate));
    let stages: [Stage; 4] = [
        ("accepted", |peer, gate| gate.wait_then(|| peer.serve())),
        ("asked", |peer, gate| {
            peer.asked();
            gate.wait_then(|| peer.ok(&good_keys()));
        }),
        ("in the headers", |peer, gate| {
            peer.asked().send("HTTP/1.1 200 OK\r\n");
            gate.wait_then(|| peer.send("\r\n").send(good_keys()));
        }),
        ("in the body", |peer, gate| {
            let keys = good_keys();
            peer.asked().send("HTTP/1.1 200 OK\r\n\r\n").send(&keys[..50]);
            gate.wait_then(|| peer.send(&keys[50..]));
        }),
    ];
    for (name, stage) in stages {
        let gate = Arc::new(Gate::default());
        let held = gate.clone();
        let source = Source::start(move |peer| {
            stage(peer, &held);
            peer
        });
        let mut options = options(source.url("127.0.0.1"));
        options.timeout = Some(TIMEOUT);
        let verifier = Verifier::new(options).expect("options");
        let token = token();
        let slowest = thread::scope(|scope| {
            let waiting = scope.spawn(|| verifier.verify(&token).map(drop));
            let start = Instant::now();
            while source.connections() == 0 {
                assert!(start.elapsed() < PATIENCE, "no fetch");
                thread::sleep(Duration::from_millis(1));
            }
            let mut slowest = Duration::ZERO;
            for _ in 0..200 {
                let start = Instant::now();
                let status = verifier.status();
                assert_eq!((status.state.name(), status.fetches, status.last_error), ("empty", 1, None), "{name}");
                assert!(verifier.try_verify(&token, None).is_err() && verifier.verify_at(&token, 1).is_err());
                slowest = slowest.max(start.elapsed());
                thread::sleep(Duration::from_millis(1));
            }
            gate.open();
            waiting.join().expect("no panic").expect("good keys at last");
            slowest
        });
        println!("{name}: status, try_verify and verify_at took at most {slowest:?}");
        assert!(slowest < TIMEOUT / 2, "{name}: waited {slowest:?}");
    }
}
