//! The checks in order. Read this first.

use std::sync::Arc;

use super::pin::{Pinning, Pins};
use crate::{
    algorithm::Algorithm,
    claims::{self, MAX_TIME, Payload, Rules},
    clock::{Clock, SystemClock},
    code::ErrorCode,
    counts::{Counted, Counts},
    error::Error,
    identity::{Claims, Identity},
    keys::{self, Found, KeySet, Patience, Sender, Store, Ticket},
    options::{Options, Settings},
    request::RequestRules,
    token::{self, LastHeader, Token},
};

/// Verifies Pomerium's tokens. Make one per application and share it between threads.
///
/// ```no_run
/// # fn main() -> Result<(), pomerium_jwt::Error> {
/// use pomerium_jwt::{Options, Verifier};
///
/// let verifier = Verifier::new(Options::for_route("https://app.example.com"))?;
/// let header = "..."; // the request's X-Pomerium-Jwt-Assertion, "" if it has none
/// let identity = verifier.verify(header)?;
/// println!("{}", identity.subject);
/// # Ok(()) }
/// ```
pub struct Verifier {
    pub(super) checks: Arc<Checks>,
    pub(super) request: RequestRules,
}

/// Shared by verifiers that differ only in their request options.
pub(super) struct Checks {
    pub(super) rules: Rules,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) max_token_bytes: usize,
    pub(super) last_header: LastHeader,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pins: Pins,
    pub(super) counts: Counts,
}

/// Every thread may use one verifier at once.
const _: () = {
    const fn shareable<T: Send + Sync>() {}
    shareable::<Verifier>();
};

impl Verifier {
    /// A verifier with these options. Touches no network; files are read now.
    ///
    /// ```
    /// use pomerium_jwt::{Options, Verifier};
    ///
    /// let verifier = Verifier::new(Options::for_route("https://app.example.com"))?;
    /// eprintln!("{}", verifier.summary());
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_options`, in a sentence that says what to write instead.
    pub fn new(options: Options) -> Result<Self, Error> {
        Self::build(options, Sender::Library, Arc::new(SystemClock::new()))
    }

    /// A verifier with the options of a JSON document; see [`Options::from_json`].
    ///
    /// ```
    /// let verifier = pomerium_jwt::Verifier::from_json(r#"{"route":"https://app.example.com"}"#)?;
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_options`, in a sentence that says what to write instead.
    pub fn from_json(options: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::new(Options::from_json(options)?)
    }

    /// A verifier with the options of the environment; see [`Options::from_env`].
    ///
    /// ```
    /// use pomerium_jwt::{Error, Verifier};
    ///
    /// fn start() -> Result<Verifier, Error> {
    ///     Verifier::from_env() // POMERIUM_JWT_ROUTE=https://app.example.com
    /// }
    /// ```
    ///
    /// # Errors
    /// `invalid_options`, naming the variable.
    pub fn from_env() -> Result<Self, Error> {
        Self::new(Options::from_env()?)
    }

    pub(crate) fn build(options: Options, sender: Sender, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let Settings { rules, trust, source, limits, fetch, request, max_token_bytes } = Settings::resolve(options)?;
        let algorithms = trust.algorithms.clone();
        let store = Store::new(source, trust, limits, fetch, sender, clock.clone())?;
        let checks = Checks {
            rules,
            algorithms,
            max_token_bytes,
            last_header: LastHeader::default(),
            store,
            clock,
            pins: Pins::new(),
            counts: Counts::new(),
        };
        Ok(Self { checks: Arc::new(checks), request })
    }

