//! `completions` and `man`, as clap generates them.

use clap::{ArgMatches, Command};
use clap_complete::Shell;

use pomerium_jwt::Error;

use crate::{
    arguments,
    report::{Report, internal, invalid},
};

pub(crate) fn completions(matches: &ArgMatches) -> Result<Report, Error> {
    let shell: Shell = *matches.get_one("shell").ok_or_else(|| internal("no shell was given"))?;
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut arguments::command(), "pomerium-jwt", &mut bytes);
    to_report(bytes)
}

pub(crate) fn page(matches: &ArgMatches) -> Result<Report, Error> {
    let mut all = arguments::command();
    all.build(); // gives each command its full name
    let command = match matches.get_one::<String>("command") {
        None => all,
        Some(name) => named(&all, name)?,
    };
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut bytes)
        .map_err(|error| internal(format!("the page cannot be written: {error}")))?;
    to_report(bytes)
}

fn named(all: &Command, name: &str) -> Result<Command, Error> {
    all.find_subcommand(name).cloned().ok_or_else(|| {
        let names: Vec<&str> = all.get_subcommands().map(Command::get_name).collect();
        invalid(format!("the command {name} does not exist: write one of {}", names.join(", ")))
    })
}

fn to_report(bytes: Vec<u8>) -> Result<Report, Error> {
    String::from_utf8(bytes).map(Report::from).map_err(|_| internal("clap wrote text that is not UTF-8"))
}
