//! What a verifier says of itself, for operators.

use super::verify::Verifier;
use crate::{keys::Health, metrics::metrics, summary::Summary, verifier_status::Status};

impl Verifier {
    /// The state of keys, pins and counters. Never waits; if no usable key is loaded, it starts a fetch that is due in
    /// the background.
    ///
    /// ```
    /// # use pomerium_jwt::{Options, Verifier};
    /// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
    /// println!("{}", serde_json::to_string_pretty(&verifier.status()).unwrap_or_default());
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    #[must_use]
    pub fn status(&self) -> Status {
        let checks = &self.checks;
        checks.store.look_after();
        let keys = checks.store.state();
        Status {
            source: keys.source,
            state: keys.state,
            age: keys.age,
            ttl: keys.ttl,
            keys: keys.keys,
            last_success: keys.last_success,
            last_error: keys.last_error,
            next_attempt: keys.next_attempt,
            pinned: checks.pins.show(),
            counts: checks.counts.read(),
            fetches: keys.fetches,
            fetch_successes: keys.fetch_successes,
            fetch_failures: keys.fetch_failures,
            summary: self.summary(),
            header_name: self.header_name().to_owned(),
            optional: self.request.optional(),
            exempt_paths: self.request.exempt_paths(),
            require_group: self.request.require_group().to_vec(),
            fetch_seconds: keys.fetch_seconds,
            key_set: keys.key_set,
            health: keys.health,
        }
    }

    /// For health probes. Never waits; if no usable key is loaded, it starts a fetch that is due in the background: an
    /// instance that is not ready gets no requests, and would otherwise never fetch again.
    ///
    /// ```
    /// # use pomerium_jwt::{Options, Verifier};
    /// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
    /// let health = verifier.health();
    /// let ready = health.keys_loaded || !health.asked;
    /// assert!(!ready, "the key set is empty");
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    #[must_use]
    pub fn health(&self) -> Health {
        self.checks.store.look_after();
        self.checks.store.state().health
    }

    /// The line that an integration logs when it starts: what is accepted, where the keys come from, the header, each
    /// request option that is set, and a warning if trust on first use pins anything.
    ///
    /// ```
    /// # use pomerium_jwt::{Options, Verifier};
    /// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
    /// assert!(verifier.summary().starts_with("accepts issuer and audience app.example.com or https://app.example.com/"));
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    #[must_use]
    pub fn summary(&self) -> String {
        let rules = &self.checks.rules;
        Summary {
            issuer: rules.issuer.as_ref(),
            audience: rules.audience.as_ref(),
            source: &self.checks.store.source(),
            request: &self.request,
        }
        .to_string()
    }

    /// Metrics for a monitoring system to scrape, in the text format of OpenMetrics 1.0
    /// (`application/openmetrics-text; version=1.0.0; charset=utf-8`). It holds no user, path or token.
    ///
    /// ```
    /// # use pomerium_jwt::{Options, Verifier};
    /// # let verifier = Verifier::new(Options::for_route("https://app.example.com").jwks(r#"{"keys":[]}"#))?;
    /// assert!(verifier.metrics().contains("pomerium_jwt_verifications_total{code=\"ok\"} 0"));
    /// # Ok::<(), pomerium_jwt::Error>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> String {
        metrics(&self.status())
    }
}
