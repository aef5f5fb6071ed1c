//! What a verifier says of itself, for operators.

use super::verify::Verifier;
use crate::{keys::Health, metrics::metrics, status::Status, summary::Summary};

impl Verifier {
    /// The state of keys, pins and counters. Never waits; if no usable key is loaded, it starts a fetch that is due in
    /// the background.
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
    #[must_use]
    pub fn health(&self) -> Health {
        self.checks.store.look_after();
        self.checks.store.state().health
    }

    /// The line that an integration logs when it starts: what is accepted, where the keys come from, the header, each
    /// request option that is set, and a warning if trust on first use pins anything.
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
    #[must_use]
    pub fn metrics(&self) -> String {
        metrics(&self.status())
    }
}
