//! The command line: its commands and their arguments.

use std::ffi::OsString;

use clap::{
    Arg, ArgMatches, Command, ValueHint,
    builder::{BoolishValueParser, OsStringValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
    value_parser,
};
use clap_complete::Shell;
use pomerium_jwt::Options;
use serde_json::json;

use crate::{dev, doctor, issuer, options, serve, wording};

const EXIT_CODES: &str = "Exit codes: 0 verified, 1 refused, 2 usage or options, 3 keys unavailable, 70 internal.";

pub(crate) fn precedence() -> String {
    format!(
        "A flag beats --options, and --options beats the environment, in which each option is the variable \
         POMERIUM_JWT_<OPTION>, such as POMERIUM_JWT_ROUTE. A key source ({}) replaces one of lower precedence.",
        options::key_sources()
    )
}

pub(crate) fn command() -> Command {
    Command::new("pomerium-jwt")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Verify and explain the JWT that Pomerium puts into X-Pomerium-Jwt-Assertion")
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands([
            verify(),
            inspect(),
            keys(),
            doctor::command(),
            serve::command(),
            dev::command(),
            demo(),
            issuer::command(),
            completions(),
            man(),
        ])
}

/// Parses the command line.
///
/// # Errors
/// clap's error: the help that was asked for, or a complaint.
pub(crate) fn matches(arguments: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, clap::Error> {
    command().try_get_matches_from(with_booleans(arguments))
}

/// What to write instead of a flag that is known from elsewhere, such as Grafana's `jwk_set_file`.
pub(crate) fn hint(error: &clap::Error, command_name: Option<OsString>) -> Option<String> {
    let has_options = |command: &Command| command.get_arguments().any(|arg| arg.get_id() == options::DOCUMENT);
    command().find_subcommand(command_name?).filter(|command| has_options(command))?;
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = flag.strip_prefix("--").filter(|_| error.kind() == ErrorKind::UnknownArgument)?.replace('-', "_");
    let refusal = Options::from_json(json!({ name: true }).to_string()).err()?;
    let (_, advice) = refusal.message().split_once(": ")?;
    Some(wording::reword(advice, wording::flag))
}

/// Joins `--json true` to `--json=true`. clap can only treat every text after a flag as its value, even a token, or none,
/// and then `true` is the token.
fn with_booleans(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let is_flag = |name: &str| name == "json" || options::is_boolean(name);
    let mut joined: Vec<OsString> = Vec::new();
    for argument in arguments {
        let value = argument.to_str().filter(|text| BOOLEANS.iter().any(|word| word.eq_ignore_ascii_case(text)));
        match (joined.last_mut(), value) {
            (Some(flag), Some(value))
                if flag.to_str().and_then(|flag| flag.strip_prefix("--")).is_some_and(is_flag) =>
            {
                flag.push(format!("={value}"));
            }
            _ => joined.push(argument),
        }
    }
    joined
}

const BOOLEANS: [&str; 4] = ["true", "false", "1", "0"];

/// Whether `--json` was given to a command that has it.
pub(crate) fn json(matches: &ArgMatches) -> bool {
    matches.try_get_one("json").ok().flatten().is_some_and(|json| *json)
}

/// `--at`.
pub(crate) fn at(matches: &ArgMatches) -> Option<i64> {
    matches.get_one("at").copied()
}

fn verify() -> Command {
    Command::new("verify")
        .about("Print the identity in a token as JSON, or why the token is refused")
        .args([
            token("TOKEN").help(
                "The header's value; without it, or with -, standard input (other users of this machine can see \
                 arguments). White space around it and the header's name before it are ignored, nothing else: see inspect",
            ),
            at_flag(),
        ])
        .arg(json_flag("Print a refusal to standard output too, as {\"code\",\"number\",\"kind\",\"message\"}"))
        .args(options::flags())
        .after_help(EXIT_CODES)
        .after_long_help(format!("{}\n\n{EXIT_CODES}", precedence()))
}

fn inspect() -> Command {
    const EXIT_CODES: &str = "Exit codes: 0 the token was read and no check failed, 1 otherwise, 2 usage or options.";
    Command::new("inspect")
        .about("Show what a token says, NOT VERIFIED; with options, every check and what to change")
        .args([
            token("TEXT|FILE").value_hint(ValueHint::FilePath).help(
                "Text that holds the token: its header line, the output of curl -v, a URL, JSON, or the name of a file; \
                 without it, or with -, standard input (other users of this machine can see arguments)",
            ),
            at_flag(),
            json_flag("Print everything as one JSON object"),
        ])
        .args(options::flags())
        .after_help(EXIT_CODES)
        .after_long_help(format!(
            "The token does not leave this machine. If keys are fetched, the request does not depend on it.\n\n\
             {}\n\n{EXIT_CODES}",
            precedence()
        ))
}

fn keys() -> Command {
    Command::new("keys")
        .about("List the keys of a JWK Set, or the key of a PEM file or certificate, and why a key is not usable")
        .arg(
            Arg::new("file")
                .value_name("FILE|URL")
                .value_hint(ValueHint::FilePath)
                .required(true)
                .value_parser(OsStringValueParser::new())
                .help(
                    "The URL of the application (/.well-known/pomerium/jwks.json is added) or of a JWK Set, or a file \
                     with a JWK Set or PEM; - for standard input",
                ),
        )
        .arg(json_flag("Print the keys as one JSON object"))
        .args(options::fetch_flags())
        .after_help(
            "Exit codes: 0 there is a usable key, 3 there is none or the fetch failed, 2 the file cannot be read.",
        )
}

fn demo() -> Command {
    Command::new("demo").about("Make a key, mint and verify tokens, and show which tokens are refused and why")
}

fn completions() -> Command {
    Command::new("completions")
        .about("Print the completions for a shell")
        .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell)))
}

fn man() -> Command {
    Command::new("man").about("Print the manual page of the program or of one command, for `man -l -`").arg(
        Arg::new("command")
            .value_name("COMMAND")
            .help("verify, inspect, keys, ...")
            .value_parser(value_parser!(String)),
    )
}

/// Several arguments are one text, so that a header line needs no quotation marks.
fn token(name: &'static str) -> Arg {
    Arg::new("token").value_name(name).num_args(1..).value_parser(OsStringValueParser::new())
}

fn at_flag() -> Arg {
    Arg::new("at")
        .long("at")
        .value_name("UNIX_TIME")
        .value_parser(value_parser!(i64).range(0..1 << 53))
        .help("Verify as of this time, in seconds since 1970, instead of now")
}

pub(crate) fn json_flag(help: &'static str) -> Arg {
    options::boolean(Arg::new("json").long("json"))
        .value_parser(BoolishValueParser::new())
        .hide_possible_values(true)
        .help(help)
}
