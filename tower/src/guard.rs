//! What the integrations of all frameworks share.

use std::{fmt, sync::Arc};

use http::HeaderName;
use pomerium_jwt::{Admission, Error, ErrorCode, Health, Options, Request, Ticket, Verifier};

use crate::{refresher::Refresher, refusal_log::RefusalLog};

/// Called for each refusal, with the path that was asked for.
type OnRefused = dyn Fn(&Error, &str) + Send + Sync;

/// Asks a verifier without blocking an executor, and reports refusals. It holds no rule about who gets in.
///
/// [`PomeriumLayer`](crate::PomeriumLayer) has one inside; make one for a framework that knows no tower. Clones share
/// everything.
#[derive(Clone)]
pub struct Guard(Arc<Shared>);

#[derive(Clone)]
struct Shared {
    verifier: Arc<Verifier>,
    header: HeaderName,
    refresher: Arc<Refresher>,
    on_refused: Arc<OnRefused>,
}

impl Guard {
    /// A guard with these options laid over the environment's: code wins, option by option, and a warning names the
    /// variables that it overrides.
    ///
    /// # Errors
    /// `invalid_options`, in a sentence that says what to write instead.
    pub fn new(options: Options) -> Result<Self, Error> {
        let overlay = options.over_env()?;
        let warning = overlay.warning();
        let guard = Self::from_verifier(Verifier::new(overlay.options)?);
        if let Some(warning) = warning {
            tracing::warn!("pomerium-jwt: {warning}");
        }
        Ok(guard)
    }

    /// A guard with the options of the environment.
    ///
    /// # Errors
    /// `invalid_options`, naming the variable.
    pub fn from_env() -> Result<Self, Error> {
        Self::new(Options::default())
    }

    /// A guard that asks this verifier. The environment is not read.
    #[must_use]
    pub fn from_verifier(verifier: impl Into<Arc<Verifier>>) -> Self {
        let guard = Self::of(verifier.into(), Arc::default(), Arc::new(RefusalLog::new()));
        tracing::info!("pomerium-jwt: {}", guard.verifier().summary());
        guard
    }

    fn of(verifier: Arc<Verifier>, refresher: Arc<Refresher>, on_refused: Arc<OnRefused>) -> Self {
        let header = HeaderName::from_bytes(verifier.header_name().as_bytes());
        let header = header.expect("the core takes A-Z a-z 0-9 - alone");
        Self(Arc::new(Shared { verifier, header, refresher, on_refused }))
    }

    /// A guard with other request options (`header_name`, `optional`, `exempt_paths`, `require_group`) over the same keys,
    /// for a part of an application. What `options` do not name stays as it is here.
    ///
    /// # Errors
    /// `invalid_options` for any other option, and for a bad value.
    pub fn with(&self, options: Options) -> Result<Self, Error> {
        let verifier = Arc::new(self.verifier().with(options)?);
        Ok(Self::of(verifier, self.0.refresher.clone(), self.0.on_refused.clone()))
    }

    /// Calls this for each refusal instead of logging a warning, with the path that was asked for. The message is not for
    /// clients.
    #[must_use]
    pub fn on_refused(mut self, report: impl Fn(&Error, &str) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).on_refused = Arc::new(report);
        self
    }

    /// Decides whether a request gets in, and who sent it; reports a refusal. While keys are fetched it waits, together
    /// with all others, and may be dropped. The refusal's response is its `status()`, `headers()` and `body()`.
    ///
    /// # Errors
    /// Why the request is refused.
    pub async fn admit(&self, request: &Request<'_>) -> Result<Admission, Error> {
        let mut ticket = Ticket::new();
        let outcome = match self.first(request, &mut ticket) {
            Some(outcome) => outcome,
            None => {
                self.refreshed().await;
                self.last(request, &mut ticket)
            }
        };
        outcome.inspect_err(|error| self.report(error, &String::from_utf8_lossy(request.path)))
    }

    /// For health probes. Never waits.
    #[must_use]
    pub fn health(&self) -> Health {
        self.verifier().health()
    }

    /// The verifier that decides.
    #[must_use]
    pub fn verifier(&self) -> &Arc<Verifier> {
        &self.0.verifier
    }

    pub(crate) fn header(&self) -> &HeaderName {
        &self.0.header
    }

    /// The answer, unless keys have to be fetched first: then wait for [`refreshed`](Self::refreshed), and ask for the
    /// [`last`](Self::last) answer.
    pub(crate) fn first(&self, request: &Request<'_>, ticket: &mut Ticket) -> Option<Result<Admission, Error>> {
        match self.verifier().try_admit(request, Some(ticket)) {
            Err(error) if error.code() == ErrorCode::KeysNeeded => None,
            outcome => Some(outcome),
        }
    }

    pub(crate) async fn refreshed(&self) {
        self.0.refresher.refreshed(self.verifier()).await;
    }

    pub(crate) fn last(&self, request: &Request<'_>, ticket: &mut Ticket) -> Result<Admission, Error> {
        self.verifier().try_admit(request, Some(ticket))
    }

    pub(crate) fn report(&self, refused: &Error, path: &str) {
        (self.0.on_refused)(refused, path);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("verifier", self.verifier()).finish_non_exhaustive()
    }
}
