//! The command line: which commands there are and what each takes.

use clap::{Arg, ArgAction, ArgMatches, Command, builder::OsStringValueParser, value_parser};
use clap_complete::Shell;

use crate::{issuer, options};

const EXIT_CODES: &str = "Exit codes: 0 verified, 1 refused, 2 usage or options, 3 keys unavailable, 70 internal.";

fn precedence() -> String {
    format!(
        "A flag beats --options, and --options beats the environment, in which each option is the variable \
         POMERIUM_JWT_<OPTION>, such as POMERIUM_JWT_ROUTE. A key source ({}) replaces one of lower precedence.",
        options::key_sources()
    )
}

pub(crate) fn command() -> Command {
    Command::new("pomerium-jwt")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Verifies the JWT that Pomerium puts into X-Pomerium-Jwt-Assertion, and explains it")
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands([verify(), inspect(), keys(), demo(), issuer::command(), completions(), man()])
}

/// Whether `--json` was given to a command that has it.
pub(crate) fn json(matches: &ArgMatches) -> bool {
    matches.try_get_one::<bool>("json").ok().flatten().is_some_and(|json| *json)
}

/// `--at`.
pub(crate) fn at(matches: &ArgMatches) -> Option<i64> {
    matches.get_one("at").copied()
}

fn verify() -> Command {
    Command::new("verify")
        .about("Says who sent a token: the identity as JSON, or why the token is refused")
        .args([token(), at_flag()])
        .arg(json_flag("Print a refusal on standard output too, as {\"code\",\"number\",\"kind\",\"message\"}"))
        .args(options::flags())
        .after_help(EXIT_CODES)
        .after_long_help(format!("{}\n\n{EXIT_CODES}", precedence()))
}

fn inspect() -> Command {
    const EXIT_CODES: &str = "Exit codes: 0 it could be read and no check failed, 1 otherwise, 2 usage or options.";
    Command::new("inspect")
        .about("Shows what a token says, NOT VERIFIED; with options, every check and what to change")
        .args([token(), at_flag(), json_flag("Print everything as one JSON object")])
        .args(options::flags())
        .after_help(EXIT_CODES)
        .after_long_help(format!(
            "Nothing of the token leaves this machine. Where keys are fetched, the request does not depend on it.\n\n\
             {}\n\n{EXIT_CODES}",
            precedence()
        ))
}

fn keys() -> Command {
    Command::new("keys")
        .about("Lists the keys of a JWK Set, or the key of a PEM file or certificate: which are usable, and why not")
        .arg(
            Arg::new("file")
                .value_name("FILE|URL")
                .required(true)
                .value_parser(OsStringValueParser::new())
                .help("Where /.well-known/pomerium/jwks.json is, or a file of it, or PEM; - for standard input"),
        )
        .arg(json_flag("Print the keys as one JSON object"))
        .args(options::fetch_flags())
        .after_help(
            "Exit codes: 0 there is a usable key, 3 there is none or the URL gives none, 2 the file cannot be read.",
        )
}

fn demo() -> Command {
    Command::new("demo").about("Makes a key, mints and verifies tokens, and shows what is refused and why")
}

fn completions() -> Command {
    Command::new("completions")
        .about("Prints the completions for a shell, to be put where it looks for them")
        .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell)))
}

fn man() -> Command {
    Command::new("man").about("Prints the manual page, or that of one command, for `man -l -`").arg(
        Arg::new("command")
            .value_name("COMMAND")
            .help("verify, inspect, keys, ...")
            .value_parser(value_parser!(String)),
    )
}

fn token() -> Arg {
    Arg::new("token")
        .value_name("TOKEN")
        .value_parser(OsStringValueParser::new())
        .help("The header's value; without it, or with -, standard input (other users of this machine see arguments)")
}

fn at_flag() -> Arg {
    Arg::new("at")
        .long("at")
        .value_name("UNIX_TIME")
        .value_parser(value_parser!(i64).range(0..1 << 53))
        .help("Judge at this time, in seconds since 1970, instead of now")
}

fn json_flag(help: &'static str) -> Arg {
    Arg::new("json").long("json").action(ArgAction::SetTrue).help(help)
}