    /// A verifier with other request options over the same keys, pins and counts: for two mounts of one application,
    /// or for HTTP and WebSockets. What `options` do not name stays as it is here.
    ///
    /// ```
    /// use pomerium_jwt::{Options, Verifier};
    ///
    /// let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
    /// let admin = verifier.with(Options::default().require_group(["admins"]))?;
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_options` for an option that is not one of `header_name optional exempt_paths require_group`, and for a
    /// bad value.
    pub fn with(&self, options: Options) -> Result<Self, Error> {
        Ok(Self { checks: self.checks.clone(), request: self.request.with(options)? })
    }

    /// Who sent this token: the raw text of the header, `""` if there was none, several values joined by commas. One
    /// leading `Bearer ` is removed. If keys have to be fetched first, it waits for them, at most `timeout`.
    ///
    /// ```
    /// # use pomerium_jwt::{Options, Verifier};
    /// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
    /// let error = verifier.verify("Bearer a.b").unwrap_err();
    /// assert_eq!((error.status(), error.code().name()), (401, "token_malformed"));
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// Any code of the kinds token, keys (but not `keys_needed`) and internal; see [`Error::kind`] for the HTTP status to answer with.
    pub fn verify(&self, token: impl AsRef<[u8]>) -> Result<Identity, Error> {
        self.verify_with(token.as_ref(), Patience::Wait)
    }

    /// As [`verify`](Self::verify), at the time `now` in Unix seconds (0 to 2^53 - 1) instead of the clock's. Uses the
    /// keys that are loaded, fetches none, and pins nothing: an issuer or audience not yet pinned is not checked.
    ///
    /// ```
    /// # use pomerium_jwt::{Options, Verifier};
    /// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
    /// let error = verifier.verify_at("", -1).unwrap_err();
    /// assert_eq!(error.code().name(), "invalid_argument");
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As `verify`, and `invalid_argument` for a time out of range.
    pub fn verify_at(&self, token: impl AsRef<[u8]>, now: i64) -> Result<Identity, Error> {
        check_now(now)?;
        self.counted(self.run(token.as_ref(), now, Patience::AtHand))
    }

    /// As [`verify`](Self::verify), but never waits, for event loops and async runtimes: `keys_needed` asks the caller to
    /// call [`refresh`](Self::refresh) with `false` once, on a thread that may wait, and then to call again with the same
    /// [`Ticket`]. That second call is final and never answers `keys_needed`. With `None` the first call is final.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode, Identity, Ticket, Verifier};
    ///
    /// fn verify(verifier: &Verifier, header: &str) -> Result<Identity, Error> {
    ///     let mut ticket = Ticket::new();
    ///     match verifier.try_verify(header, Some(&mut ticket)) {
    ///         Err(error) if error.code() == ErrorCode::KeysNeeded => {
    ///             let _ = verifier.refresh(false); // on a thread that may wait; the next call says how it went
    ///             verifier.try_verify(header, Some(&mut ticket))
    ///         }
    ///         answer => answer,
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// As `verify`, and `keys_needed`.
    pub fn try_verify(&self, token: impl AsRef<[u8]>, ticket: Option<&mut Ticket>) -> Result<Identity, Error> {
        self.verify_with(token.as_ref(), Patience::Ticket(ticket))
    }

    /// Brings the keys up to date. With `false` it joins a fetch that is running or starts one that is wanted or due,
    /// and otherwise does nothing; `true` is for operators and for warming up, and fetches at once, at most once a second.
    /// `jwks_file` is read again; other static sources have nothing to do. Waits at most `timeout`.
    ///
    /// ```
    /// use pomerium_jwt::Verifier;
    ///
    /// fn warm_up(verifier: &Verifier) {
    ///     if let Err(error) = verifier.refresh(true) {
    ///         eprintln!("{error}"); // requests will try again
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// `keys_unavailable` with the reason; `invalid_argument` for a verifier of [`for_host`](Self::for_host).
    pub fn refresh(&self, force: bool) -> Result<(), Error> {
        self.checks.store.refresh(force)
    }

    /// The option `header_name`: the request header that carries the token.
    ///
    /// ```
    /// # use pomerium_jwt::{Options, Verifier};
    /// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
    /// assert_eq!(verifier.header_name(), "X-Pomerium-Jwt-Assertion");
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    #[must_use]
    pub fn header_name(&self) -> &str {
        self.request.header_name()
    }

    fn verify_with(&self, text: &[u8], patience: Patience<'_>) -> Result<Identity, Error> {
        self.counted(self.judge_text(text, patience))
    }

