//! While keys are fetched, nothing is blocked and nobody is forgotten.

use std::{
    fs,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use pomerium_jwt::Request;
use pomerium_jwt_issuer::{Fault, Rotation};
use pomerium_jwt_tower::{Guard, PomeriumLayer};
use tokio::task::JoinSet;

use crate::{application, ask, get, issuer, options, token, verifier};

const HEADER: &str = "x-pomerium-jwt-assertion";
const CALLERS: usize = 20_000;

fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("Linux").count()
}

#[tokio::test]
async fn twenty_thousand_wait_for_one_fetch_and_nothing_is_blocked() {
    let issuer = issuer();
    issuer.fault(Fault::Hang);
    let options = options(&issuer).timeout(Duration::from_secs(60)).exempt_paths(["/health"]);
    let layer = PomeriumLayer::from_verifier(verifier(options));
    let application = application(&layer);
    let token = token(&issuer);

    let before = threads();
    let mut waiting = JoinSet::new();
    let mut handles = Vec::new();
    for _ in 0..CALLERS {
        let (application, request) = (application.clone(), get("/").header(HEADER, &token));
        handles.push(waiting.spawn(async move { ask(&application, request).await.0 }));
    }
    while issuer.fetches() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // This runtime has one thread: if any of them blocked it, nothing below would run
    let others = ask(&application, get("/health")).await;
    assert_eq!(others, (200, "reached by nobody".to_owned()), "an exempt path");
    assert_eq!(ask(&application, get("/")).await.0, 401, "no token");
    assert_eq!(ask(&application, get("/").header(HEADER, "x")).await.0, 401, "a bad token");
    // One waits, one fetches, and one resolves the address; other tests run at the same time
    assert!(threads() < before + 40, "{} threads, {before} before", threads());

    for handle in handles.iter().take(CALLERS / 2) {
        handle.abort();
    }
    for _ in 0..CALLERS / 2 {
        let ended = waiting.join_next().await.expect("one that was aborted");
        assert!(ended.is_err_and(|error| error.is_cancelled()), "the others wait");
    }
    assert_eq!(issuer.fetches(), 1);
    drop(issuer); // its connections are cut, which ends the fetch
    while let Some(status) = waiting.join_next().await {
        assert_eq!(status.expect("it was not aborted"), 503);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cold_start_is_one_fetch() {
    let issuer = issuer();
    let application = application(&PomeriumLayer::from_verifier(verifier(options(&issuer))));
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let (application, request) = (application.clone(), get("/").header(HEADER, token(&issuer)));
        callers.spawn(async move { ask(&application, request).await });
    }
    for answer in callers.join_all().await {
        assert_eq!(answer, (200, "reached by alice".to_owned()));
    }
    assert_eq!(issuer.fetches(), 1);
}

/// The one that has started the refresh is dropped, and the others get their answers all the same.
#[tokio::test]
async fn a_dropped_caller_harms_nobody() {
    let issuer = issuer();
    let application = application(&PomeriumLayer::from_verifier(verifier(options(&issuer))));
    let request = || get("/").header(HEADER, token(&issuer));
    let mut first = Box::pin(ask(&application, request()));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(first);
    assert_eq!(ask(&application, request()).await, (200, "reached by alice".to_owned()));
    assert_eq!(issuer.fetches(), 1);
}

/// A key that signs as soon as it is published.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_rotation_everybody_waits_for_one_fetch() {
    let issuer = issuer();
    let options = options(&issuer).refetch_cooldown(Duration::from_secs(1));
    let application = application(&PomeriumLayer::from_verifier(verifier(options)));
    assert_eq!(ask(&application, get("/").header(HEADER, token(&issuer))).await.0, 200);
    issuer.rotate(Rotation::AtOnce).expect("a new key");
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let (application, request) = (application.clone(), get("/").header(HEADER, token(&issuer)));
        callers.spawn(async move { ask(&application, request).await.0 });
    }
    assert_eq!(callers.join_all().await, [200; 50]);
    assert_eq!(issuer.fetches(), 2);
}

/// No runtime at all: a future that a thread polls.
#[test]
fn any_runtime_will_do() {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    fn block_on<F: Future>(future: F) -> F::Output {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            thread::park();
        }
    }
    let issuer = issuer();
    let guard = Guard::from_verifier(verifier(options(&issuer)));
    let token = token(&issuer);
    let request = Request { token: token.as_bytes(), path: b"/", ..Request::default() };
    let admission = block_on(guard.admit(&request)).expect("a good token");
    assert_eq!(admission.identity().map(|identity| &*identity.subject), Some("alice"));
    assert!(block_on(guard.admit(&Request::default())).is_err());
}
