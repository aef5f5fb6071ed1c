//! THE options: each stands here once, and nowhere else.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde_json::Value;

use super::{
    spec::{OptionGroup, OptionSpec},
    value::{JwkSet, OptionKind, OptionValue},
};
use crate::{algorithm::Algorithm, json::Json};

/// The Rust type of a kind of option.
macro_rules! type_of {
    (List) => { Vec<String> };
    (Algorithms) => { Vec<Algorithm> };
    (Text) => { String };
    (File) => { PathBuf };
    (Flag) => { bool };
    (Seconds) => { Duration };
    (Integer) => { u64 };
    (JwkSet) => { JwkSet };
    (Claims) => { BTreeMap<String, Vec<String>> };
}

/// What the method of an option takes.
macro_rules! taken {
    (List) => { impl IntoIterator<Item = impl Into<String>> };
    (Algorithms) => { impl IntoIterator<Item = Algorithm> };
    (Text) => { impl Into<String> };
    (File) => { impl Into<PathBuf> };
    (JwkSet) => { impl Into<JwkSet> };
    (Claims) => { impl IntoIterator<Item = (impl Into<String>, impl IntoIterator<Item = impl Into<String>>)> };
    ($other:ident) => { type_of!($other) };
}

/// The value made of that.
macro_rules! value_of {
    (List, $given:ident) => {
        strings($given)
    };
    (Algorithms, $given:ident) => {
        $given.into_iter().collect()
    };
    (Claims, $given:ident) => {
        $given.into_iter().map(|(name, values)| (name.into(), strings(values))).collect()
    };
    ($other:ident, $given:ident) => {
        $given.into()
    };
}

/// The kind as documentation and other languages see it: files are text, algorithms a list.
macro_rules! kind_of {
    (Algorithms) => {
        OptionKind::List
    };
    (File) => {
        OptionKind::Text
    };
    ($kind:ident) => {
        OptionKind::$kind
    };
    ($kind:ident, $range:expr) => {
        OptionKind::$kind($range)
    };
}

