//! The HTTP suite: starts an application, speaks HTTP/1.1 to it byte by byte, compares every answer.
//!
//! `conformance/http.md` says what an application must offer. The cases are in `cases/`, what an application is started
//! with in `starts.rs`, what a framework or server cannot do in `limits.rs`.

mod applications;
mod case;
mod cases;
mod expect;
mod limits;
mod process;
mod starts;
mod timed;
mod wire;
mod world;

use std::{path::PathBuf, sync::Arc, thread, time::Instant};

pub use applications::{Listed, listed};
pub use case::Feature;

use case::{Case, Check, Running};
use limits::{Instead, Limit};
use process::Process;
use starts::Start;
use world::World;

/// An application under test.
#[derive(Debug, Clone)]
pub struct Application {
    /// As it stands in the list and in the table of limits.
    pub name: String,
    /// Where it is started.
    pub folder: PathBuf,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// What its framework and server have.
    pub features: &'static [Feature],
}

/// How a suite went.
#[derive(Debug)]
pub struct Report {
    /// The application.
    pub name: String,
    /// Cases that had their outcome.
    pub cases: usize,
    /// Cases that are not possible, each with its reason in the table of limits.
    pub not_possible: usize,
    /// One text for each difference.
    pub failures: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    /// `http: NAME N cases, M not possible`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("http: {} {} cases, {} not possible", self.name, self.cases, self.not_possible)
    }
}

/// Runs the suite, or of it the cases whose id begins with `only`.
///
/// # Errors
/// What keeps it from running at all, in a sentence.
pub fn run(application: &Application, only: &str) -> Result<Report, String> {
    let begin = Instant::now();
    let world = Arc::new(World::new()?);
    let plan = starts::plan(&world)?;
    let mut report = Report {
        name: application.name.clone(),
        cases: 0,
        not_possible: 0,
        failures: limits::unknown_ids(application, &plan),
        seconds: 0.0,
    };
    // The timed cases sleep most of the time: the others run meanwhile
    let (timed, others): (Vec<Start>, Vec<Start>) = plan.into_iter().partition(|start| start.timed);
    let outcomes = thread::scope(|scope| {
        let timed = scope.spawn(|| run_starts(application, &world, timed, only));
        let mut outcomes = run_starts(application, &world, others, only);
        outcomes.extend(timed.join().expect("the timed cases do not panic"));
        outcomes
    });
    for (id, outcome) in outcomes {
        match outcome {
            Ok(Outcome::Held) => report.cases += 1,
            Ok(Outcome::NotPossible) => report.not_possible += 1,
            Err(why) => report.failures.push(format!("{}: {id}: {why}", application.name)),
        }
    }
    report.seconds = begin.elapsed().as_secs_f64();
    Ok(report)
}

/// How many cases there are, and their ids in the order in which they run.
///
/// # Errors
/// If no issuer can be started.
pub fn ids() -> Result<Vec<String>, String> {
    let plan = starts::plan(&Arc::new(World::new()?))?;
    Ok(plan.iter().flat_map(|start| start.cases.iter().map(|case| case.id.clone())).collect())
}

/// The codes that single requests must be refused with.
///
/// # Errors
/// If no issuer can be started.
pub fn codes() -> Result<Vec<&'static str>, String> {
    let plan = starts::plan(&Arc::new(World::new()?))?;
    let cases = plan.iter().flat_map(|start| &start.cases);
    let code = |case: &Case| match case.check {
        Check::Exchange { expect: case::Expect::Refused(code), .. } => Some(code),
        _ => None,
    };
    Ok(cases.filter_map(code).collect())
}

/// How often an application is started in one suite.
///
/// # Errors
/// If no issuer can be started.
pub fn start_count() -> Result<usize, String> {
    Ok(starts::plan(&Arc::new(World::new()?))?.len())
}

enum Outcome {
    Held,
    NotPossible,
}

type Outcomes = Vec<(String, Result<Outcome, String>)>;

fn run_starts(application: &Application, world: &Arc<World>, starts: Vec<Start>, only: &str) -> Outcomes {
    let mut outcomes = Vec::new();
    for mut start in starts {
        start.cases.retain(|case| case.id.starts_with(only));
        if !start.cases.is_empty() {
            outcomes.extend(run_start(application, world, &start));
        }
    }
    outcomes
}

fn run_start(application: &Application, world: &Arc<World>, start: &Start) -> Outcomes {
    let named = |case: &Case| format!("{} (start {})", case.id, start.name);
    if let Some(sentence) = &start.refused {
        let judged = starts::refuses(application, &start.environment, sentence);
        return start.cases.iter().map(|case| (named(case), judged.clone().map(|()| Outcome::Held))).collect();
    }
    let since = Instant::now();
    let (mut process, address) = match Process::listening(application, &start.environment) {
        Ok(started) => started,
        Err(why) => return start.cases.iter().map(|case| (named(case), Err(why.clone()))).collect(),
    };
    let running = Running { application, address, world, printed: process.printed.clone(), since };
    let mut outcomes: Outcomes = start.cases.iter().map(|case| (named(case), judge(&running, case))).collect();
    if let Some(status) = process.exited() {
        let why = format!("the application has ended ({status}): no request may do that\n{}", process.printed.errors());
        outcomes.push((format!("alive (start {})", start.name), Err(why)));
    }
    outcomes
}

/// The case, or what stands in the table of limits instead of it.
fn judge(running: &Running<'_>, case: &Case) -> Result<Outcome, String> {
    let limit = limits::limit(running.application, case);
    let Some(Limit { instead, reason, .. }) = limit else {
        return match &case.check {
            Check::Exchange { request, expect } => running.expect(&case::Exchange(request.clone(), expect.clone())),
            Check::Script(script) => script(running),
        }
        .map(|()| Outcome::Held);
    };
    if matches!(case.check, Check::Script(_)) && *instead != Instead::NotRun {
        return Err("its line in limits.rs cannot be held against a script: what is not run there is NotRun".to_owned());
    }
    if let (Check::Exchange { request, expect }, true) = (&case.check, *instead != Instead::NotRun) {
        let answer = running.ask(request)?;
        let stale = expect::compare(&answer, expect, request.is_head()).is_ok();
        if stale {
            return Err(format!("it is possible: delete its line from limits.rs, which says \"{reason}\""));
        }
        limits::compare(instead, &answer, request.is_head()).map_err(|why| {
            let shown = expect::response(&answer).map(expect::shown);
            format!("{why}, because \"{reason}\"\n    the request: {}\n    the answer: {shown:?}", request.shown())
        })?;
    }
    Ok(Outcome::NotPossible)
}
