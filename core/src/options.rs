//! THE options: their names, types, defaults, ranges and meaning stand here and nowhere else.
//!
//! `conformance/options.json` and the command line's flags are printed from [`OPTIONS`].

use std::{collections::BTreeMap, ffi::OsString, ops::RangeInclusive, time::Duration};

use serde_json::Value;

use crate::{
    error::Error,
    field::Field,
    json::{self, Json},
};

/// Writes each option once: the struct's field, its row in [`OPTIONS`], its reader and its writer.
macro_rules! options {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $kind:expr, $default:literal;)+) => {
        /// What a [`Verifier`](crate::Verifier) checks and where its keys come from. Every field left out has its
        /// default; one setting, [`route`](Self::route), protects an application.
        ///
        /// ```
        /// let mut options = pomerium_jwt::Options::for_route("https://app.example.com");
        /// options.leeway = Some(std::time::Duration::from_secs(30));
        /// ```
        #[non_exhaustive]
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Options {
            $($(#[doc = $doc])+ pub $name: Option<$type>,)+
        }

        /// Every option, in the order of the documentation.
        pub const OPTIONS: &[OptionSpec] = &[$(OptionSpec {
            name: stringify!($name),
            kind: $kind,
            default: $default,
            meaning: concat!($($doc, "\n"),+),
        },)+];

        impl Options {
            fn set(&mut self, name: &str, kind: &OptionKind, value: &Json<'_>) -> Result<(), String> {
                match name {
                    $(stringify!($name) => {
                        let field: $type = Field::read(kind, value)?;
                        field.check(kind)?;
                        self.$name = Some(field);
                    })+
                    _ => unreachable!("the names are those of OPTIONS"),
                }
                Ok(())
            }

            fn rows(&self) -> Vec<(&'static str, OptionKind, Option<&dyn Field>)> {
                vec![$((stringify!($name), $kind, self.$name.as_ref().map(|field| field as &dyn Field)),)+]
            }
        }
    };
}

options! {
    /// Pomerium's own `from:` URL, or a list of them: `https://host[:port]` and nothing behind it. Gives `issuer` and
    /// `audience` (the host without its port, which Pomerium never writes) and `jwks_url` (of the first one without
    /// `*`). One value protects an application; explicit options override what it gives.
    route: Vec<String> = OptionKind::List, "null";
    /// Accepted `iss`, a string or a list. `host` stands for `host` and `https://host/`, an entry with a scheme for
    /// itself, `*.suffix` for one or more labels before the suffix. Required unless `route` or `trust_on_first_use`.
    issuer: Vec<String> = OptionKind::List, "null";
    /// Accepted `aud`, any of them, written as `issuer`. Required unless `route` or `trust_on_first_use`: one key
    /// signs every route, so without it a token for one application opens another.
    audience: Vec<String> = OptionKind::List, "null";
    /// Where the JWK Set is fetched, if the address derived from `route` or `issuer` is not the one.
    jwks_url: String = OptionKind::Text, "null";
    /// The JWK Set itself, an object in JSON.
    jwks: String = OptionKind::JwkSet, "null";
    /// A file that holds the JWK Set. A change is picked up within a second.
    jwks_file: String = OptionKind::Text, "null";
    /// One public key: PEM of the key or of a certificate, or that PEM in base64, as Pomerium's settings are.
    public_key: String = OptionKind::Text, "null";
    /// A file that holds what `public_key` takes.
    public_key_file: String = OptionKind::Text, "null";
    /// Pin the issuer and audience of the first verified token where they are not configured. For development; needs
    /// a key source of its own.
    trust_on_first_use: bool = OptionKind::Flag, "false";
    /// Accepted `alg`: ES256, RS256. Pomerium signs RS256 only if its signing key is RSA.
    algorithms: Vec<String> = OptionKind::List, "[\"ES256\"]";
    /// Claims to demand: name -> string or list. The claim must equal one of them or, if it is a list, contain one.
    expect_claims: BTreeMap<String, Vec<String>> = OptionKind::Claims, "null";
    /// RFC 7638 thumbprints in lower-case hex (Pomerium's `kid`): all other keys are skipped.
    pin_kids: Vec<String> = OptionKind::List, "null";
    /// Seconds of tolerance on `exp`, `nbf` and `iat`.
    leeway: Duration = OptionKind::Seconds(0..=3600), "60";
    /// Seconds since `iat` after which a token is refused.
    max_token_age: Duration = OptionKind::Seconds(1..=1 << 31), "null";
    /// Accept a token whose `sub` is empty: public routes are signed too, with no user.
    allow_anonymous: bool = OptionKind::Flag, "false";
    /// The longest token accepted, in bytes. Envoy limits all headers together to 128 KiB.
    max_token_bytes: u64 = OptionKind::Integer(1024..=1_048_576), "131072";
    /// A JWK Set to start with when keys are fetched, as if fetched one ttl before construction: for cold starts.
    jwks_initial: String = OptionKind::JwkSet, "null";
    /// A file of CA certificates in PEM to trust for the fetch, beside the system's. Read at each fetch.
    ca_file: String = OptionKind::Text, "null";
    /// CA certificates in PEM to trust for the fetch, beside the system's.
    ca_pem: String = OptionKind::Text, "null";
    /// `host:port` to dial for the fetch instead of the address's own; name and certificate stay the address's.
    connect_to: String = OptionKind::Text, "null";
    /// Seconds for one whole fetch, and the bound of every wait for it.
    timeout: Duration = OptionKind::Seconds(1..=60), "3";
    /// Fetch keys over plain http from addresses other than loopback.
    allow_http: bool = OptionKind::Flag, "false";
    /// Seconds for which a fetched set is fresh. Default: the response's Cache-Control within 60 to 3600, else 300.
    cache_ttl: Duration = OptionKind::Seconds(1..=86_400), "null";
    /// Seconds beyond twice the ttl for which the last good keys answer while the source fails.
    max_stale: Duration = OptionKind::Seconds(0..=604_800), "3600";
    /// Seconds between fetches that unknown key ids cause.
    refetch_cooldown: Duration = OptionKind::Seconds(1..=3600), "10";
}

/// One option, for documentation and for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionSpec {
    /// The name in JSON, snake case.
    pub name: &'static str,
    /// The type and range.
    pub kind: OptionKind,
    /// The default as JSON text; `null` where there is none.
    pub default: &'static str,
    /// What it means, in Markdown.
    pub meaning: &'static str,
}

