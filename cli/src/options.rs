//! The verifier's options on the command line: one flag for each row of [`OPTIONS`], and their precedence.

use std::ffi::{OsStr, OsString};

use clap::{
    Arg, ArgAction, ArgMatches,
    builder::{NonEmptyStringValueParser, OsStringValueParser},
};
use pomerium_jwt::{OPTIONS, OptionGroup, OptionKind, OptionSpec, Options};
use serde_json::{Map, Value};

use crate::{input, report::Failure};

/// Their values begin with hyphens, as flags do.
const PEM: [&str; 2] = ["public_key", "ca_pem"];

const DOCUMENT: &str = "options";

/// `--options`, then a flag for each option.
pub(crate) fn flags() -> Vec<Arg> {
    let document = Arg::new(DOCUMENT)
        .long(DOCUMENT)
        .value_name("FILE")
        .value_parser(OsStringValueParser::new())
        .help_heading(HEADING)
        .help("The options as a JSON document, names in snake_case; - for standard input");
    [document].into_iter().chain(OPTIONS.iter().map(flag)).collect()
}

/// The flags that say where the keys come from.
pub(crate) fn key_sources() -> String {
    let sources = OPTIONS.iter().filter(|spec| spec.group == OptionGroup::Keys);
    sources.map(flag_name).collect::<Vec<_>>().join(", ")
}

/// A flag for each option that says how keys are fetched.
pub(crate) fn fetch_flags() -> Vec<Arg> {
    OPTIONS.iter().filter(|spec| spec.group == OptionGroup::Fetch).map(flag).collect()
}

/// How to fetch from this URL, by environment and flags: the other options say nothing about it.
pub(crate) fn read_for_fetch(matches: &ArgMatches, url: &str) -> Result<Options, Failure> {
    let (given, _) = from_flags(matches)?.over(Options::from_env()?);
    let mut members = members(&given);
    members.retain(|name, _| OPTIONS.iter().any(|spec| spec.name == name && spec.group == OptionGroup::Fetch));
    members.insert("jwks_url".to_owned(), url.into());
    Ok(Options::from_json(Value::Object(members).to_string())?)
}

/// The options of environment, document and flags, the later ones overriding the earlier ones.
pub(crate) fn read(matches: &ArgMatches) -> Result<Options, Failure> {
    let (above_environment, _) = from_document(matches)?.over(Options::from_env()?);
    let (options, _) = from_flags(matches)?.over(above_environment);
    Ok(options)
}

/// Whether the options document is standard input, which then cannot be the token.
pub(crate) fn use_standard_input(matches: &ArgMatches) -> bool {
    document(matches).is_some_and(|path| path == input::STDIN)
}

const HEADING: &str = "Options of the verifier (in the environment POMERIUM_JWT_<OPTION>; see --help)";

fn flag(spec: &'static OptionSpec) -> Arg {
    let meaning = spec.meaning.replace('\n', " ");
    let meaning = meaning.trim().trim_end_matches('.');
    let short = meaning.split(". ").next().unwrap_or(meaning).to_owned();
    let default = match spec.default().as_str() {
        "null" => String::new(),
        text => format!(" [default: {}]", text.trim_matches(['[', ']']).replace('"', "")),
    };
    let arg = Arg::new(spec.name)
        .long(spec.name.replace('_', "-"))
        .help_heading(HEADING)
        .help(format!("{short}{default}"))
        .long_help(format!("{meaning}.{default}{}", range(&spec.kind)))
        .allow_hyphen_values(PEM.contains(&spec.name))
        .value_parser(NonEmptyStringValueParser::new());
    match spec.kind {
        OptionKind::List => arg.value_name("VALUE,...").action(ArgAction::Append),
        OptionKind::Flag => {
            arg.value_name("BOOLEAN").num_args(0..=1).require_equals(true).default_missing_value("true")
        }
        OptionKind::Seconds(_) => arg.value_name("SECONDS"),
        OptionKind::Integer(_) => arg.value_name("NUMBER"),
        OptionKind::JwkSet | OptionKind::Claims => arg.value_name("JSON"),
        OptionKind::Text if spec.name.ends_with("_file") => arg.value_name("FILE"),
        OptionKind::Text => arg.value_name("TEXT"),
    }
}

fn range(kind: &OptionKind) -> String {
    match kind {
        OptionKind::Seconds(range) | OptionKind::Integer(range) => format!(" [{} to {}]", range.start(), range.end()),
        _ => String::new(),
    }
}

fn document(matches: &ArgMatches) -> Option<&OsStr> {
    matches.get_one::<OsString>(DOCUMENT).map(OsString::as_os_str)
}

fn from_document(matches: &ArgMatches) -> Result<Options, Failure> {
    let Some(path) = document(matches) else { return Ok(Options::default()) };
    let text = input::read(path)?;
    Options::from_json(text).map_err(|error| {
        Failure::new(error.code(), format!("--options {}: {}", path.to_string_lossy(), error.message()))
    })
}

/// A flag's text means what the same text in the environment means; a list given twice is one list.
fn from_flags(matches: &ArgMatches) -> Result<Options, Failure> {
    let mut members = Map::new();
    for spec in OPTIONS {
        // a command has the flags it needs
        let Ok(Some(texts)) = matches.try_get_many::<String>(spec.name) else { continue };
        for text in texts {
            match (members.get_mut(spec.name), from_flag(spec, text)?) {
                (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
                (_, value) => drop(members.insert(spec.name.to_owned(), value)),
            }
        }
    }
    Ok(Options::from_json(Value::Object(members).to_string())?)
}

fn from_flag(spec: &OptionSpec, text: &str) -> Result<Value, Failure> {
    let variable = spec.variable();
    let options = Options::from_variables([(OsString::from(&variable), text.into())])
        .map_err(|error| Failure::new(error.code(), error.message().replacen(&variable, &flag_name(spec), 1)))?;
    Ok(members(&options).remove(spec.name).unwrap_or_default())
}

fn flag_name(spec: &OptionSpec) -> String {
    format!("--{}", spec.name.replace('_', "-"))
}

fn members(options: &Options) -> Map<String, Value> {
    serde_json::from_str(&options.to_json()).unwrap_or_default()
}