/// The type of an option once defaults are filled in.
macro_rules! filled {
    ($kind:ident) => { Option<type_of!($kind)> };
    ($kind:ident, $default:expr) => { type_of!($kind) };
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

/// Writes each option once: the struct's field and the method that sets it, its row in [`OPTIONS`], its default, its
/// reader and its writer.
macro_rules! options {
    ($(
        $(#[doc = $doc:literal])+
        $group:ident $name:ident: $kind:ident $(($range:expr))? $(= $default:expr)?, as in $example:expr;
    )+) => {
        /// What a [`Verifier`](crate::Verifier) checks and where its keys come from. An option that is left out has
        /// its default; one setting, [`route`](Self::route), protects an application.
        ///
        /// Each option has a method that sets it. What it is given is checked when a verifier is made.
        ///
        /// ```
        /// use std::time::Duration;
        ///
        /// use pomerium_jwt::Options;
        ///
        /// let options = Options::for_route("https://app.example.com")
        ///     .leeway(Duration::from_secs(30))
        ///     .require_group(["admins"]);
        /// ```
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Options {
            $(pub(crate) $name: Option<type_of!($kind)>,)+
        }

        impl Options {
            $(
                $(#[doc = $doc])+
                $(#[doc = concat!("\nDefault: `", stringify!($default), "`.")])?
                ///
                /// ```
                /// # use std::time::Duration;
                /// # use pomerium_jwt::{Algorithm, Options};
                #[doc = concat!(
                    "let options = Options::default().", stringify!($name), "(", stringify!($example), ");"
                )]
                /// ```
                #[must_use]
                pub fn $name(mut self, $name: taken!($kind)) -> Self {
                    self.$name = Some(value_of!($kind, $name));
                    self
                }
            )+
        }

        /// Every option, in the order of the documentation.
        ///
        /// ```
        /// let names: Vec<&str> = pomerium_jwt::OPTIONS.iter().map(|option| option.name).collect();
        /// assert!(names.starts_with(&["route", "issuer", "audience"]));
        /// ```
        pub const OPTIONS: &[OptionSpec] = &[$(OptionSpec {
            name: stringify!($name),
            group: OptionGroup::$group,
            kind: kind_of!($kind $(, $range)?),
            meaning: concat!($($doc, "\n"),+),
        },)+];

        /// The options with every default filled in: an `Option` here has no default.
        pub(super) struct Filled {
            $(pub(super) $name: filled!($kind $(, $default)?),)+
        }

        impl Options {
            /// The defaults alone.
            pub(super) fn defaults() -> Self {
                Self { $($name: default_of!($($default)?),)+ }
            }

            fn fill(self) -> Filled {
                Filled { $($name: fill!(self.$name $(, $default)?),)+ }
            }

            pub(super) fn set(&mut self, name: &str, kind: &OptionKind, value: &Json<'_>) -> Result<(), String> {
                match name {
                    $(stringify!($name) => {
                        let value: type_of!($kind) = OptionValue::read(kind, value)?;
                        value.check(kind)?;
                        self.$name = Some(value);
                    })+
                    _ => unreachable!("the names are those of OPTIONS"),
                }
                Ok(())
            }

            /// Takes one option's value from `other`.
            pub(super) fn take(&mut self, name: &str, other: &mut Self) {
                match name {
                    $(stringify!($name) => self.$name = other.$name.take(),)+
                    _ => unreachable!("the names are those of OPTIONS"),
                }
            }

            /// What is set, with its row of [`OPTIONS`].
            pub(super) fn given(&self) -> Vec<(&'static OptionSpec, &dyn OptionValue)> {
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
    Names route: List, as in ["https://app.example.com"];
    /// Accepted `iss`, a string or a list. `host` accepts `host` and `https://host/`, an entry with a scheme only
    /// itself, `*.suffix` one or more labels before the suffix. Required unless `route` or `trust_on_first_use`.
    Names issuer: List, as in ["app.example.com", "*.apps.example.com"];
    /// Accepted `aud`, any of them, written as `issuer`. Required unless `route` or `trust_on_first_use`: one key
    /// signs every route, so without it a token for one application opens another.
    Names audience: List, as in ["app.example.com"];
    /// URL of the JWK Set. Default: derived from `route` or `issuer`.
    Keys jwks_url: Text, as in "https://app.example.com/.well-known/pomerium/jwks.json";
    /// The JWK Set itself, an object in JSON.
    Keys jwks: JwkSet, as in r#"{"keys":[]}"#;
    /// A file that holds the JWK Set. A change is picked up within a second.
    Keys jwks_file: File, as in "/etc/app/jwks.json";
    /// One public key: PEM of the key or of a certificate, or that PEM in base64, as Pomerium's settings are.
    Keys public_key: Text, as in "-----BEGIN PUBLIC KEY-----\n...";
    /// A file that holds what `public_key` takes.
    Keys public_key_file: File, as in "/etc/app/pomerium.pem";
    /// Pin the issuer and audience of the first verified token if they are not configured. For development; needs a
    /// key source of its own.
    Names trust_on_first_use: Flag = false, as in true;
    /// Accepted `alg`: ES256, RS256. Pomerium signs RS256 only if its signing key is RSA.
    Token algorithms: Algorithms = vec![Algorithm::Es256],
        as in [Algorithm::Es256, Algorithm::Rs256];
    /// Claims to demand: name -> string or list. The claim must equal one of them or, if it is a list, contain one.
    Token expect_claims: Claims, as in [("department", ["it", "sales"])];
    /// RFC 7638 thumbprints in lower-case hex (Pomerium's `kid`): all other keys are skipped.
    Token pin_kids: List, as in ["4c5d6f1e0b2a39888f7e6d5c4b3a2918070605040302010f0e0d0c0b0a090807"];
    /// Seconds of tolerance on `exp`, `nbf` and `iat`.
    Times leeway: Seconds(0..=3600) = Duration::from_secs(60), as in Duration::from_secs(30);
    /// Seconds since `iat` after which a token is refused.
    Times max_token_age: Seconds(1..=1 << 31), as in Duration::from_secs(600);
    /// Accept a token whose `sub` is empty: public routes are signed too, with no user.
    Token allow_anonymous: Flag = false, as in true;
    /// The longest token accepted, in bytes. Envoy limits all headers together to 128 KiB.
    Token max_token_bytes: Integer(1024..=1_048_576) = 131_072, as in 16_384;
    /// A JWK Set to start with when keys are fetched, as if fetched one ttl before construction: for cold starts.
    Cache jwks_initial: JwkSet, as in r#"{"keys":[]}"#;
    /// A file of CA certificates in PEM to trust for the fetch, in addition to the system's. Read at each fetch.
    Fetch ca_file: File, as in "/etc/ssl/company.pem";
    /// CA certificates in PEM to trust for the fetch, in addition to the system's.
    Fetch ca_pem: Text, as in "-----BEGIN CERTIFICATE-----\n...";
    /// Connect to this `host:port` to fetch keys. The Host header, SNI and certificate check still use the host of
    /// `jwks_url`.
    Fetch connect_to: Text, as in "pomerium:443";
    /// Seconds for one whole fetch, and the bound of every wait for it.
    Fetch timeout: Seconds(1..=60) = Duration::from_secs(3), as in Duration::from_secs(5);
    /// Fetch keys over plain http from addresses other than loopback.
    Fetch allow_http: Flag = false, as in true;
    /// Seconds for which a fetched set is fresh. Default: the response's Cache-Control within 60 to 3600, else 300.
    Cache cache_ttl: Seconds(1..=86_400), as in Duration::from_secs(600);
    /// Seconds beyond twice the ttl for which the last good keys are used while the source fails.
    Cache max_stale: Seconds(0..=604_800) = Duration::from_secs(3600), as in Duration::from_secs(7200);
    /// The longest pause in seconds between fetches that unknown key ids cause.
    Cache refetch_cooldown: Seconds(1..=3600) = Duration::from_secs(10), as in Duration::from_secs(30);
    /// The request header that carries the token.
    Request header_name: Text = "X-Pomerium-Jwt-Assertion".to_owned(), as in "Authorization";
    /// Let requests without a token pass, without an identity. A token that does not verify is refused all the same.
    Request optional: Flag = false, as in true;
    /// Paths that need no token: `/health`, or `/public/*` for everything below `/public/`.
    Request exempt_paths: List, as in ["/health", "/public/*"];
    /// The user must be in one of these groups.
    Request require_group: List, as in ["admins", "staff"];
}

impl Options {
    /// The options for the application at this route, Pomerium's own `from:` URL.
    ///
    /// ```
    /// use pomerium_jwt::Options;
    ///
    /// let url = "https://app.example.com";
    /// assert_eq!(Options::for_route(url), Options::default().route([url]));
    /// ```
    #[must_use]
    pub fn for_route(url: impl Into<String>) -> Self {
        Self::default().route([url])
    }

    /// The value of one option in JSON.
    pub(super) fn written(&self, option: &OptionSpec) -> Option<Value> {
        self.given().into_iter().find(|(spec, _)| *spec == option).map(|(spec, value)| value.write(&spec.kind))
    }

    /// Typed, ranged, defaults filled in.
    pub(super) fn checked(self) -> Result<Filled, String> {
        for (spec, value) in self.given() {
            // values read from text were checked when they were set; those set in code were not
            value.check(&spec.kind).map_err(|why| format!("{} {why}", spec.name))?;
        }
        Ok(self.fill())
    }
}

fn strings(entries: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    entries.into_iter().map(Into::into).collect()
}
