//! The options: their names, types, defaults, ranges, groups and meanings are defined here and nowhere else.
//!
//! `conformance/options.json` and the command line's flags are printed from [`OPTIONS`]. `value.rs` reads and checks
//! values, `environment.rs` reads variables, and `resolve.rs` turns the options into typed settings: nothing below
//! them sees [`Options`].

mod environment;
mod resolve;
mod value;

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use serde_json::Value;

use crate::{
    error::{Error, quoted},
    json::{self, Json},
};
use value::OptionValue;

pub use environment::Overlay;
pub(crate) use resolve::Settings;

/// The type of an option once defaults are filled in.
macro_rules! filled {
    ($type:ty) => { Option<$type> };
    ($type:ty, $default:expr) => { $type };
}

/// The value of an option with its default filled in.
macro_rules! fill {
    ($given:expr) => {
        $given
    };
    ($given:expr, $default:expr) => {
        $given.unwrap_or_else(|| $default)
    };
}

/// The default of an option, if it has one.
macro_rules! default_of {
    () => {
        None
    };
    ($default:expr) => {
        Some($default)
    };
}

/// Writes each option once: the struct's field, its row in [`OPTIONS`], its default, its reader and its writer.
macro_rules! options {
    ($($(#[doc = $doc:literal])+ $group:ident $name:ident: $type:ty = $kind:expr $(, default $default:expr)?;)+) => {
        /// What a [`Verifier`](crate::Verifier) checks and where its keys come from. An option that is left out has
        /// its default; one setting, [`route`](Self::route), protects an application.
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
            group: OptionGroup::$group,
            kind: $kind,
            meaning: concat!($($doc, "\n"),+),
        },)+];

        /// The options with every default filled in: an `Option` here has no default.
        struct Filled {
            $($name: filled!($type $(, $default)?),)+
        }

        impl Options {
            /// The defaults alone.
            fn defaults() -> Self {
                Self { $($name: default_of!($($default)?),)+ }
            }

            fn fill(self) -> Filled {
                Filled { $($name: fill!(self.$name $(, $default)?),)+ }
            }

            fn set(&mut self, name: &str, kind: &OptionKind, value: &Json<'_>) -> Result<(), String> {
                match name {
                    $(stringify!($name) => {
                        let value: $type = OptionValue::read(kind, value)?;
                        value.check(kind)?;
                        self.$name = Some(value);
                    })+
                    _ => unreachable!("the names are those of OPTIONS"),
                }
                Ok(())
            }

            /// Takes one option's value from `other`.
            fn take(&mut self, name: &str, other: &mut Self) {
                match name {
                    $(stringify!($name) => self.$name = other.$name.take(),)+
                    _ => unreachable!("the names are those of OPTIONS"),
                }
            }

            /// What is set, with its row of [`OPTIONS`].
            fn given(&self) -> Vec<(&'static OptionSpec, &dyn OptionValue)> {
                let values = [$(self.$name.as_ref().map(|value| value as &dyn OptionValue),)+];
                OPTIONS.iter().zip(values).filter_map(|(spec, value)| Some((spec, value?))).collect()
            }
        }
    };
}

