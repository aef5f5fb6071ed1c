//! An issuer, and an application that trusts it.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    Assertion, Error, ErrorCode, Identity, MAX_STALE, Options, PATIENCE, SHORT, Server, ServerOptions, SigningKey,
    Status, TTL, TestClock, Verifier, host::Host,
};
use crate::{Admission, Health, Request, keys::Sender};

/// Who fetches the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    ByTheLibrary,
    ByTheHost,
}

/// An issuer and an application behind it.
pub(super) struct App {
    pub(super) server: Server,
    clock: Arc<TestClock>,
    pub(super) verifier: Verifier,
    host: Option<Host>,
}

impl App {
    /// Its `timeout` is longer than anything takes.
    pub(super) fn new(way: Way) -> Self {
        Self::with(way, |_| {})
    }

    /// For a test that waits until a source that hangs is given up.
    pub(super) fn impatient(way: Way) -> Self {
        Self::with(way, |options| options.timeout = Some(SHORT))
    }

    pub(super) fn with(way: Way, change: impl FnOnce(&mut Options)) -> Self {
        let server = Server::start(ServerOptions::default()).expect("a free port");
        let mut options = Options::for_route(server.url());
        options.cache_ttl = Some(Duration::from_secs(TTL as u64));
        options.max_stale = Some(Duration::from_secs(MAX_STALE as u64));
        options.timeout = Some(PATIENCE);
        change(&mut options);
        let clock = TestClock::new();
        let sender = match way {
            Way::ByTheLibrary => Sender::Library,
            Way::ByTheHost => Sender::Host,
        };
        let verifier = Verifier::build(options, sender, clock.clone()).expect("options");
        let host = (way == Way::ByTheHost).then(|| Host::new(&verifier));
        Self { server, clock, verifier, host }
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.pass(seconds);
    }

    pub(super) fn assertion(&self) -> Assertion {
        self.server.assertion().user("alice", "alice@example.com", "Alice").expires_at(4_000_000_000)
    }

    /// A token of the key that signs now.
    pub(super) fn token(&self) -> String {
        self.server.mint(&self.assertion())
    }

    /// A token of a key that nobody has published.
    pub(super) fn foreign_token(&self) -> String {
        self.assertion().mint(&SigningKey::generate())
    }

    pub(super) fn verify(&self, token: &str) -> Result<Identity, Error> {
        match &self.host {
            None => self.verifier.verify(token),
            Some(host) => host.ask(|ticket| self.verifier.try_verify(token, Some(ticket))),
        }
    }

    /// With a verifier that shares this one's keys.
    pub(super) fn admit(&self, verifier: &Verifier, request: &Request<'_>) -> Result<Admission, Error> {
        match &self.host {
            None => verifier.admit(request),
            Some(host) => host.ask(|ticket| verifier.try_admit(request, Some(ticket))),
        }
    }

    pub(super) fn refresh(&self, force: bool) -> Result<(), Error> {
        match &self.host {
            None => self.verifier.refresh(force),
            Some(host) => host.refresh(force),
        }
    }

    pub(super) fn status(&self) -> Status {
        if let Some(host) = &self.host {
            let _ = self.verifier.status(); // may want a fetch, which the host then starts
            host.look_after();
        }
        self.verifier.status()
    }

    pub(super) fn health(&self) -> Health {
        if let Some(host) = &self.host {
            let _ = self.verifier.health();
            host.look_after();
        }
        self.verifier.health()
    }

    pub(super) fn code(&self, token: &str) -> Option<ErrorCode> {
        self.verify(token).err().map(|error| error.code())
    }

    /// Verifies and says how long it took.
    pub(super) fn timed(&self, token: &str) -> (Option<ErrorCode>, Duration) {
        let start = Instant::now();
        (self.code(token), start.elapsed())
    }

    /// Waits for what happens in the background.
    pub(super) fn until(&self, what: &str, happened: impl Fn(&Status) -> bool) {
        let start = Instant::now();
        while !happened(&self.status()) {
            assert!(start.elapsed() < PATIENCE, "waited for {what}: {:?}", self.status());
            thread::sleep(Duration::from_millis(1));
        }
    }
}