/// The type and range of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionKind {
    /// A string or a list of 1 to 64 strings.
    List,
    /// A string.
    Text,
    /// A boolean.
    Flag,
    /// Whole seconds in this range.
    Seconds(RangeInclusive<u64>),
    /// An integer in this range.
    Integer(RangeInclusive<u64>),
    /// A JWK Set object.
    JwkSet,
    /// An object of at most 32 members: name -> string or list of strings.
    Claims,
}

/// Names known from elsewhere, without case and underscores, and what to write instead.
const HINTS: &[(&str, &str)] = &[
    ("jwkseturl", "write jwks_url"),
    ("jwksuri", "write jwks_url"),
    ("jwksendpoint", "write jwks_url"),
    ("audiences", "write audience, it takes a list"),
    ("aud", "write audience"),
    ("tlsclientca", "write ca_file"),
    ("extracacerts", "write ca_file"),
    ("insecureskipverify", "certificates are always checked: give the private CA in ca_file"),
    ("expirationbuffer", "write leeway, in seconds"),
    ("clockskew", "write leeway, in seconds"),
    ("requiredclaims", "write expect_claims"),
];

const ENVIRONMENT_PREFIX: &str = "POMERIUM_JWT_";

impl Options {
    /// The options that protect the application behind this route, Pomerium's own `from:` URL.
    #[must_use]
    pub fn for_route(url: impl Into<String>) -> Self {
        Self { route: Some(vec![url.into()]), ..Self::default() }
    }

