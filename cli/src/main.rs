//! `pomerium-jwt`: verifies and explains Pomerium's tokens at a terminal.
//!
//! A command computes a [`Report`]; this file prints it and ends the process. Only `issuer`, `serve` and `dev`
//! print by themselves, while they serve.
#![forbid(unsafe_code)]

mod arguments;
mod demo;
mod dev;
mod doctor;
mod hints;
mod input;
mod inspect;
mod issuer;
mod keys;
mod manual;
mod options;
mod paste;
mod proxy;
mod report;
mod serve;
mod times;
mod verify;
mod wording;

use std::{
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

use clap::ArgMatches;

use report::{Report, internal};

fn main() -> ExitCode {
    let matches = match arguments::matches(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => return refuse_usage(&error),
    };
    let (report, json) = match matches.subcommand() {
        Some((name, matches)) => (guarded(name, matches), arguments::json(matches)),
        None => unreachable!("clap demands a subcommand"),
    };
    match print(&report, json) {
        Ok(()) => ExitCode::from(report.exit_code),
        // The reader has closed the pipe, as `head` does: the answer is still the answer
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(report.exit_code),
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "internal: the output could not be written: {error}");
            ExitCode::from(report::INTERNAL)
        }
    }
}

/// Prints clap's help to standard output, or its complaint to standard error.
fn refuse_usage(error: &clap::Error) -> ExitCode {
    let text = error.render().ansi().to_string();
    // The reader may be gone
    let _ = if error.use_stderr() {
        let hint = arguments::hint(error, std::env::args_os().nth(1))
            .map_or(String::new(), |hint| format!("\nhint: {hint}\n"));
        write!(anstream::stderr(), "{}{hint}", paste::without_tokens(&text))
    } else {
        write!(anstream::stdout(), "{text}")
    };
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(report::USAGE))
}

/// Gives a bug of this program its own exit code, so that scripts do not take it for a refusal.
fn guarded(name: &str, matches: &ArgMatches) -> Report {
    catch_unwind(AssertUnwindSafe(|| run(name, matches)))
        .unwrap_or_else(|_| Report::from(internal("a panic: please report the message above")))
}

fn run(name: &str, matches: &ArgMatches) -> Report {
    let outcome = match name {
        "verify" => verify::run(matches),
        "inspect" => inspect::run(matches),
        "keys" => keys::run(matches),
        "dev" => dev::run(matches),
        "doctor" => doctor::run(matches),
        "demo" => demo::run(),
        "issuer" => issuer::run(matches),
        "serve" => serve::run(matches),
        "completions" => manual::completions(matches),
        "man" => manual::page(matches),
        other => Err(internal(format!("the command {other} has no function"))),
    };
    outcome.unwrap_or_else(Report::from)
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(report.output.as_bytes())?;
    if let Some(failure) = &report.failure {
        if json {
            writeln!(stdout, "{}", report::to_json(failure))?;
        }
        writeln!(anstream::stderr(), "{}", report::styled(failure))?;
    }
    stdout.flush()
}
