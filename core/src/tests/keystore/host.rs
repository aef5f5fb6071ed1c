//! A host that fetches the keys itself, as the documentation of `Verifier::for_host` says, with a client of its own.

use std::{
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::{Error, ErrorCode, KeyRequest, LastErrorCode, Now, Options, Ticket, Verifier};

pub(super) struct Host {
    /// Shares the keys of the application's.
    verifier: Arc<Verifier>,
    /// The last request that was sent.
    last: Mutex<Option<Arc<Sent>>>,
}

/// A request that was sent, and whether it has ended.
struct Sent {
    ended: Mutex<bool>,
    wake: Condvar,
    since: Instant,
    timeout: Duration,
}

impl Sent {
    fn new(request: &KeyRequest) -> Self {
        let (since, timeout) = (Instant::now(), request.timeout());
        Self { ended: Mutex::new(false), wake: Condvar::new(), since, timeout }
    }

    fn end(&self) {
        *self.ended.lock().expect("no panic") = true;
        self.wake.notify_all();
    }

    fn wait(&self) {
        let left = (self.since + self.timeout).saturating_duration_since(Instant::now());
        let ended = self.ended.lock().expect("no panic");
        drop(self.wake.wait_timeout_while(ended, left, |ended| !*ended));
    }
}

impl Host {
    pub(super) fn new(verifier: &Verifier) -> Self {
        let verifier = verifier.with(Options::default()).expect("no options");
        Self { verifier: Arc::new(verifier), last: Mutex::new(None) }
    }

    /// Asks in two steps, and refreshes the keys in the background if it is time to.
    pub(super) fn ask<T>(&self, ask: impl Fn(&mut Ticket) -> Result<T, Error>) -> Result<T, Error> {
        let mut ticket = Ticket::new();
        match ask(&mut ticket) {
            Err(error) if error.code() == ErrorCode::KeysNeeded => {
                self.send_in_background();
                self.wait();
                ask(&mut ticket)
            }
            answer => {
                self.look_after();
                answer
            }
        }
    }

    pub(super) fn look_after(&self) {
        if self.verifier.wants_fetch() {
            self.send_in_background();
        }
    }

    /// Sends one request and waits for it, or for the one that is on its way.
    pub(super) fn refresh(&self, force: bool) -> Result<(), Error> {
        match self.next(force) {
            Some((request, sent)) => {
                let outcome = send(&self.verifier, request);
                sent.end();
                outcome
            }
            None => {
                self.wait();
                Ok(())
            }
        }
    }

    fn next(&self, force: bool) -> Option<(KeyRequest, Arc<Sent>)> {
        let mut last = self.last.lock().expect("no panic");
        let request = self.verifier.next_request(force)?;
        let sent = Arc::new(Sent::new(&request));
        *last = Some(sent.clone());
        Some((request, sent))
    }

    fn send_in_background(&self) {
        let Some((request, sent)) = self.next(false) else { return };
        let verifier = self.verifier.clone();
        thread::spawn(move || {
            let _ = send(&verifier, request); // the verifier tells its callers
            sent.end();
        });
    }

    fn wait(&self) {
        let last = self.last.lock().expect("no panic").clone();
        last.iter().for_each(|sent| sent.wait());
    }
}

fn send(verifier: &Verifier, request: KeyRequest) -> Result<(), Error> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(request.timeout()))
        .max_redirects(0)
        .http_status_as_error(false)
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let headers = request.headers().into_iter();
    let get = headers.fold(agent.get(request.url()), |get, (name, value)| get.header(name, value));
    let answer = get.call().and_then(|mut response| {
        let body = response.body_mut().read_to_vec()?;
        Ok((response, body))
    });
    match answer {
        Ok((response, body)) => verifier.feed_response(request, response.status().as_u16(), response.headers(), body),
        Err(error) => {
            let code = match error {
                ureq::Error::Timeout(_) => LastErrorCode::Timeout,
                _ => LastErrorCode::Connect,
            };
            let message = error.to_string();
            verifier.feed_failure(request, code, &message)?;
            Err(Error::new(ErrorCode::KeysUnavailable, message))
        }
    }
}

#[test]
fn a_failure_that_the_host_reports_is_the_reason_and_only_of_its_own_verifier() {
    let now = || Now::new(Duration::from_secs(1), 1_800_000_000);
    let verifier = |host: &str| Verifier::for_host(Options::for_route(host), now).expect("options");
    let (one, other) = (verifier("https://one.example.test"), verifier("https://other.example.test"));
    let request = |verifier: &Verifier| verifier.next_request(true).expect("no keys yet");
    let error = other.feed_failure(request(&one), LastErrorCode::Dns, "oops").expect_err("the other's");
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert_eq!(other.status().last_error, None);

    other.feed_failure(request(&other), LastErrorCode::Dns, "oops").expect("its own");
    let status = other.status();
    let last = status.last_error.expect("a failure");
    assert_eq!((last.code, status.fetch_failures), (LastErrorCode::Dns, 1));
    assert!(last.message.starts_with("https://other.example.test/") && last.message.ends_with(": oops"), "{last}");
}
