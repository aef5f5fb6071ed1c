//! The verifier: what answers at once, and the one thread that waits for keys.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use napi::{
    Env, JsDeferred, JsString, Unknown,
    bindgen_prelude::{BigInt, Either, Either3, Null, Object, Uint8ArraySlice},
};
use napi_derive::napi;
use pomerium_jwt::{Admission, ErrorCode, Identity, OPTIONS, Options, Request, Ticket, Verifier};

use crate::refusal::{Refusal, either, guarded};

/// A token or a path as JavaScript hands it over, which may be anything.
type Text<'a> = Either3<JsString<'a>, Uint8ArraySlice<'a>, Unknown<'a>>;

/// What settles the promise of a refresh.
type Settle = Box<dyn FnOnce(Env) -> napi::Result<Option<Refusal>> + Send>;

/// The native half of the class Verifier of `src/verifier.ts`. Methods return a Refusal and throw nothing.
#[napi]
pub struct NativeVerifier {
    core: Arc<Verifier>,
    refreshing: Arc<AtomicBool>,
}

#[napi]
impl NativeVerifier {
    /// A verifier with the options of this JSON document.
    #[napi]
    pub fn create(options: String) -> Either<NativeVerifier, Refusal> {
        let made = guarded(|| Verifier::from_json(options));
        either(made.map(|core| NativeVerifier { core: Arc::new(core), refreshing: Arc::default() }))
    }

    /// A verifier with these request options over the same keys; a refresh of one is a refresh of both.
    #[napi]
    pub fn with(&self, options: String) -> Either<NativeVerifier, Refusal> {
        let made = guarded(|| self.core.with(Options::from_json(options)?));
        either(made.map(|core| NativeVerifier { core: Arc::new(core), refreshing: self.refreshing.clone() }))
    }

    /// Answers at once. A refusal with a ticket asks for one `refresh(false)`, and then for the same call with the
    /// ticket, which is final.
    #[napi]
    pub fn verify(&self, token: Text<'_>, ticket: Option<BigInt>) -> Either<String, Refusal> {
        let mut ticket = ticket_of(ticket);
        let mut verify = || {
            let token = bytes(token, TOKEN)?;
            guarded(|| self.core.try_verify(&token, Some(&mut ticket))).and_then(|identity| answer(&identity))
        };
        let outcome = verify();
        either(outcome.map_err(|refusal| refusal.with_ticket(ticket)))
    }

    /// Whether a request gets in, at once: an identity, null if it passed without one, or a refusal; tickets
    /// as `verify` has them.
    #[napi]
    pub fn admit(
        &self,
        token: Text<'_>,
        path: Text<'_>,
        upgrade: bool,
        marked_public: bool,
        ticket: Option<BigInt>,
    ) -> Either3<String, Null, Refusal> {
        let mut ticket = ticket_of(ticket);
        let mut admit = || {
            let (token, path) = (bytes(token, TOKEN)?, bytes(path, PATH)?);
            let request = Request { token: &token, path: &path, upgrade, marked_public };
            guarded(|| self.core.try_admit(&request, Some(&mut ticket))).and_then(|admission| match admission {
                Admission::Verified(identity) => answer(&identity).map(Some),
                Admission::Passed => Ok(None),
            })
        };
        match admit() {
            Ok(Some(identity)) => Either3::A(identity),
            Ok(None) => Either3::B(Null),
            Err(refusal) => Either3::C(refusal.with_ticket(ticket)),
        }
    }

    /// The answer at the time `now`, from the keys that are there.
    #[napi]
    pub fn verify_at(&self, token: Text<'_>, now: Either<f64, Unknown<'_>>) -> Either<String, Refusal> {
        let verify = || {
            let (token, now) = (bytes(token, TOKEN)?, whole(&now)?);
            guarded(|| self.core.verify_at(&token, now)).and_then(|identity| answer(&identity))
        };
        either(verify())
    }

    /// Whether the thread of a `refresh(false)` is running. Once it has ended, nobody may join its promise, even if the
    /// event loop has not settled it yet: its fetch was sent before the caller came.
    #[napi(getter)]
    pub fn refreshing(&self) -> bool {
        self.refreshing.load(Ordering::SeqCst)
    }

