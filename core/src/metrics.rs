//! The metrics of a status, in the text format of OpenMetrics 1.0.

use std::{collections::BTreeSet, fmt};

use crate::{keys::State, verifier_status::Status};

/// All of it, ready to be scraped.
pub(crate) fn metrics(status: &Status) -> String {
    let mut text = Metrics(String::new());
    text.family("pomerium_jwt_verifications", "counter", "Answers of verify and admit by code.");
    for (code, count) in &status.counts {
        text.sample("pomerium_jwt_verifications_total", &[("code", code)], count);
    }
    text.family("pomerium_jwt_fetches", "counter", "Fetches of the key set by result.");
    for (result, count) in [("failure", status.fetch_failures), ("success", status.fetch_successes)] {
        text.sample("pomerium_jwt_fetches_total", &[("result", result)], count);
    }
    if let Some(age) = status.age {
        text.family("pomerium_jwt_keys_age_seconds", "gauge", "Time since the key set in use was asked for.");
        text.sample("pomerium_jwt_keys_age_seconds", &[], age);
    }
    if let Some(time) = status.last_success {
        let name = "pomerium_jwt_keys_last_success_timestamp_seconds";
        text.family(name, "gauge", "When the keys were last read or fetched.");
        text.sample(name, &[], time);
    }
    text.family("pomerium_jwt_keys_state", "gauge", "1 for the state of the key set in use.");
    for state in State::ALL {
        text.sample("pomerium_jwt_keys_state", &[("state", state.name())], u8::from(*state == status.state));
    }
    text.family("pomerium_jwt_key", "info", "Usable keys of the last set loaded.");
    let usable = status.keys.iter().filter(|key| key.usable);
    let kids: BTreeSet<&str> = usable.filter_map(|key| key.kid.as_deref().or(key.thumbprint.as_deref())).collect();
    for kid in kids {
        text.sample("pomerium_jwt_key_info", &[("kid", kid)], 1);
    }
    text.0 + "# EOF\n"
}

/// OpenMetrics text being written.
struct Metrics(String);

impl Metrics {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.0 += &format!("# TYPE {name} {kind}\n# HELP {name} {help}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        let escaped = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.0 += &format!("{name}{labels} {value}\n");
    }
}