    fn counted(&self, outcome: Result<Identity, Error>) -> Result<Identity, Error> {
        self.count(outcome.as_ref().map_or_else(|error| Counted::Refused(error.code()), |_| Counted::Ok));
        outcome
    }

    pub(super) fn count(&self, answer: Counted) {
        self.checks.counts.add(answer);
    }

    /// The six steps at the clock's time, not counted.
    pub(super) fn judge_text(&self, text: &[u8], patience: Patience<'_>) -> Result<Identity, Error> {
        self.run(text, self.checks.clock.now().unix, patience)
    }

    /// The six steps; `unix` is the time the claims are judged at.
    fn run(&self, text: &[u8], unix: i64, patience: Patience<'_>) -> Result<Identity, Error> {
        let pinning = if matches!(patience, Patience::AtHand) { Pinning::PassOver } else { Pinning::Pin };
        let (token, algorithm) = self.parse(text)?;
        if unix < 0 {
            return Err(Error::new(ErrorCode::Internal, "the system clock is before 1970"));
        }
        let found = self.checks.store.acquire(token.header.key_id.as_deref(), algorithm, patience)?;
        self.judge(token, &found, unix, pinning)
    }

    /// Steps 1 and 2: the text, and the algorithm before any key is looked for.
    fn parse<'a>(&self, text: &'a [u8]) -> Result<(Token<'a>, Algorithm), Error> {
        let token = token::parse(text, self.checks.max_token_bytes, &self.checks.last_header)?;
        let algorithm = self.check_algorithm(token.header.algorithm.as_deref())?;
        Ok((token, algorithm))
    }

    pub(super) fn check_algorithm(&self, name: Option<&str>) -> Result<Algorithm, Error> {
        let named = name.and_then(Algorithm::from_name);
        named.filter(|algorithm| self.checks.algorithms.contains(algorithm)).ok_or_else(|| {
            let accepted = self.accepted_algorithms();
            let message = match named {
                Some(Algorithm::Rs256) => format!("alg is RS256, algorithms is {accepted}: is Pomerium's key RSA?"),
                _ => format!("alg in the JOSE header is not one of algorithms, {accepted}"),
            };
            Error::new(ErrorCode::AlgorithmNotAllowed, message)
        })
    }

    pub(super) fn accepted_algorithms(&self) -> String {
        let names: Vec<&str> = self.checks.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        names.join(", ")
    }

    /// Steps 4 to 6, after step 3 has found the key: the signature, the claims, the identity.
    fn judge(&self, token: Token<'_>, found: &Found, now: i64, pinning: Pinning) -> Result<Identity, Error> {
        if !found.key().verify(token.signing_input, &token.signature) {
            return Err(signature_invalid(&found.keys, token.header.key_id.as_deref()));
        }
        self.checks.last_header.remember(&token.header);
        let text = claims::to_text(token.payload)?;
        let claims = claims::parse(&text)?;
        let rules = &self.checks.rules;
        let payload = Payload::read(&claims, rules)?;
        rules.check(&payload, now)?;
        let mut identity = Identity::new(&payload, &text)?;
        self.request.check_group(&identity)?;
        self.checks.pins.check(&payload, rules, pinning)?;
        identity.claims = Claims::new(text);
        Ok(identity)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("rules", &self.checks.rules)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

pub(super) fn check_now(now: i64) -> Result<(), Error> {
    if (0..=MAX_TIME).contains(&now) {
        return Ok(());
    }
    Err(Error::new(ErrorCode::InvalidArgument, format!("now is {now}; it takes Unix seconds from 0 to 2^53-1")))
}

pub(super) fn signature_invalid(keys: &KeySet, kid: Option<&str>) -> Error {
    let message = match (keys.only_thumbprint(), kid) {
        (Some(thumbprint), Some(kid)) if thumbprint != kid => {
            let named = keys::named(kid);
            format!("the signature is invalid: the token has {named}, the configured key is {thumbprint}")
        }
        _ => "the signature is invalid: the token was altered, or signed with another key".to_owned(),
    };
    Error::new(ErrorCode::SignatureInvalid, message)
}
