//! The verifier's options on the command line: one flag for each row of [`OPTIONS`], and their precedence.

use std::ffi::{OsStr, OsString};

use clap::{
    Arg, ArgAction, ArgMatches,
    builder::{NonEmptyStringValueParser, OsStringValueParser},
};
use pomerium_jwt::{Error, OPTIONS, OptionKind, OptionSpec, Options};
use serde_json::{Map, Value};

use crate::{input, report::Failure};

/// At most one of them: one given higher up replaces all below it.
const KEY_SOURCES: [&str; 5] = ["jwks_url", "jwks", "jwks_file", "public_key", "public_key_file"];

/// The options that say how keys are fetched.
const FETCH: [&str; 5] = ["ca_file", "ca_pem", "connect_to", "timeout", "allow_http"];

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

/// A flag for each option that says how keys are fetched.
pub(crate) fn fetch_flags() -> Vec<Arg> {
    OPTIONS.iter().filter(|spec| FETCH.contains(&spec.name)).map(flag).collect()
}

/// How to fetch from this address, by environment and flags.
pub(crate) fn read_for_fetch(matches: &ArgMatches, url: &str) -> Result<Options, Failure> {
    let given = merge(&[Options::from_env()?, from_flags(matches)?])?;
    let mut options = Options::default();
    options.jwks_url = Some(url.to_owned());
    options.ca_file = given.ca_file;
    options.ca_pem = given.ca_pem;
    options.connect_to = given.connect_to;
    options.timeout = given.timeout;
    options.allow_http = given.allow_http;
    Ok(options)
}

/// The options of environment, document and flags, the later ones overriding the earlier ones.
pub(crate) fn read(matches: &ArgMatches) -> Result<Options, Failure> {
    let layers = [Options::from_env()?, from_document(matches)?, from_flags(matches)?];
    Ok(merge(&layers)?)
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
    let default = match spec.default {
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

/// A flag's text means what the same text in the environment means.
fn from_flags(matches: &ArgMatches) -> Result<Options, Failure> {
    let mut layers = Vec::new();
    for spec in OPTIONS {
        // a command has the flags it needs
        let Ok(Some(values)) = matches.try_get_many::<String>(spec.name) else { continue };
        let text = values.map(String::as_str).collect::<Vec<_>>().join(",");
        let variable = format!("POMERIUM_JWT_{}", spec.name.to_ascii_uppercase());
        let layer = Options::from_variables([(OsString::from(&variable), text.into())]).map_err(|error| {
            let flag = format!("--{}", spec.name.replace('_', "-"));
            Failure::new(error.code(), error.message().replacen(&variable, &flag, 1))
        })?;
        layers.push(layer);
    }
    let mut flags = Map::new();
    layers.iter().for_each(|layer| flags.extend(members(layer)));
    Ok(Options::from_json(Value::Object(flags).to_string())?)
}

fn merge(layers: &[Options]) -> Result<Options, Error> {
    let mut merged = Map::new();
    for layer in layers.iter().map(members) {
        if KEY_SOURCES.iter().any(|source| layer.contains_key(*source)) {
            merged.retain(|name, _| !KEY_SOURCES.contains(&name.as_str()));
        }
        merged.extend(layer);
    }
    Options::from_json(Value::Object(merged).to_string())
}

fn members(options: &Options) -> Map<String, Value> {
    serde_json::from_str(&options.to_json()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_source_of_the_core_is_known_here() {
        for source in KEY_SOURCES {
            assert!(OPTIONS.iter().any(|spec| spec.name == source), "{source} is no option any more");
        }
    }

    #[test]
    fn the_later_layer_wins_and_its_key_source_replaces_the_earlier_one() {
        let table = [
            ([r#"{"leeway":1,"timeout":2}"#, r#"{"leeway":3}"#, "{}"], r#"{"leeway":3,"timeout":2}"#),
            ([r#"{"audience":["a"]}"#, "{}", r#"{"audience":["b","c"]}"#], r#"{"audience":["b","c"]}"#),
            (
                [r#"{"jwks_url":"https://a/"}"#, r#"{"jwks_file":"f"}"#, r#"{"public_key":"k"}"#],
                r#"{"public_key":"k"}"#,
            ),
            ([r#"{"jwks_file":"f"}"#, r#"{"leeway":0}"#, "{}"], r#"{"jwks_file":"f","leeway":0}"#),
            // two in one layer stay two: the verifier refuses them
            (["{}", "{}", r#"{"jwks_file":"f","public_key":"k"}"#], r#"{"jwks_file":"f","public_key":"k"}"#),
        ];
        for (layers, expected) in table {
            let layers = layers.map(|text| Options::from_json(text).expect(text));
            let expected = Options::from_json(expected).expect(expected);
            assert_eq!(merge(&layers), Ok(expected), "{layers:?}");
        }
    }
}