options! {
    /// Pomerium's own `from:` URL, or a list of them: `https://host[:port]` without a path. Gives `issuer` and
    /// `audience` (the host without its port, which Pomerium never writes) and `jwks_url` (of the first one without
    /// `*`). One value protects an application; explicit options override what it gives.
    Names route: Vec<String> = OptionKind::List;
    /// Accepted `iss`, a string or a list. `host` accepts `host` and `https://host/`, an entry with a scheme only
    /// itself, `*.suffix` one or more labels before the suffix. Required unless `route` or `trust_on_first_use`.
    Names issuer: Vec<String> = OptionKind::List;
    /// Accepted `aud`, any of them, written as `issuer`. Required unless `route` or `trust_on_first_use`: one key
    /// signs every route, so without it a token for one application opens another.
    Names audience: Vec<String> = OptionKind::List;
    /// URL of the JWK Set. Default: derived from `route` or `issuer`.
    Keys jwks_url: String = OptionKind::Text;
    /// The JWK Set itself, an object in JSON.
    Keys jwks: String = OptionKind::JwkSet;
    /// A file that holds the JWK Set. A change is picked up within a second.
    Keys jwks_file: String = OptionKind::Text;
    /// One public key: PEM of the key or of a certificate, or that PEM in base64, as Pomerium's settings are.
    Keys public_key: String = OptionKind::Text;
    /// A file that holds what `public_key` takes.
    Keys public_key_file: String = OptionKind::Text;
    /// Pin the issuer and audience of the first verified token if they are not configured. For development; needs a
    /// key source of its own.
    Names trust_on_first_use: bool = OptionKind::Flag, default false;
    /// Accepted `alg`: ES256, RS256. Pomerium signs RS256 only if its signing key is RSA.
    Token algorithms: Vec<String> = OptionKind::List, default vec!["ES256".to_owned()];
    /// Claims to demand: name -> string or list. The claim must equal one of them or, if it is a list, contain one.
    Token expect_claims: BTreeMap<String, Vec<String>> = OptionKind::Claims;
    /// RFC 7638 thumbprints in lower-case hex (Pomerium's `kid`): all other keys are skipped.
    Token pin_kids: Vec<String> = OptionKind::List;
    /// Seconds of tolerance on `exp`, `nbf` and `iat`.
    Times leeway: Duration = OptionKind::Seconds(0..=3600), default Duration::from_secs(60);
    /// Seconds since `iat` after which a token is refused.
    Times max_token_age: Duration = OptionKind::Seconds(1..=1 << 31);
    /// Accept a token whose `sub` is empty: public routes are signed too, with no user.
    Token allow_anonymous: bool = OptionKind::Flag, default false;
    /// The longest token accepted, in bytes. Envoy limits all headers together to 128 KiB.
    Token max_token_bytes: u64 = OptionKind::Integer(1024..=1_048_576), default 131_072;
    /// A JWK Set to start with when keys are fetched, as if fetched one ttl before construction: for cold starts.
    Cache jwks_initial: String = OptionKind::JwkSet;
    /// A file of CA certificates in PEM to trust for the fetch, in addition to the system's. Read at each fetch.
    Fetch ca_file: String = OptionKind::Text;
    /// CA certificates in PEM to trust for the fetch, in addition to the system's.
    Fetch ca_pem: String = OptionKind::Text;
    /// Connect to this `host:port` to fetch keys. The Host header, SNI and certificate check still use the host of
    /// `jwks_url`.
    Fetch connect_to: String = OptionKind::Text;
    /// Seconds for one whole fetch, and the bound of every wait for it.
    Fetch timeout: Duration = OptionKind::Seconds(1..=60), default Duration::from_secs(3);
    /// Fetch keys over plain http from addresses other than loopback.
    Fetch allow_http: bool = OptionKind::Flag, default false;
    /// Seconds for which a fetched set is fresh. Default: the response's Cache-Control within 60 to 3600, else 300.
    Cache cache_ttl: Duration = OptionKind::Seconds(1..=86_400);
    /// Seconds beyond twice the ttl for which the last good keys are used while the source fails.
    Cache max_stale: Duration = OptionKind::Seconds(0..=604_800), default Duration::from_secs(3600);
    /// The longest pause in seconds between fetches that unknown key ids cause.
    Cache refetch_cooldown: Duration = OptionKind::Seconds(1..=3600), default Duration::from_secs(10);
    /// The request header that carries the token.
    Request header_name: String = OptionKind::Text, default "X-Pomerium-Jwt-Assertion".to_owned();
    /// Let requests without a token pass, without an identity. A token that does not verify is refused all the same.
    Request optional: bool = OptionKind::Flag, default false;
    /// Paths that need no token: `/health`, or `/public/*` for everything below `/public/`.
    Request exempt_paths: Vec<String> = OptionKind::List;
    /// The user must be in one of these groups.
    Request require_group: Vec<String> = OptionKind::List;
}

/// One option, for documentation and for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionSpec {
    /// The name in JSON, snake case.
    pub name: &'static str,
    /// What the option is about.
    pub group: OptionGroup,
    /// The type and range.
    pub kind: OptionKind,
    /// What it means, in Markdown.
    pub meaning: &'static str,
}

impl OptionSpec {
    /// The default as JSON text; `null` if there is none.
    #[must_use]
    pub fn default(&self) -> String {
        Options::defaults().written(self).unwrap_or(Value::Null).to_string()
    }

    /// The environment variable that sets it, such as `POMERIUM_JWT_ROUTE`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{}{}", environment::PREFIX, self.name.to_ascii_uppercase())
    }
}

/// What an option is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionGroup {
    /// Whom the token must be from, and for.
    Names,
    /// Where the keys come from: at most one of these.
    Keys,
    /// Further demands on a token.
    Token,
    /// When a token is valid.
    Times,
    /// How keys are fetched.
    Fetch,
    /// How long fetched keys are used.
    Cache,
    /// Which requests get in: what [`Verifier::with`](crate::Verifier::with) may replace.
    Request,
}

