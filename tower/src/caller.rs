//! What handlers learn about a request: who is calling, or that nobody is known.

use std::{
    fmt,
    ops::Deref,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{Extensions, Uri};
use pomerium_jwt::{Admission, Error, ErrorCode, Identity};

use crate::{grpc, guard::Guard};

/// Who is calling: the identity that was verified, in the request's extensions if there is one. Cloning it is cheap.
///
/// With the feature `axum` it is an extractor. `Option<Caller>` is none if the request passed without an identity (the
/// options `optional` and `exempt_paths`); `Caller` answers 401 `token_missing` then. Anonymous identities, which exist
/// only with the option `allow_anonymous`, are callers too: [`Admitted::require_user`] refuses them.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller(Arc<Identity>);

impl Caller {
    /// How long the token is still valid: zero after its `exp`. A WebSocket or a stream outlives its token unless the
    /// application ends it then, for example with `tokio::time::timeout(caller.expires_in(), ...)`.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.expires().duration_since(SystemTime::now()).unwrap_or_default()
    }
}

impl Deref for Caller {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0
    }
}

/// Shows no personal data, as [`Identity`] does.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// That the layer has let a request through, with its [`Caller`] or without one; in the extensions of every such request.
///
/// With the feature `axum` it is an extractor: for routes that demand more than others.
///
/// ```
/// use pomerium_jwt_tower::{Admitted, Refused};
///
/// async fn admin(admitted: Admitted) -> Result<String, Refused> {
///     let identity = admitted.require_group(&["admins"])?;
///     Ok(format!("Hello {}\n", identity.subject))
/// }
/// ```
#[derive(Clone)]
pub struct Admitted {
    caller: Option<Caller>,
    uri: Uri,
    guard: Guard,
}

impl Admitted {
    /// Of this request. None if no layer stands in front of the service that asks.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// Who is calling; none if the request passed without an identity.
    #[must_use]
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// Demands an identity, anonymous or not.
    ///
    /// # Errors
    /// `token_missing` if the request passed without one.
    pub fn require_caller(&self) -> Result<&Caller, Refused> {
        self.caller.as_ref().ok_or_else(|| self.refuse(Admission::Passed.require_user().expect_err("it has none")))
    }

    /// Demands a signed-in user.
    ///
    /// # Errors
    /// `token_missing` if the request passed without an identity, `subject_missing` if the identity is anonymous.
    pub fn require_user(&self) -> Result<&Identity, Refused> {
        self.require_caller()?.require_user().map_err(|error| self.refuse(error))
    }

    /// Demands a signed-in user in at least one of these groups.
    ///
    /// # Errors
    /// As [`require_user`](Self::require_user), and `group_required`. `invalid_argument` for an empty list.
    pub fn require_group<S: AsRef<str>>(&self, groups: &[S]) -> Result<&Identity, Refused> {
        let Some(caller) = &self.caller else {
            return Err(self.refuse(Admission::Passed.require_group(groups).expect_err("it has none")));
        };
        caller.require_group(groups).map_err(|error| self.refuse(error))
    }

    fn refuse(&self, error: Error) -> Refused {
        self.guard.report(&error, self.uri.path());
        Refused(error)
    }

    /// Puts what the guard has found into the extensions, in place of whatever is there.
    pub(crate) fn insert(admission: Admission, guard: &Guard, uri: Uri, extensions: &mut Extensions) {
        extensions.remove::<Caller>();
        let caller = match admission {
            Admission::Verified(identity) => Some(Caller(Arc::new(identity))),
            Admission::Passed => None,
        };
        if let Some(caller) = &caller {
            extensions.insert(caller.clone());
        }
        extensions.insert(Self { caller, uri, guard: guard.clone() });
    }
}

impl fmt::Debug for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admitted").field("caller", &self.caller).finish_non_exhaustive()
    }
}

/// A refusal by a route that demands more than others. It has been reported, as the layer's own are.
///
/// With the feature `axum` it is a response, with the code as its body and without the message, which is not for clients.
/// The layer's error handler is not asked: to render it otherwise, map it to an error of yours.
#[derive(Clone, PartialEq, Eq)]
pub struct Refused(Error);

impl Refused {
    /// Why. The message is for the log alone.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.0
    }

    /// The number of the gRPC status: `Status::new(refused.grpc_status().into(), refused.code().name())` in tonic.
    #[must_use]
    pub fn grpc_status(&self) -> i32 {
        grpc::code(&self.0)
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code()
    }

    /// A handler asks, and no layer stands in front of it.
    #[cfg(feature = "axum")]
    pub(crate) fn unprotected(path: &str) -> Self {
        let message = "no PomeriumLayer stands in front of this route: put it around the whole application";
        tracing::error!(?path, "pomerium-jwt: {message}");
        Self(Error::new(ErrorCode::Internal, message))
    }
}

/// The code alone: what frameworks show to clients.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.code().fmt(f)
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.0.code()).finish()
    }
}

impl std::error::Error for Refused {}
