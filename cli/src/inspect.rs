//! `inspect`: shows what a token says, and every check that it passes or fails. The token is sent nowhere.

use std::fmt::Write as _;

use clap::ArgMatches;
use pomerium_jwt::{Check, Error, Facts, Inspection, Options, Outcome, Verifier, member_text};
use serde::Serialize;
use serde_json::Value;

use crate::{
    arguments, hints, input,
    options::Given,
    paste::{self, Pasted},
    report::{BAD, DOUBTFUL, GOOD, HEADING, REFUSED, Report, internal, printable, with_member},
    times, verify,
};

/// The checks that need no options: they tell whether the token can be read.
const READABLE: [&str; 5] = ["token", "size", "form", "header", "claims"];

const ERRORS: &str = "https://github.com/pomerium-jwt/pomerium-jwt/blob/main/docs/errors.md";
const NOT_VERIFIED: &str = "NOT VERIFIED: header and claims are what the token says about itself";

const WITHOUT_OPTIONS: &str = "\
No option was given, so neither signature nor claims were checked. With options every check is listed: --route
https://YOUR-HOST fetches the keys from there (the token is sent nowhere); or give --issuer, --audience and --jwks-file.
";

pub(crate) fn run(matches: &ArgMatches) -> Result<Report, Error> {
    let given = Given::read(matches)?;
    let checking = given.options != Options::default();
    let verifier = if checking { given.verifier()? } else { Verifier::new(for_reading())? };
    let arguments = verify::token_arguments(matches)?;
    let text = match verify::named_file(&arguments) {
        Some(file) => input::read(file)?,
        None => input::text(&arguments)?,
    };
    let text = input::header_value(&text, &verifier.status().header_name);
    let now = arguments::at(matches).map_or_else(times::now, Ok)?;
    // If this fails, the check that needs the keys says why
    let _ = verifier.refresh(false);
    let findings = Findings::new(&verifier, text, now, checking)?;
    let output = if arguments::json(matches) { findings.to_json()? } else { findings.to_text(now) };
    let exit_code = if findings.is_flawless() { 0 } else { REFUSED };
    Ok(Report::with_exit_code(output, exit_code))
}

/// Options of a verifier that only tells whether a token can be read.
fn for_reading() -> Options {
    Options::default().trust_on_first_use(true).jwks(r#"{"keys":null}"#)
}

/// Everything to say about a text.
struct Findings {
    /// Why the text itself is refused, if it is a damaged token.
    as_given: Option<String>,
    hints: Vec<String>,
    /// The token's; none if there are different ones.
    inspection: Option<Inspection>,
    /// Whether there were options to check with.
    checking: bool,
}

impl Findings {
    fn new(verifier: &Verifier, text: &[u8], now: i64, checking: bool) -> Result<Self, Error> {
        let given = verifier.inspect(text, now)?;
        if is_token(&given) {
            return Ok(Self { as_given: None, hints: explain(&given, text), inspection: Some(given), checking });
        }
        let refusal = given.first_failure().map(ToString::to_string);
        let (as_given, inspection, mut hints) = match paste::find(text) {
            Pasted::Several(sentence) => (None, None, vec![sentence]),
            Pasted::Token { token, remarks, is_damaged } if token.as_bytes() != text => {
                let inside = verifier.inspect(&token, now)?;
                let hints = explain(&inside, token.as_bytes());
                (refusal.filter(|_| is_damaged), Some(inside), remarks.into_iter().chain(hints).collect())
            }
            Pasted::Token { .. } | Pasted::Nothing => {
                let hints = explain(&given, text);
                (None, Some(given), hints)
            }
        };
        if inspection.as_ref().is_some_and(|inspection| inspection.header.is_none()) {
            let shown = String::from_utf8_lossy(text);
            hints.extend((!shown.trim().is_empty()).then(|| paste::WANTED.to_owned()));
            hints.extend(hints::explain_text(&shown).map(str::to_owned));
        }
        Ok(Self { as_given, hints, inspection, checking })
    }

    /// The checks to show: without options only those that keep the token from being read.
    fn checks(&self) -> impl Iterator<Item = &Check> {
        let hinders =
            |check: &Check| READABLE.contains(&check.name.as_str()) && matches!(check.outcome, Outcome::Failed(_));
        let checks = self.inspection.iter().flat_map(|inspection| &inspection.checks);
        checks.filter(move |check| self.checking || hinders(check))
    }

    fn header(&self) -> Option<&str> {
        self.inspection.as_ref()?.header.as_deref()
    }

    fn claims(&self) -> Option<&str> {
        self.inspection.as_ref()?.claims.as_deref()
    }

    fn is_flawless(&self) -> bool {
        self.inspection.is_some()
            && self.as_given.is_none()
            && self.checks().all(|check| check.outcome == Outcome::Passed)
    }

    fn to_json(&self) -> Result<String, Error> {
        #[derive(Serialize)]
        struct Findings<'a> {
            as_given: Option<&'a str>,
            hints: &'a [String],
            checks: Vec<&'a Check>,
        }
        let findings =
            Findings { as_given: self.as_given.as_deref(), hints: &self.hints, checks: self.checks().collect() };
        let findings = serde_json::to_string_pretty(&findings);
        let findings = findings.map_err(|error| internal(format!("this cannot be written: {error}")))?;
        let mut text = with_member("{", "warning", &Value::from(NOT_VERIFIED).to_string());
        for (name, part) in [("header", self.header()), ("claims", self.claims())] {
            text = with_member(&text, name, &as_json(part));
        }
        Ok(text.trim_end_matches("\n}").to_owned() + "," + findings.trim_start_matches('{') + "\n")
    }

    fn to_text(&self, now: i64) -> String {
        let mut text = String::new();
        if let Some(refusal) = &self.as_given {
            line(&mut text, &format!("{BAD}Refused as given{BAD:#}: {}", printable(refusal)));
        }
        self.hints.iter().for_each(|hint| line(&mut text, &printable(hint)));
        if self.inspection.is_none() {
            return text;
        }
        if self.as_given.is_some() {
            line(&mut text, "The rest is about the token inside.");
        }
        if !text.is_empty() {
            text.push('\n');
        }
        if self.header().is_some() || self.claims().is_some() {
            line(&mut text, &format!("{DOUBTFUL}NOT VERIFIED: this is what the token says about itself{DOUBTFUL:#}"));
        }
        show_members(&mut text, "Header", self.header(), now);
        show_members(&mut text, "Claims", self.claims(), now);
        let mut checks = self.checks().peekable();
        if checks.peek().is_some() {
            let title = if self.checking { "Checks" } else { "It cannot be read as a token" };
            line(&mut text, &format!("{HEADING}{title}{HEADING:#}"));
            checks.for_each(|check| show_check(&mut text, check));
            text.push('\n');
        }
        text.push_str(match (self.checking, self.is_flawless(), &self.as_given) {
            (false, ..) => WITHOUT_OPTIONS,
            (true, true, _) => "No check failed: an application with these options accepts this token at this time.\n",
            (true, false, None) => "An application with these options refuses this token.\n",
            (true, false, Some(_)) => "An application with these options refuses the text as given.\n",
        });
        if self.checking && !self.is_flawless() {
            line(&mut text, &format!("The causes of each code, and what to change: {ERRORS}"));
        }
        text
    }
}

