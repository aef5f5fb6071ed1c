//! The verifier's options on the command line: one flag for each row of [`OPTIONS`], and their precedence.

use std::ffi::{OsStr, OsString};

use clap::{
    Arg, ArgAction, ArgMatches, ValueHint,
    builder::{NonEmptyStringValueParser, OsStringValueParser},
};
use pomerium_jwt::{Error, OPTIONS, OptionGroup, OptionKind, OptionSpec, Options, Verifier};
use serde_json::{Map, Value};

use crate::{input, wording};

/// Their values begin with hyphens, as flags do.
const PEM: [&str; 2] = ["public_key", "ca_pem"];

/// The flag for a document of options.
pub(crate) const DOCUMENT: &str = "options";

/// `--options`, then a flag for each option.
pub(crate) fn flags() -> Vec<Arg> {
    let document = Arg::new(DOCUMENT)
        .long(DOCUMENT)
        .value_name("FILE")
        .value_hint(ValueHint::FilePath)
        .value_parser(OsStringValueParser::new())
        .help_heading(HEADING)
        .help("The options as a JSON document, names in snake_case; - for standard input");
    [document].into_iter().chain(OPTIONS.iter().map(flag)).collect()
}

/// The flags for key sources.
pub(crate) fn key_sources() -> String {
    let sources = OPTIONS.iter().filter(|spec| spec.group == OptionGroup::Keys);
    sources.map(wording::flag).collect::<Vec<_>>().join(", ")
}

/// A flag for each option about fetching.
pub(crate) fn fetch_flags() -> Vec<Arg> {
    OPTIONS.iter().filter(|spec| spec.group == OptionGroup::Fetch).map(flag).collect()
}

/// Options and the layer that each came from.
pub(crate) struct Given {
    pub(crate) options: Options,
    environment: Map<String, Value>,
    document: Map<String, Value>,
    flags: Map<String, Value>,
}

impl Given {
    /// The options of environment, document and flags, the later ones overriding the earlier ones.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Self, Error> {
        let (environment, document, flags) = (Options::from_env()?, from_document(matches)?, from_flags(matches)?);
        let parts = [&environment, &document, &flags].map(members);
        let (options, _) = document.over(environment);
        let (options, _) = flags.over(options);
        let [environment, document, flags] = parts;
        Ok(Self { options, environment, document, flags })
    }

    /// The options for a fetch from this URL; all others are ignored.
    pub(crate) fn for_fetch(matches: &ArgMatches, url: &str) -> Result<Self, Error> {
        let mut given = Self::read(matches)?;
        let mut members = members(&given.options);
        members.retain(|name, _| OPTIONS.iter().any(|spec| spec.name == name && spec.group == OptionGroup::Fetch));
        members.insert("jwks_url".to_owned(), url.into());
        given.options = Options::from_json(Value::Object(members).to_string())?;
        Ok(given)
    }

    pub(crate) fn verifier(&self) -> Result<Verifier, Error> {
        Verifier::new(self.options.clone()).map_err(|error| self.failure(&error))
    }

    /// For a command that runs as a service: if the environment alone was given, an error is the core's own sentence, as
    /// every integration shows it.
    pub(crate) fn verifier_of_service(&self) -> Result<Verifier, Error> {
        let is_environment = self.flags.is_empty() && self.document.is_empty();
        Verifier::new(self.options.clone()).map_err(|error| if is_environment { error } else { self.failure(&error) })
    }

    /// An error about options: each has the name by which it was given, and one that was not given that of its flag.
    fn failure(&self, error: &Error) -> Error {
        let message = wording::reword(error.message(), |spec| {
            let is_in = |part: &Map<String, Value>| part.contains_key(spec.name);
            match () {
                () if is_in(&self.flags) => wording::flag(spec),
                () if is_in(&self.document) => spec.name.to_owned(),
                () if is_in(&self.environment) => spec.variable(),
                () => wording::flag(spec),
            }
        });
        Error::new(error.code(), message)
    }
}

/// Whether the options are read from standard input, so that the token cannot be.
pub(crate) fn use_standard_input(matches: &ArgMatches) -> bool {
    document(matches).is_some_and(|path| path == input::STDIN)
}

const HEADING: &str = "Options of the verifier (in the environment POMERIUM_JWT_<OPTION>; see --help)";

fn flag(spec: &'static OptionSpec) -> Arg {
    let meaning = spec.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
    let meaning = meaning.trim_end_matches('.');
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
        OptionKind::Flag => boolean(arg),
        OptionKind::Seconds(_) => arg.value_name("SECONDS"),
        OptionKind::Integer(_) => arg.value_name("NUMBER"),
        OptionKind::JwkSet | OptionKind::Claims => arg.value_name("JSON"),
        OptionKind::Text if spec.name.ends_with("_file") => arg.value_name("FILE").value_hint(ValueHint::FilePath),
        _ => arg.value_name("TEXT"),
    }
}

/// A flag that is true on its own, or has its value after `=`.
pub(crate) fn boolean(arg: Arg) -> Arg {
    arg.value_name("BOOLEAN").num_args(0..=1).require_equals(true).default_missing_value("true")
}

/// Whether this flag, without its hyphens, is a boolean option.
pub(crate) fn is_boolean(flag: &str) -> bool {
    OPTIONS.iter().any(|spec| spec.kind == OptionKind::Flag && spec.name.replace('_', "-") == flag)
}

fn range(kind: &OptionKind) -> String {
    match kind {
        OptionKind::Seconds(range) | OptionKind::Integer(range) => format!(" [{} to {}]", range.start(), range.end()),
        _ => String::new(),
    }
}

fn document(matches: &ArgMatches) -> Option<&OsStr> {
    matches.try_get_one::<OsString>(DOCUMENT).ok().flatten().map(OsString::as_os_str)
}

fn from_document(matches: &ArgMatches) -> Result<Options, Error> {
    let Some(path) = document(matches) else { return Ok(Options::default()) };
    let text = input::read(path)?;
    Options::from_json(text)
        .map_err(|error| Error::new(error.code(), format!("--options {}: {}", path.to_string_lossy(), error.message())))
}

/// Reads a flag's text as the same text in the environment is read; a list given twice is one list.
fn from_flags(matches: &ArgMatches) -> Result<Options, Error> {
    let mut members = Map::new();
    for spec in OPTIONS {
        // not every command has every flag
        let Ok(Some(texts)) = matches.try_get_many::<String>(spec.name) else { continue };
        for text in texts {
            match (members.get_mut(spec.name), from_flag(spec, text)?) {
                (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
                (_, value) => drop(members.insert(spec.name.to_owned(), value)),
            }
        }
    }
    Options::from_json(Value::Object(members).to_string())
        .map_err(|error| Error::new(error.code(), wording::reword(error.message(), wording::flag)))
}

fn from_flag(spec: &OptionSpec, text: &str) -> Result<Value, Error> {
    let variable = spec.variable();
    let options = Options::from_variables([(OsString::from(&variable), text.into())])
        .map_err(|error| Error::new(error.code(), error.message().replacen(&variable, &wording::flag(spec), 1)))?;
    Ok(members(&options).remove(spec.name).unwrap_or_default())
}

/// The options that are set, by their names.
pub(crate) fn members(options: &Options) -> Map<String, Value> {
    serde_json::from_str(&options.to_json()).unwrap_or_default()
}
