//! How long a call may take to get its key, and what a caller that must not wait holds meanwhile.

/// How long a verification may take to get its key.
pub(crate) enum Patience<'t> {
    /// Waits for a fetch, at most `timeout`.
    Wait,
    /// Never waits; no ticket: the call is final.
    Ticket(Option<&'t mut Ticket>),
    /// Uses the keys that are loaded and starts nothing.
    AtHand,
}

/// What a caller that must not wait holds from its first call to its second; see
/// [`Verifier::try_verify`](crate::Verifier::try_verify). One for each request.
///
/// ```
/// use pomerium_jwt::Ticket;
///
/// let ticket = Ticket::new();
/// assert!(!ticket.is_final());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticket(
    /// When the token arrived, in monotonic nanoseconds; 0 before the first call.
    i64,
);

impl Ticket {
    /// For the first call of a request.
    ///
    /// ```
    /// assert_eq!(pomerium_jwt::Ticket::new(), pomerium_jwt::Ticket::default());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Whether the call with this ticket is the second one, which is final.
    ///
    /// ```
    /// assert!(!pomerium_jwt::Ticket::new().is_final());
    /// ```
    #[must_use]
    pub const fn is_final(self) -> bool {
        self.0 != 0
    }

    /// For other languages, which carry it as an integer: 0 for the first call.
    #[doc(hidden)]
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}
