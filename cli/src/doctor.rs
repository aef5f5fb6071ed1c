//! `doctor`: step by step, what lies between an application and its keys, and what to change.
//!
//! The keys are fetched by the core, as an application's are: its verdict counts. The other steps only look, on
//! connections of their own, and explain that verdict.

mod certificate;
mod judge;
mod look;

use std::fmt::Write as _;

use clap::{ArgMatches, Command};
use pomerium_jwt::{Error, KeyStatus, OPTIONS, Verifier};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    arguments,
    options::{self, Given},
    report::{BAD, DOUBTFUL, GOOD, HEADING, NO_KEYS, Report, internal, printable},
};
use judge::Fetch;
use look::Target;

const EXIT_CODES: &str = "Exit codes: 0 no step failed, 3 a step failed, 2 usage or options.";

/// The steps, in the order in which they are taken.
const STEPS: [&str; 8] = ["proxy", "name", "connection", "tls", "keys", "cache", "clock", "issuer"];

pub(crate) fn command() -> Command {
    Command::new("doctor")
        .about("Look at each step between an application and its keys, and say what to change")
        .arg(arguments::json_flag("Print the steps as one JSON object"))
        .args(options::flags())
        .after_help(EXIT_CODES)
        .after_long_help(format!(
            "Run it where the application runs, with the application's environment: the options are read from there. At \
             the end it prints the environment that the application must be given.\n\n{}\n\n{EXIT_CODES}",
            arguments::precedence()
        ))
}

pub(crate) fn run(matches: &ArgMatches) -> Result<Report, Error> {
    let given = Given::read(matches)?;
    let verifier = given.verifier()?;
    let steps = match Target::of(&given.options)? {
        Some(target) => {
            let failure = verifier.refresh(true).err();
            judge::examine(&target, &Fetch::new(&verifier, failure))?
        }
        None => vec![judge::keys(&verifier.status().keys)],
    };
    let findings = Findings::new(&given, &verifier, steps);
    let output = if arguments::json(matches) { findings.to_json()? } else { findings.to_text() };
    Ok(Report::with_exit_code(output, if findings.failed() { NO_KEYS } else { 0 }))
}

/// How one step ended.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Passed,
    /// Keys are fetched and tokens verified all the same.
    Warning,
    Failed,
    /// There was nothing to judge.
    Skipped,
}

/// One step: what was seen, and what to change about it.
#[derive(Serialize)]
struct Step {
    step: &'static str,
    outcome: Outcome,
    seen: String,
    change: Option<String>,
}

impl Step {
    fn passed(step: &'static str, seen: impl Into<String>) -> Self {
        Self { step, outcome: Outcome::Passed, seen: seen.into(), change: None }
    }

    fn warning(step: &'static str, seen: impl Into<String>, change: impl Into<String>) -> Self {
        Self { step, outcome: Outcome::Warning, seen: seen.into(), change: Some(change.into()) }
    }

    fn failed(step: &'static str, seen: impl Into<String>, change: impl Into<String>) -> Self {
        Self { step, outcome: Outcome::Failed, seen: seen.into(), change: Some(change.into()) }
    }

    fn skipped(step: &'static str, why: impl Into<String>) -> Self {
        Self { step, outcome: Outcome::Skipped, seen: why.into(), change: None }
    }
}

/// Everything to say.
#[derive(Serialize)]
struct Findings {
    /// Where the keys come from.
    source: String,
    steps: Vec<Step>,
    /// Steps that could not be taken from here.
    not_reached: Vec<&'static str>,
    keys: Vec<KeyStatus>,
    /// What the application must be given: variable and value.
    environment: Vec<(String, String)>,
}

impl Findings {
    fn new(given: &Given, verifier: &Verifier, steps: Vec<Step>) -> Self {
        let status = verifier.status();
        // Keys that are not fetched have no way to go
        let is_fetched = steps.len() > 1;
        let is_missing = |step: &&str| is_fetched && !steps.iter().any(|taken| taken.step == *step);
        let not_reached = STEPS.into_iter().filter(is_missing).collect();
        Self {
            source: status.source,
            steps,
            not_reached,
            keys: status.keys,
            environment: environment(&options::members(&given.options)),
        }
    }

    fn failed(&self) -> bool {
        self.steps.iter().any(|step| step.outcome == Outcome::Failed)
    }

    fn to_json(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(|error| internal(format!("the steps cannot be written: {error}")))
    }

    fn to_text(&self) -> String {
        let mut text = format!("{HEADING}{}{HEADING:#}\n", printable(&self.source));
        for step in &self.steps {
            let verdict = match step.outcome {
                Outcome::Passed => format!("{GOOD}ok     {GOOD:#}"),
                Outcome::Warning => format!("{DOUBTFUL}warning{DOUBTFUL:#}"),
                Outcome::Failed => format!("{BAD}FAILED {BAD:#}"),
                Outcome::Skipped => "skipped".to_owned(),
            };
            // a String takes every write
            let _ = writeln!(text, "  {verdict}  {:10}  {}", step.step, printable(&step.seen));
            if let Some(change) = &step.change {
                let _ = writeln!(text, "{:23}{}", "", printable(change));
            }
        }
        if !self.not_reached.is_empty() {
            let _ = writeln!(text, "  Not reached: {}", self.not_reached.join(", "));
        }
        let _ = writeln!(text, "\n{HEADING}The application's environment{HEADING:#}");
        for (variable, value) in &self.environment {
            let _ = writeln!(text, "  {variable}={}", quoted(value));
        }
        text
    }
}

/// The options as environment variables, in the order of the documentation.
fn environment(members: &Map<String, Value>) -> Vec<(String, String)> {
    let given = OPTIONS.iter().filter_map(|spec| Some((spec.variable(), members.get(spec.name)?)));
    given.filter(|(_, value)| !value.is_null()).map(|(variable, value)| (variable, as_text(value))).collect()
}

/// As [`Options::from_env`](pomerium_jwt::Options::from_env) reads it.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => match list.as_slice() {
            [Value::String(only)] if !only.contains(',') && !only.starts_with('[') => only.clone(),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

/// As a shell takes it.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@,+=%".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use pomerium_jwt::Options;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_environment_gives_the_same_options_again() {
        let table = [
            json!({"route": "https://app.example.com"}),
            json!({"issuer": ["a", "b"], "audience": "a", "connect_to": "10.0.0.1:443", "timeout": 5}),
            json!({"route": "https://a", "allow_http": true, "require_group": ["CN=a,OU=b"]}),
            json!({"route": "https://a", "require_group": ["[x", "y"], "expect_claims": {"a": "it's"}}),
        ];
        for document in table {
            let options = Options::from_json(document.to_string()).expect("options");
            let variables = environment(&options::members(&options));
            let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
            assert_eq!(Options::from_variables(variables), Ok(options), "{document}");
        }
    }

    #[test]
    fn values_are_quoted_for_a_shell() {
        let table = [
            ("https://app.example.com:8443", "https://app.example.com:8443"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
        ];
        for (value, expected) in table {
            assert_eq!(quoted(value), expected);
        }
    }
}
