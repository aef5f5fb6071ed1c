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
    bindgen_prelude::{BigInt, Either, Either3, Object, Uint8ArraySlice},
};
use napi_derive::napi;
use pomerium_jwt::{Code, Identity, OPTIONS, Options, Verifier};

use crate::refusal::{Refusal, either, guarded};

/// A token as JavaScript hands it over, which may be anything.
type Token<'a> = Either3<JsString<'a>, Uint8ArraySlice<'a>, Unknown<'a>>;

/// What settles the promise of a refresh.
type Settle = Box<dyn FnOnce(Env) -> napi::Result<Option<Refusal>> + Send>;

/// What stands behind the class Verifier of `src/verifier.ts`. Methods return a Refusal and throw nothing.
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

    /// Answers at once. A refusal with a ticket asks for one `refresh(false)`, and then for `finish`.
    #[napi]
    pub fn start(&self, token: Token<'_>) -> Either<String, Refusal> {
        let mut ticket = 0;
        let outcome = self.verify_cached(token, &mut ticket);
        either(outcome.map_err(|refusal| refusal.with_ticket(ticket)))
    }

    /// The answer to a call of `start`, from the keys that are there now.
    #[napi]
    pub fn finish(&self, token: Token<'_>, ticket: BigInt) -> Either<String, Refusal> {
        either(self.verify_cached(token, &mut ticket.get_i64().0))
    }

    /// The answer at the time `now`, from the keys that are there.
    #[napi]
    pub fn verify_at(&self, token: Token<'_>, now: Either<f64, Unknown<'_>>) -> Either<String, Refusal> {
        let verify = || {
            let (token, now) = (bytes(token)?, whole(&now)?);
            guarded(|| self.core.verify_at(&token, now)).and_then(|identity| answer(&identity))
        };
        either(verify())
    }

    /// Whether the thread of a `refresh(false)` is under way. Once it is not, its promise is none to join, though the
    /// event loop may not have settled it yet: its fetch was sent before the caller came.
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
            let message = format!("the system gives no thread to wait for keys with: {error}");
            settle(here, Err(Refusal::new(Code::KeysUnavailable, message)));
        }
        Ok(promise)
    }

    /// The status as JSON.
    #[napi]
    pub fn status(&self) -> Either<String, Refusal> {
        either(guarded(|| Ok(self.core.status())).and_then(|status| serde_json::to_string(&status).map_err(internal)))
    }
}

impl NativeVerifier {
    fn verify_cached(&self, token: Token<'_>, ticket: &mut i64) -> Result<String, Refusal> {
        let token = bytes(token)?;
        guarded(|| self.core.verify_cached(&token, Some(ticket))).and_then(|identity| answer(&identity))
    }
}

/// The options of the environment variables POMERIUM_JWT_*, as JSON.
#[napi]
pub fn options_from_env() -> Either<String, Refusal> {
    either(guarded(|| Options::from_env().map(|options| options.to_json())))
}

/// The names of all options, as the core writes them.
#[napi]
pub fn option_names() -> Vec<&'static str> {
    OPTIONS.iter().map(|option| option.name).collect()
}

/// The identity as JSON, a line feed (which compact JSON does not hold), and the payload's own text.
///
/// One string, because it is the fastest way that ends in a plain object. Measured on two busy cores, with `email` and
/// three `groups` read, beside a verification of 14 µs: this with JSON.parse and a frozen Identity 3.6 µs, of which 1.2 are
/// the string; an object built property by property 4.0 µs; a native object whose getters read those two 3.5 µs, and
/// more for each further one, with a finaliser to run. The payload is parsed only where an application reads it.
fn answer(identity: &Identity) -> Result<String, Refusal> {
    let mut text = serde_json::to_string(identity).map_err(internal)?;
    text.push('\n');
    text.push_str(identity.claims.text());
    Ok(text)
}

/// The bytes of a token, copied: JavaScript may share its own with another thread. A string that is no Unicode text
/// becomes one with U+FFFD, which no token holds either.
fn bytes(token: Token<'_>) -> Result<Vec<u8>, Refusal> {
    match token {
        Either3::A(text) => text.into_utf8().map(|text| text.take()).map_err(internal),
        Either3::B(bytes) => Ok(bytes.to_vec()),
        Either3::C(other) => {
            let kind = other.get_type().map_or_else(|_| "unknown".to_owned(), |kind| kind.to_string());
            let message = format!("a token is a string or a Uint8Array, not {kind}: for no header write \"\"");
            Err(Refusal::new(Code::InvalidArgument, message))
        }
    }
}

fn whole(now: &Either<f64, Unknown<'_>>) -> Result<i64, Refusal> {
    match now {
        // The range is the core's: what is beyond i64 becomes its end, which is beyond that range too
        Either::A(now) if now.fract() == 0.0 => Ok(*now as i64),
        _ => Err(Refusal::new(Code::InvalidArgument, "now takes whole Unix seconds, a number from 0 to 2^53-1")),
    }
}

fn settle(promise: JsDeferred<Option<Refusal>, Settle>, outcome: Result<(), Refusal>) {
    promise.resolve(Box::new(move |_| Ok(outcome.err())));
}

fn internal(error: impl ToString) -> Refusal {
    Refusal::new(Code::Internal, error.to_string())
}
