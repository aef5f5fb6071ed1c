//! For hosts that fetch the keys themselves: edge runtimes, event loops, sandboxes without sockets, threads or clocks.

use std::sync::Arc;

use super::verify::Verifier;
use crate::{
    clock::Clock,
    error::Error,
    keys::{KeyRequest, LastErrorCode, Sender},
    options::Options,
};

impl Verifier {
    /// A verifier whose host fetches the keys and tells the time: it opens no socket, starts no thread, waits for
    /// nothing and reads no clock. When keys are used and when they are fetched follows the same rules.
    ///
    /// Ask with [`try_verify`](Self::try_verify) or [`try_admit`](Self::try_admit) and a [`Ticket`](crate::Ticket). If
    /// the answer is `keys_needed`, call [`next_request`](Self::next_request), send the request, hand the answer to
    /// [`feed_response`](Self::feed_response) or [`feed_failure`](Self::feed_failure), and ask again with the same
    /// ticket. If there is no request to send, one is already on its way: wait for its answer first. After any other
    /// answer, [`wants_fetch`](Self::wants_fetch) says whether the keys should be refreshed in the background.
    ///
    /// [`verify`](Self::verify) cannot wait here: it answers with the keys that are loaded, and notes that others are
    /// wanted. [`refresh`](Self::refresh) is `invalid_argument`. With keys that need no fetching (`jwks`, `public_key`),
    /// it is all there is to call.
    ///
    /// ```
    /// use pomerium_jwt::{Error, ErrorCode, Identity, Now, Options, Ticket, Verifier};
    /// use std::time::Duration;
    ///
    /// /// Brings the keys, if any are wanted.
    /// fn fetch(verifier: &Verifier, send: impl Fn(&str, &[(&str, &str)]) -> (u16, String)) {
    ///     let Some(request) = verifier.next_request(false) else { return };
    ///     let (status, body) = send(request.url(), &request.headers()); // within request.timeout()
    ///     let headers: [(&str, &str); 0] = []; // those of the answer
    ///     let _ = verifier.feed_response(request, status, headers, body); // the next call says how it went
    /// }
    ///
    /// # let clock = || Now::new(Duration::from_secs(1), 1_800_000_000);
    /// # let send = |_: &str, _: &[(&str, &str)]| (200, r#"{"keys":[]}"#.to_owned());
    /// let verifier = Verifier::for_host(Options::for_route("https://app.example.com"), clock)?;
    ///
    /// let verify = |header: &str| -> Result<Identity, Error> {
    ///     let mut ticket = Ticket::new();
    ///     match verifier.try_verify(header, Some(&mut ticket)) {
    ///         Err(error) if error.code() == ErrorCode::KeysNeeded => {
    ///             fetch(&verifier, send);
    ///             verifier.try_verify(header, Some(&mut ticket))
    ///         }
    ///         answer => answer,
    ///     }
    /// };
    /// # let token = "eyJhbGciOiJFUzI1NiJ9.e30.AA";
    /// # assert_eq!(verify(token).unwrap_err().code(), ErrorCode::KeysEmpty);
    /// let answer = verify("..."); // respond, and then
    /// if verifier.wants_fetch() {
    ///     fetch(&verifier, send);
    /// }
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_options`, in a sentence that says what to write instead; `connect_to`, `ca_file` and `ca_pem` are the
    /// host's part, and plain http needs a loopback address or `allow_http`.
    pub fn for_host(options: Options, clock: impl Clock + 'static) -> Result<Self, Error> {
        Self::build(options, Sender::Host, Arc::new(clock))
    }

    /// Whether a call before this one wants a fetch for which there was no [`next_request`](Self::next_request) yet: a
    /// verification whose keys have aged, or a look at [`status`](Self::status) or [`health`](Self::health) while there
    /// are no keys. Ask after each answer. Always false for a verifier that fetches itself, and for keys that need no
    /// fetching.
    ///
    /// ```
    /// # use pomerium_jwt::{Now, Options, Verifier};
    /// # let clock = || Now::new(std::time::Duration::from_secs(1), 1_800_000_000);
    /// let verifier = Verifier::for_host(Options::for_route("https://app.example.com"), clock)?;
    /// assert!(!verifier.health().keys_loaded && verifier.wants_fetch());
    /// let request = verifier.next_request(false);
    /// assert!(!verifier.wants_fetch(), "one is on its way");
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    #[must_use]
    pub fn wants_fetch(&self) -> bool {
        self.checks.store.wants_fetch()
    }