    /// The core's `refresh` on a thread of its own, which ends with it: libuv's few stay free for the application. The
    /// promise gives a Refusal or null, is never rejected, and holds the event loop open while it is pending.
    #[napi]
    pub fn refresh<'env>(&self, env: &'env Env, force: bool) -> napi::Result<Object<'env>> {
        let (deferred, promise) = env.create_deferred()?;
        let refreshing = if force { Arc::default() } else { self.refreshing.clone() };
        refreshing.store(true, Ordering::SeqCst);

        let (core, landed, here) = (self.core.clone(), refreshing.clone(), deferred.clone());
        let work = move || {
            let outcome = guarded(|| core.refresh(force));
            landed.store(false, Ordering::SeqCst);
            settle(deferred, outcome);
        };
        if let Err(error) = thread::Builder::new().name("pomerium-jwt".to_owned()).spawn(work) {
            // To fetch here would stop the event loop
            refreshing.store(false, Ordering::SeqCst);
            let message = format!("no thread could be started to wait for the keys: {error}");
            settle(here, Err(Refusal::new(ErrorCode::KeysUnavailable, message)));
        }
        Ok(promise)
    }

    /// The status as JSON.
    #[napi]
    pub fn status(&self) -> Either<String, Refusal> {
        either(guarded(|| Ok(self.core.status())).and_then(|status| json(&status)))
    }

    /// The health as JSON.
    #[napi]
    pub fn health(&self) -> Either<String, Refusal> {
        either(guarded(|| Ok(self.core.health())).and_then(|health| json(&health)))
    }

    /// The metrics in the text format of OpenMetrics.
    #[napi]
    pub fn metrics(&self) -> Either<String, Refusal> {
        either(guarded(|| Ok(self.core.metrics())))
    }

    /// The line that an integration logs at start.
    #[napi(getter)]
    pub fn summary(&self) -> String {
        self.core.summary()
    }

    /// The request header that carries the token.
    #[napi(getter)]
    pub fn header_name(&self) -> String {
        self.core.header_name().to_owned()
    }
}

/// The options of the environment variables POMERIUM_JWT_*, as JSON.
#[napi]
pub fn options_from_env() -> Either<String, Refusal> {
    either(guarded(|| Options::from_env().map(|options| options.to_json())))
}

/// Options in code laid over the environment's.
#[napi(object, object_from_js = false)]
pub struct Overlay {
    /// What to make a verifier from, as JSON.
    pub options: String,
    /// What to warn of at start.
    pub warning: Option<String>,
}

/// These options, as JSON, laid over the environment's.
#[napi]
pub fn options_over_env(options: String) -> Either<Overlay, Refusal> {
    either(
        guarded(|| Options::from_json(options)?.over_env())
            .map(|overlay| Overlay { warning: overlay.warning(), options: overlay.options.to_json() }),
    )
}

/// Whether the values of a request's `Upgrade` header, joined by commas, ask for an upgrade.
#[napi]
pub fn is_upgrade(joined: String) -> bool {
    Request::is_upgrade(joined)
}

/// The names of all options, as the core writes them.
#[napi]
pub fn option_names() -> Vec<&'static str> {
    OPTIONS.iter().map(|option| option.name).collect()
}

/// The identity as JSON, a line feed (which compact JSON does not hold), and the payload's own text.
///
/// One string, because it is the fastest way that ends in a plain object. Measured on two busy cores, with `email` and
/// three `groups` read, next to a verification of 14 µs: this with JSON.parse and a frozen Identity 3.6 µs, of which 1.2 are
/// the string; an object built property by property 4.0 µs; a native object whose getters read those two 3.5 µs, and
/// more for each further one, with a finaliser to run. The payload is parsed only if an application reads it.
fn answer(identity: &Identity) -> Result<String, Refusal> {
    let mut text = json(identity)?;
    text.push('\n');
    text.push_str(identity.claims.text());
    Ok(text)
}

/// A ticket as the core takes it: 0 on the first call.
fn ticket_of(number: Option<BigInt>) -> Ticket {
    number.map_or(Ticket::new(), |number| Ticket::from_number(number.get_i64().0))
}

const TOKEN: &str = "a token is a string or a Uint8Array; if the header is absent, pass \"\"";
const PATH: &str = "a path is a string or a Uint8Array; if it is not known, pass \"\"";

/// The bytes of a text, copied: JavaScript may share its own with another thread. In a string that is not well-formed
/// Unicode, U+FFFD replaces what is wrong; no token and no exempt path holds that either.
fn bytes(text: Text<'_>, takes: &str) -> Result<Vec<u8>, Refusal> {
    match text {
        Either3::A(text) => text.into_utf8().map(|text| text.take()).map_err(internal),
        Either3::B(bytes) => Ok(bytes.to_vec()),
        Either3::C(other) => {
            let kind = other.get_type().map_or_else(|_| "unknown".to_owned(), |kind| kind.to_string());
            Err(Refusal::new(ErrorCode::InvalidArgument, format!("{takes} (this is {kind})")))
        }
    }
}

fn whole(now: &Either<f64, Unknown<'_>>) -> Result<i64, Refusal> {
    match now {
        // The range is the core's: what is beyond i64 becomes its end, which is beyond that range too
        Either::A(now) if now.fract() == 0.0 => Ok(*now as i64),
        _ => Err(Refusal::new(ErrorCode::InvalidArgument, "now takes whole Unix seconds, a number from 0 to 2^53-1")),
    }
}

fn settle(promise: JsDeferred<Option<Refusal>, Settle>, outcome: Result<(), Refusal>) {
    promise.resolve(Box::new(move |_| Ok(outcome.err())));
}

fn json(value: &impl serde::Serialize) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(internal)
}

fn internal(error: impl ToString) -> Refusal {
    Refusal::new(ErrorCode::Internal, error.to_string())
}
