//! The verifier: what answers at once, and the one thread that waits for keys.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use napi::{
    Env, JsString, Unknown,
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
        let outcome = bytes(token).and_then(|token| guarded(|| self.core.verify_cached(&token, Some(&mut ticket))));
        either(outcome.map(|identity| text(&identity)).map_err(|refusal| refusal.with_ticket(ticket)))
    }

    /// The answer to a call of `start`, from the keys that are there now.
    #[napi]
    pub fn finish(&self, token: Token<'_>, ticket: BigInt) -> Either<String, Refusal> {
        let mut ticket = ticket.get_i64().0;
        let outcome = bytes(token).and_then(|token| guarded(|| self.core.verify_cached(&token, Some(&mut ticket))));
        either(outcome.map(|identity| text(&identity)))
    }

    /// The answer at the time `now`, from the keys that are there.
    #[napi]
    pub fn verify_at(&self, token: Token<'_>, now: Either<f64, Unknown<'_>>) -> Either<String, Refusal> {
        let outcome = bytes(token).and_then(|token| {
            let now = whole(&now)?;
            guarded(|| self.core.verify_at(&token, now))
        });
        either(outcome.map(|identity| text(&identity)))
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
        let (deferred, promise) = env.create_deferred::<Option<Refusal>, Settle>()?;
        let (here, core, refreshing) = (deferred.clone(), self.core.clone(), self.refreshing.clone());
        let finish = move |outcome: Result<(), Refusal>| {
            if !force {
                refreshing.store(false, Ordering::SeqCst);
            }
            Box::new(move |_| Ok(outcome.err())) as Settle
        };
        let no_thread = finish.clone();

        if !force {
            self.refreshing.store(true, Ordering::SeqCst);
        }
        let work = move || deferred.resolve(finish(guarded(|| core.refresh(force))));
        if let Err(error) = thread::Builder::new().name("pomerium-jwt".to_owned()).spawn(work) {
            // To wait here would stop the event loop
            here.resolve(no_thread(Err(Refusal::new(
                Code::KeysUnavailable,
                format!("the system gives no thread: {error}"),
            ))));
        }
        Ok(promise)
    }

    /// The status as JSON.
    #[napi]
    pub fn status(&self) -> Either<String, Refusal> {
        let status = guarded(|| Ok(self.core.status()));
        let json =
            |status| serde_json::to_string(&status).map_err(|error| Refusal::new(Code::Internal, error.to_string()));
        either(status.and_then(json))
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

/// The identity as JSON, a line feed (which no JSON string holds as it is), and the payload's own text.
fn text(identity: &Identity) -> String {
    let mut text = serde_json::to_string(identity).unwrap_or_default();
    text.push('\n');
    text.push_str(identity.claims.text());
    text
}

/// The bytes of a token, copied: JavaScript may share its own with another thread. A string that is no Unicode text
/// becomes one with U+FFFD, which no token holds either.
fn bytes(token: Token<'_>) -> Result<Vec<u8>, Refusal> {
    match token {
        Either3::A(text) => match text.into_utf8() {
            Ok(text) => Ok(text.take()),
            Err(error) => Err(Refusal::new(Code::Internal, error.reason.clone())),
        },
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