    /// The request that the host has to send now. It then counts as running: each has to be answered with
    /// [`feed_response`](Self::feed_response) or [`feed_failure`](Self::feed_failure), and one that is not within
    /// `timeout` and a second counts as failed. At most one is running.
    ///
    /// As with [`refresh`](Self::refresh), `force` is for operators and for warming up: it ignores ttl, pause and
    /// backoff, at most once a second. With `false` there is a request if a fetch is wanted or due.
    ///
    /// None if there is nothing to fetch, if one is running, for a verifier that fetches itself, and for keys that need
    /// no fetching; `jwks_file` is read again.
    ///
    /// ```
    /// # use pomerium_jwt::{Now, Options, Verifier};
    /// # let clock = || Now::new(std::time::Duration::from_secs(1), 1_800_000_000);
    /// let verifier = Verifier::for_host(Options::for_route("https://app.example.com"), clock)?;
    /// let request = verifier.next_request(false).expect("no keys yet");
    /// assert!(verifier.next_request(true).is_none(), "one is running");
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    #[must_use = "a request that is not sent counts as running until its timeout"]
    pub fn next_request(&self, force: bool) -> Option<KeyRequest> {
        self.checks.store.next_request(force)
    }

    /// The answer to a request: its HTTP status, its headers (`ETag`, `Cache-Control` and `Content-Encoding` are looked
    /// at, in any case) and its body as it came. Leave out a `Content-Encoding` that the host has already decoded. A
    /// body of more than 262,144 bytes is refused, so there is no need to read more than one byte beyond that.
    ///
    /// ```
    /// # use pomerium_jwt::{Now, Options, Verifier};
    /// # let clock = || Now::new(std::time::Duration::from_secs(1), 1_800_000_000);
    /// # let verifier = Verifier::for_host(Options::for_route("https://app.example.com"), clock)?;
    /// let request = verifier.next_request(false).expect("no keys yet");
    /// let headers = [("ETag", "\"1\""), ("Cache-Control", "max-age=60")];
    /// verifier.feed_response(request, 200, headers, r#"{"keys":[]}"#)?;
    /// assert_eq!(verifier.status().state, pomerium_jwt::State::Fresh);
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// `keys_unavailable` with what is wrong with the answer: the fetch has failed, and the last good keys stay.
    /// `invalid_argument` for a request of another verifier.
    pub fn feed_response<N: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        request: KeyRequest,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
        body: impl AsRef<[u8]>,
    ) -> Result<(), Error> {
        self.checks.store.feed_response(request, status, headers, body.as_ref())
    }

    /// The request has failed: what went wrong, for `status` and for logs, in a sentence that needs no address.
    ///
    /// ```
    /// # use pomerium_jwt::{LastErrorCode, Now, Options, Verifier};
    /// # let clock = || Now::new(std::time::Duration::from_secs(1), 1_800_000_000);
    /// # let verifier = Verifier::for_host(Options::for_route("https://app.example.com"), clock)?;
    /// let request = verifier.next_request(false).expect("no keys yet");
    /// verifier.feed_failure(request, LastErrorCode::Dns, "the name does not exist")?;
    /// assert_eq!(verifier.status().last_error.unwrap().code, LastErrorCode::Dns);
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_argument` for a request of another verifier.
    pub fn feed_failure(
        &self,
        request: KeyRequest,
        code: LastErrorCode,
        message: impl AsRef<str>,
    ) -> Result<(), Error> {
        self.checks.store.feed_failure(request, code, message.as_ref())
    }
}
