//! What goes to the log, and what does not.

use crate::http::{
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
            let errors = running.printed.errors();
            if says(&errors, &summary) {
                return Ok(());
            }
            Err(format!("standard error does not hold the core's summary: {summary}\nbut:\n{errors}"))
        }),
    ]
}

/// After all others.
pub(crate) fn at_end() -> Vec<Case> {
    vec![
        script("log-warns-of-refusals", |running| {
            let errors = running.printed.errors();
            let unsaid: Vec<&str> =
                ["token_missing", "token_malformed"].into_iter().filter(|code| !errors.contains(code)).collect();
            if unsaid.is_empty() {
                return Ok(());
            }
            Err(format!("standard error does not warn of {}:\n{errors}", unsaid.join(" and ")))
        }),
        script("log-is-not-flooded", |running| {
            let errors = running.printed.errors();
            let lines = errors.lines().filter(|line| line.contains("token_missing")).count();
            // At most one a second for the same code, and this start takes less than that
            if lines <= 30 { Ok(()) } else { Err(format!("{lines} lines warn of token_missing: one a second is enough")) }
        }),
        script("log-without-tokens", without_tokens),
        script("output-is-one-line", |running| {
            let output = running.printed.output();
            if output.lines().count() == 1 { Ok(()) } else { Err(format!("standard output holds more:\n{output}")) }
        }),
    ]
}

fn without_tokens(running: &Running<'_>) -> Result<(), String> {
    let (output, errors) = (running.printed.output(), running.printed.errors());
    if running.world.gives_away(&output) || running.world.gives_away(&errors) {
        return Err("a token stands in the log: whoever reads it can use it".to_owned());
    }
    Ok(())
}