    /// Reads a JSON document: an object with the names of [`OPTIONS`]. An option left out has its default; `null` is
    /// no value.
    ///
    /// # Errors
    /// `invalid_options` for text that is not strict JSON, an unknown name, a wrong type or a value out of range.
    pub fn from_json(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let document = json::parse_bytes(text.as_ref())
            .map_err(|error| Error::options(format!("the options are not strict JSON: {error}")))?;
        let Json::Object(members) = &document else {
            return Err(Error::options(format!("the options are {}, write an object", document.kind())));
        };
        let mut options = Self::default();
        for (name, value) in members {
            let spec = find(name).map_err(Error::options)?;
            options.set(spec.name, &spec.kind, value).map_err(|why| Error::options(format!("{name} {why}")))?;
        }
        Ok(options)
    }

    /// Reads the environment variables `POMERIUM_JWT_<OPTION>`, such as `POMERIUM_JWT_ROUTE`. Lists are separated by
    /// commas, objects are JSON, booleans are true, false, 1 or 0; an empty variable counts as unset. Variables with
    /// other names are ignored, but for names known from elsewhere, which are refused with a hint.
    ///
    /// # Errors
    /// `invalid_options`, naming the variable.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(std::env::vars_os())
    }

    /// As [`from_env`](Self::from_env), from these variables.
    ///
    /// # Errors
    /// `invalid_options`, naming the variable.
    pub fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, Error> {
        let mut options = Self::default();
        for (variable, value) in variables {
            let Some(name) = variable.to_str().and_then(|name| name.strip_prefix(ENVIRONMENT_PREFIX)) else { continue };
            if value.is_empty() {
                continue;
            }
            let refuse = |why: String| Error::options(format!("{ENVIRONMENT_PREFIX}{name}: {why}"));
            if let Some(hint) = hint(name) {
                return Err(refuse(hint.to_owned()));
            }
            let Some(spec) = OPTIONS.iter().find(|spec| spec.name.to_ascii_uppercase() == name) else { continue };
            let text = value.to_str().ok_or_else(|| refuse("is not UTF-8".to_owned()))?;
            spec.kind.parse_text(text).and_then(|value| options.set(spec.name, &spec.kind, &value)).map_err(refuse)?;
        }
        Ok(options)
    }

    /// The JSON document of these options, without those left out.
    #[must_use]
    pub fn to_json(&self) -> String {
        let set = self.rows().into_iter().filter_map(|(name, kind, field)| Some((name, field?.write(&kind))));
        Value::from(set.map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>()).to_string()
    }

    /// These options with every default filled in.
    ///
    /// # Errors
    /// `invalid_options` for a value out of range, also one set in code.
    pub(crate) fn with_defaults(&self) -> Result<Self, Error> {
        self.check_ranges()?;
        let mut filled = self.clone();
        for (spec, (_, kind, field)) in OPTIONS.iter().zip(self.rows()) {
            if field.is_none() && spec.default != "null" {
                let set = json::parse(spec.default).and_then(|value| filled.set(spec.name, &kind, &value));
                set.map_err(|why| Error::options(format!("{} {why}", spec.name)))?;
            }
        }
        Ok(filled)
    }

    /// The values set in code; those read from text were checked when they were set.
    fn check_ranges(&self) -> Result<(), Error> {
        for (name, kind, field) in self.rows() {
            let Some(field) = field else { continue };
            field.check(&kind).map_err(|why| Error::options(format!("{name} {why}")))?;
        }
        Ok(())
    }
}

/// The option of this name.
fn find(name: &str) -> Result<&'static OptionSpec, String> {
    if let Some(spec) = OPTIONS.iter().find(|spec| spec.name == name) {
        return Ok(spec);
    }
    let shown = crate::error::quoted(name);
    if let Some(hint) = hint(name) {
        return Err(format!("option {shown} is unknown: {hint}"));
    }
    match OPTIONS.iter().find(|spec| folded(spec.name) == folded(name)) {
        Some(spec) => Err(format!("option {shown} is unknown: write {}", spec.name)),
        None => Err(format!("option {shown} is unknown; the README lists the options")),
    }
}

fn hint(name: &str) -> Option<&'static str> {
    HINTS.iter().find(|(foreign, _)| *foreign == folded(name)).map(|(_, hint)| *hint)
}

fn folded(name: &str) -> String {
    name.replace(['_', '-'], "").to_ascii_lowercase()
}
