//! Eight threads verify for a minute while their key source hangs, breaks, dies, rotates and comes back. `make soak`
//! runs it, `-- 600` after it makes it ten minutes. It ends with its figures, and fails if a good token was refused, a
//! bad one accepted, a thread left over, or if the process kept growing.
#![forbid(unsafe_code)]

use std::{
    fs,
    process::ExitCode,
    sync::{
        RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pomerium_jwt::{Options, Verifier};
use pomerium_jwt_issuer::{Fault, Rotation, Server, ServerOptions, SigningKey};

const THREADS: usize = 8;
/// Of the key set, in seconds. Short, so that a minute sees many of them.
const TTL: u64 = 4;
/// More than the allocator needs for threads that come and go.
const GROWTH_KIB: u64 = 8 * 1024;

fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(60);
    let soak = Soak::new();
    let complaints = soak.run(Duration::from_secs(seconds));
    for complaint in &complaints {
        println!("FAILED: {complaint}");
    }
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Soak {
    server: RwLock<Option<Server>>,
    verifier: Verifier,
    /// Of the key that signs, minted once: this is not about minting.
    token: RwLock<String>,
    over: AtomicBool,
    latencies: Latencies,
    refused: RwLock<Vec<String>>,
    foreign: AtomicU64,
}

impl Soak {
    fn new() -> Self {
        let server = Server::start(ServerOptions::default()).expect("a free port");
        let options = Options::for_route(server.url())
            .cache_ttl(Duration::from_secs(TTL))
            .timeout(Duration::from_secs(1))
            .refetch_cooldown(Duration::from_secs(1));
        let verifier = Verifier::new(options).expect("options");
        let token = mint(&server);
        verifier.verify(&token).expect("a healthy start");
        Self {
            server: RwLock::new(Some(server)),
            verifier,
            token: RwLock::new(token),
            over: AtomicBool::new(false),
            latencies: Latencies::default(),
            refused: RwLock::default(),
            foreign: AtomicU64::new(0),
        }
    }

    fn run(&self, duration: Duration) -> Vec<String> {
        let start = Instant::now();
        let (mut early, mut late) = (None, None);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| self.verify_good_tokens());
            }
            scope.spawn(|| self.verify_foreign_tokens());
            while start.elapsed() < duration {
                self.make_trouble(start);
                if start.elapsed() > duration / 3 {
                    early = early.or_else(memory_kib);
                }
            }
            late = memory_kib();
            self.over.store(true, Ordering::SeqCst);
        });
        self.judge(start.elapsed(), early, late)
    }

    fn verify_good_tokens(&self) {
        while !self.over.load(Ordering::Relaxed) {
            for _ in 0..50 {
                let token = self.token.read().expect("no panic").clone();
                let start = Instant::now();
                let answer = self.verifier.verify(&token);
                self.latencies.add(start.elapsed());
                if let Err(error) = answer {
                    self.refused.write().expect("no panic").push(error.to_string());
                }
            }
            thread::sleep(Duration::from_millis(1)); // the source lives on this machine too
        }
    }

    fn verify_foreign_tokens(&self) {
        let key = SigningKey::generate();
        let token = self.server.read().expect("no panic").as_ref().expect("alive").assertion();
        let token = token.user("mallory", "mallory@example.com", "Mallory").expires_at(4_000_000_000).mint(&key);
        while !self.over.load(Ordering::Relaxed) {
            if self.verifier.verify(&token).is_ok() {
                self.refused.write().expect("no panic").push("a token of an unknown key was accepted".to_owned());
            }
            self.foreign.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// All troubles once, each followed by a recovery.
    fn make_trouble(&self, start: Instant) {
        let faults = [
            (Fault::Hang, 4),
            (Fault::Reset, 2),
            (Fault::InternalServerError, 2),
            (Fault::Slow, 3),
            (Fault::Garbage, 2),
            (Fault::Huge, 2),
            (Fault::Redirect, 2),
        ];
        for (fault, seconds) in faults {
            self.with_server(|server| server.fault(fault));
            thread::sleep(Duration::from_secs(seconds));
        }
        self.report(start, "seven faults");
        self.with_server(|server| server.fault(Fault::None));
        self.die_and_come_back(Duration::from_secs(3));
        self.report(start, "died, came back");
        self.rotate();
        self.report(start, "rotated");
    }

    fn with_server<T>(&self, work: impl FnOnce(&Server) -> T) -> T {
        work(self.server.read().expect("no panic").as_ref().expect("alive"))
    }

    fn die_and_come_back(&self, pause: Duration) {
        let mut server = self.server.write().expect("no panic");
        let dying = server.take().expect("alive");
        let keys = vec![dying.signing_key()];
        let options = ServerOptions { listen: dying.address(), keys, ..ServerOptions::default() };
        drop(dying);
        thread::sleep(pause);
        *server = Some(Server::start(options).expect("its own port"));
    }

    /// As Pomerium documents it. Each step waits until the verifier has seen the one before.
    fn rotate(&self) {
        let old = self.token.read().expect("no panic").clone();
        for step in [Rotation::Append, Rotation::Swap, Rotation::Drop] {
            self.with_server(|server| server.rotate(step).expect("a step"));
            if step == Rotation::Swap {
                *self.token.write().expect("no panic") = self.with_server(mint);
            }
            let dropped = Instant::now();
            let kids = self.with_server(|server| server.stats().kids);
            while !self.has(&kids) {
                if dropped.elapsed() > Duration::from_secs(2 * TTL + 10) {
                    let what = format!("{step:?} was not seen: {:?}", self.verifier.status());
                    return self.refused.write().expect("no panic").push(what);
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        if self.verifier.verify(&old).is_ok() {
            self.refused.write().expect("no panic").push("a withdrawn key lives on".to_owned());
        }
    }

    fn has(&self, kids: &[String]) -> bool {
        let held = self.verifier.status().keys;
        held.len() == kids.len() && held.iter().zip(kids).all(|(key, kid)| key.kid.as_ref() == Some(kid))
    }

    fn report(&self, start: Instant, what: &str) {
        let status = self.verifier.status();
        println!(
            "{:>4} s  {what:<16} {:>11} verified  {:>3} fetches, {:>3} failed  {} KiB  {} threads",
            start.elapsed().as_secs(),
            self.latencies.count(),
            status.fetches,
            status.fetch_failures,
            memory_kib().map_or("?".to_owned(), |kib| kib.to_string()),
            tasks().len(),
        );
    }

    fn judge(&self, elapsed: Duration, early: Option<u64>, late: Option<u64>) -> Vec<String> {
        thread::sleep(Duration::from_secs(2)); // a running fetch ends within its second
        let left_over: Vec<String> = tasks().into_iter().filter(|name| name.starts_with("pomerium-jwt-")).collect();
        let status = self.verifier.status();
        let count = self.latencies.count();
        println!("\n{count} good tokens in {} s by {THREADS} threads: {:?}", elapsed.as_secs(), status.counts);
        println!(
            "{} foreign tokens; {} fetches, {} failed",
            self.foreign.load(Ordering::Relaxed),
            status.fetches,
            status.fetch_failures
        );
        println!("latency: {}", self.latencies);
        println!("memory: {early:?} KiB after a third of the time, {late:?} KiB at its end");
        println!("threads left over: {left_over:?}");

        let mut complaints = self.refused.read().expect("no panic").clone();
        complaints.truncate(20);
        if !left_over.is_empty() {
            complaints.push(format!("threads left over: {left_over:?}"));
        }
        if let (Some(early), Some(late)) = (early, late)
            && late > early + GROWTH_KIB
        {
            complaints.push(format!("the process grew from {early} to {late} KiB"));
        }
        if status.fetch_failures == 0 {
            complaints.push("no fetch failed: there was no trouble".to_owned());
        }
        complaints
    }
}

fn mint(server: &Server) -> String {
    let assertion = server.assertion().user("alice", "alice@example.com", "Alice");
    server.mint(&assertion.expires_at(4_000_000_000))
}

/// How often a verification took less than so many powers of two of nanoseconds.
#[derive(Default)]
struct Latencies([AtomicU64; 32]);

impl Latencies {
    fn add(&self, latency: Duration) {
        let bits = (u128::BITS - latency.as_nanos().leading_zeros()) as usize;
        self.0[bits.min(self.0.len() - 1)].fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// What so many of a million took at most.
    fn quantile(&self, per_million: u64) -> Duration {
        let wanted = self.count() / 1_000_000 * per_million + self.count() % 1_000_000 * per_million / 1_000_000;
        let mut seen = 0;
        for (bits, count) in self.0.iter().enumerate() {
            seen += count.load(Ordering::Relaxed);
            if seen >= wanted {
                return Duration::from_nanos(1 << bits);
            }
        }
        Duration::MAX
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [half, most, nearly_all, all] = [500_000, 990_000, 999_900, 1_000_000].map(|share| self.quantile(share));
        write!(f, "half below {half:?}, 99 % below {most:?}, 99.99 % below {nearly_all:?}, all below {all:?}")
    }
}

/// Resident memory; none if the system does not say.
fn memory_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The names of this process's threads; none if the system does not say.
fn tasks() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}