impl OptionGroup {
    /// The name in lower case, as `conformance/options.json` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            OptionGroup::Names => "names",
            OptionGroup::Keys => "keys",
            OptionGroup::Token => "token",
            OptionGroup::Times => "times",
            OptionGroup::Fetch => "fetch",
            OptionGroup::Cache => "cache",
            OptionGroup::Request => "request",
        }
    }
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
    ("jwksetfile", "write jwks_file"),
    ("keyfile", "write public_key_file"),
    ("from", "write route"),
    ("signingkey", "the private key stays in Pomerium: write route, and the public key is fetched"),
    ("signingkeyfile", "the private key stays in Pomerium: write route, and the public key is fetched"),
    ("certificateauthority", "write ca_pem, or ca_file for a file"),
    ("certificateauthorityfile", "write ca_file"),
    ("audiences", "write audience, it takes a list"),
    ("aud", "write audience"),
    ("tlsclientca", "write ca_file"),
    ("extracacerts", "write ca_file"),
    ("insecureskipverify", "certificates are always checked: give the private CA in ca_file"),
    ("expirationbuffer", "write leeway, in seconds"),
    ("clockskew", "write leeway, in seconds"),
    ("requiredclaims", "write expect_claims"),
];

impl Options {
    /// The options for the application at this route, Pomerium's own `from:` URL.
    #[must_use]
    pub fn for_route(url: impl Into<String>) -> Self {
        Self { route: Some(vec![url.into()]), ..Self::default() }
    }

    /// Reads a JSON document: an object with the names of [`OPTIONS`]. An option that is left out has its default;
    /// `null` is not a value.
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

    /// The JSON document of these options, without those left out.
    #[must_use]
    pub fn to_json(&self) -> String {
        let members = self.given().into_iter().map(|(spec, value)| (spec.name.to_owned(), value.write(&spec.kind)));
        Value::from(members.collect::<serde_json::Map<_, _>>()).to_string()
    }

    /// These options laid over `base`, option by option: what is set here replaces what `base` has, and a key source
    /// set here replaces the one of `base`, whichever it is, with its `jwks_initial`. Gives the result and the names of
    /// the options whose value was replaced by another one.
    #[must_use]
    pub fn over(mut self, mut base: Self) -> (Self, Vec<&'static str>) {
        let brings_keys = self.given().iter().any(|(spec, _)| spec.group == OptionGroup::Keys);
        let is_of_source = |spec: &OptionSpec| spec.group == OptionGroup::Keys || spec.name == "jwks_initial";
        let mut replaced = Vec::new();
        for spec in OPTIONS {
            let (own, old) = (self.written(spec), base.written(spec));
            if own.is_none() && !(brings_keys && is_of_source(spec)) {
                continue;
            }
            if old.is_some() && old != own {
                replaced.push(spec.name);
            }
            base.take(spec.name, &mut self);
        }
        (base, replaced)
    }

    /// The value of one option in JSON.
    fn written(&self, option: &OptionSpec) -> Option<Value> {
        self.given().into_iter().find(|(spec, _)| *spec == option).map(|(spec, value)| value.write(&spec.kind))
    }

    /// Typed, ranged, defaults filled in.
    fn checked(self) -> Result<Filled, String> {
        for (spec, value) in self.given() {
            // values read from text were checked when they were set; those set in code were not
            value.check(&spec.kind).map_err(|why| format!("{} {why}", spec.name))?;
        }
        Ok(self.fill())
    }
}

/// The option of this name.
fn find(name: &str) -> Result<&'static OptionSpec, String> {
    OPTIONS
        .iter()
        .find(|spec| spec.name == name)
        .ok_or_else(|| format!("option {} is unknown: {}", quoted(name), advice(name, |spec| spec.name.to_owned())))
}

/// What to write instead of a name that is not an option.
fn advice(name: &str, written: impl Fn(&OptionSpec) -> String) -> String {
    let name = folded(name);
    if let Some((_, hint)) = HINTS.iter().find(|(foreign, _)| *foreign == name) {
        return (*hint).to_owned();
    }
    let distance = |spec: &&OptionSpec| strsim::damerau_levenshtein(&folded(spec.name), &name);
    match OPTIONS.iter().min_by_key(distance) {
        Some(nearest) if distance(&nearest) <= name.len().div_ceil(3) => format!("write {}", written(nearest)),
        _ => "see the list of options in the documentation".to_owned(),
    }
}

fn folded(name: &str) -> String {
    name.replace(['_', '-'], "").to_ascii_lowercase()
}
