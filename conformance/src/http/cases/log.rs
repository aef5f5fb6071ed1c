//! What goes to the log, and what does not.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::http::{
    applications,
    case::{Case, Running, script},
    starts::says,
};

/// Before any request.
pub(crate) fn at_start(summary: String) -> Vec<Case> {
    vec![
        script("start-asks-for-no-keys", |running| match running.world.issuer.fetches() {
            0 => Ok(()),
            fetches => Err(format!("{fetches} fetches before the first request: starting needs no network")),
        }),
        script("start-line", move |running| {
            logged(running, &format!("the core's summary: {summary}"), |log| says(log, &summary))
        }),
    ]
}

/// After all others.
pub(crate) fn at_end() -> Vec<Case> {
    let warns = |code: &'static str| {
        script(format!("log-warns-of-{}", code.replace('_', "-")), move |running| {
            logged(running, &format!("a warning of {code}"), |log| log.contains(code))
        })
    };
    vec![
        warns("token_missing"),
        warns("token_malformed"),
        warns("token_repeated"),
        script("log-is-not-flooded", not_flooded),
        script("log-without-tokens", without_tokens),
        script("output-is-one-line", |running| {
            let output = running.printed.output();
            if output.lines().count() == 1 { Ok(()) } else { Err(format!("standard output holds more:\n{output}")) }
        }),
    ]
}

/// Standard error holds it, or will in a moment: it comes another way than the answer.
fn logged(running: &Running<'_>, what: &str, holds: impl Fn(&str) -> bool) -> Result<(), String> {
    let begin = Instant::now();
    loop {
        let errors = running.printed.errors();
        if holds(&errors) {
            return Ok(());
        }
        if begin.elapsed() > Duration::from_secs(3) {
            return Err(format!("standard error does not hold {what}\nbut:\n{errors}"));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// At most one line a second for the same code: clients choose how often they ask, and for what.
fn not_flooded(running: &Running<'_>) -> Result<(), String> {
    let processes = applications::processes(&running.application.name);
    let most = usize::try_from(processes * (running.since.elapsed().as_secs() + 2)).unwrap_or(usize::MAX);
    let lines = running.printed.errors().lines().filter(|line| line.contains("token_missing")).count();
    if lines <= most { Ok(()) } else { Err(format!("{lines} lines warn of token_missing, and one a second is enough")) }
}

fn without_tokens(running: &Running<'_>) -> Result<(), String> {
    if running.world.gives_away(&running.printed.output()) || running.world.gives_away(&running.printed.errors()) {
        return Err("the log holds a token, which anyone who reads it can use".to_owned());
    }
    Ok(())
}