/// Whether an application can read it as a token, valid or not.
fn is_token(given: &Inspection) -> bool {
    let is_unreadable = |check: &Check| {
        ["token", "size", "form", "header"].contains(&check.name.as_str())
            && matches!(check.outcome, Outcome::Failed(_))
    };
    !given.checks.iter().any(is_unreadable)
}

/// The hints of a token that can be read.
fn explain(inspection: &Inspection, token: &[u8]) -> Vec<String> {
    let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let header: Value = json(&inspection.header).unwrap_or_default();
    let claims: Value = json(&inspection.claims).unwrap_or_default();
    let token = String::from_utf8_lossy(token);
    let signature = token.rsplit('.').next().unwrap_or_default();
    hints::explain_content(&header, &claims, signature).into_iter().map(Into::into).collect()
}

/// The text itself if it is JSON, else a string that holds it.
fn as_json(text: Option<&str>) -> String {
    match text {
        Some(text) if serde_json::from_str::<Value>(text).is_ok() => text.trim().to_owned(),
        other => Value::from(other).to_string(),
    }
}

fn show_members(text: &mut String, title: &str, json: Option<&str>, now: i64) {
    let Some(json) = json else { return };
    line(text, &format!("{HEADING}{title}{HEADING:#}"));
    let Some(members) = members(json) else {
        line(text, &format!("  not a JSON object: {}\n", printable(json)));
        return;
    };
    let width = members.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in members {
        // saturates
        let meaning = value.parse().ok().and_then(|time: f64| time_meaning(&name, time as i64, now));
        let meaning = meaning.map_or(String::new(), |meaning| format!("  {meaning}"));
        line(text, &format!("  {:width$}  {}{meaning}", printable(&name), printable(&value)));
    }
    text.push('\n');
}

/// Each name with its value as written, sorted by name as Pomerium sorts them; none if the text is not an object.
fn members(json: &str) -> Option<Vec<(String, String)>> {
    let members: std::collections::BTreeMap<String, Value> = serde_json::from_str(json).ok()?;
    let written = |name: String| member_text(json, &name).map(|value| (name, value.to_owned()));
    Some(members.into_keys().filter_map(written).collect())
}

/// What a time means now: `Tue, 14 Nov 2023 22:18:20 GMT, expired 5 min ago`.
fn time_meaning(name: &str, time: i64, now: i64) -> Option<String> {
    let (past, future) = match name {
        "exp" => ("expired", "expires"),
        "nbf" => ("began", "begins"),
        "iat" => ("issued", "to be issued"),
        _ => return None,
    };
    let date = times::date(time)?;
    let distance = times::span(time.abs_diff(now));
    Some(if time > now { format!("{date}, {future} in {distance}") } else { format!("{date}, {past} {distance} ago") })
}

fn show_check(text: &mut String, check: &Check) {
    let (style, verdict) = match check.outcome {
        Outcome::Passed => (GOOD, "ok        "),
        Outcome::Failed(_) => (BAD, "FAILED    "),
        _ => (DOUBTFUL, "skipped   "),
    };
    let (name, actual, expected) = (printable(&check.name), printable(&check.actual), printable(&check.expected));
    let start = format!("  {style}{verdict}{style:#}  {name}");
    match &check.outcome {
        Outcome::Passed => line(text, &format!("{start}: {actual}; expected {expected}")),
        Outcome::Failed(error) => {
            let meaning = match error.facts() {
                Some(Facts::Time { claim, value, now, .. }) => time_meaning(claim, *value, *now),
                _ => None,
            };
            line(
                text,
                &format!("{start}: {actual}{}", meaning.map_or(String::new(), |meaning| format!(" ({meaning})"))),
            );
            line(text, &format!("                expected {expected}"));
            line(text, &format!("                {}", printable(&error.to_string())));
            line(text, &format!("                {}", error.code().meaning()));
        }
        _ => line(text, &format!("{start}: expected {expected}")),
    }
}

fn line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}"); // a String takes every write
}
