//! Options -> the settings that a verifier works with: typed, with defaults, and no bad combination can be built.

use std::time::Duration;

use super::{
    spec::OptionGroup,
    table::{Filled, OPTIONS, Options},
};
use crate::{
    algorithm::Algorithm,
    claims::Rules,
    error::Error,
    keys::{FetchOptions, Limits, Source, Trust, check_url, is_authority_or_ipv6},
    names::Names,
    request::RequestRules,
    route::{Route, well_known},
    wording::quoted,
};

/// The options, checked against each other. Nothing below sees [`Options`].
pub(crate) struct Settings {
    /// What the claims must be.
    pub(crate) rules: Rules,
    /// Which keys of the source may be used.
    pub(crate) trust: Trust,
    /// Where the keys come from.
    pub(crate) source: Source,
    /// When they are fetched.
    pub(crate) limits: Limits,
    /// How they are fetched.
    pub(crate) fetch: FetchOptions,
    /// Which requests get in.
    pub(crate) request: RequestRules,
    pub(crate) max_token_bytes: usize,
}

impl Settings {
    /// # Errors
    /// `invalid_options`, in a sentence that says what to write instead.
    pub(crate) fn resolve(options: Options) -> Result<Self, Error> {
        options.checked().and_then(resolve).map_err(Error::options)
    }
}

impl RequestRules {
    /// These rules with what `options` name replaced: the request options alone, and nothing else may be set.
    ///
    /// # Errors
    /// `invalid_options`.
    pub(crate) fn with(&self, options: Options) -> Result<Self, Error> {
        for (spec, value) in options.given() {
            if spec.group != OptionGroup::Request {
                let message = format!("{} cannot be changed here: only {} can", spec.name, request_options());
                return Err(Error::options(message));
            }
            value.check(&spec.kind).map_err(|why| Error::options(format!("{} {why}", spec.name)))?;
        }
        let header_name = options.header_name.unwrap_or_else(|| self.header_name().to_owned());
        let optional = options.optional.unwrap_or_else(|| self.optional());
        let exempt_paths = options.exempt_paths.unwrap_or_else(|| self.exempt_paths());
        let require_group = options.require_group.unwrap_or_else(|| self.require_group().to_owned());
        Self::new(header_name, optional, exempt_paths, require_group).map_err(Error::options)
    }
}

fn request_options() -> String {
    let request = OPTIONS.iter().filter(|spec| spec.group == OptionGroup::Request);
    request.map(|spec| spec.name).collect::<Vec<_>>().join(", ")
}

fn resolve(options: Filled) -> Result<Settings, String> {
    let routes = options.route.iter().flatten().map(|url| Route::parse(url)).collect::<Result<Vec<_>, _>>()?;
    let hosts: Vec<String> = routes.iter().map(|route| route.host.clone()).collect();
    let names = |option: &str, given: &Option<Vec<String>>| match given {
        Some(entries) => Names::parse(option, entries).map(Some),
        None if hosts.is_empty() => Ok(None),
        None => Names::parse("route", &hosts).map(Some),
    };
    let issuer = names("issuer", &options.issuer)?;
    let audience = names("audience", &options.audience)?;
    let explicit = explicit_source(&options)?;
    check_presence(options.trust_on_first_use, issuer.is_some(), audience.is_some(), explicit.is_some())?;
    let source = match explicit {
        Some(source) => source,
        None => Source::Url { url: derived_url(&routes, issuer.as_ref())?, initial: initial(&options) },
    };
    check_fetching(&options, &source)?;
    Ok(Settings {
        trust: Trust { algorithms: algorithms(options.algorithms)?, pins: pins(options.pin_kids)? },
        source,
        limits: Limits {
            cache_ttl: options.cache_ttl.map(nanoseconds),
            max_stale: nanoseconds(options.max_stale),
            cooldown: nanoseconds(options.refetch_cooldown),
            timeout: nanoseconds(options.timeout),
        },
        fetch: FetchOptions {
            connect_to: options.connect_to,
            ca_file: options.ca_file,
            ca_pem: options.ca_pem,
            timeout: options.timeout,
            allow_http: options.allow_http,
        },
        request: RequestRules::new(
            options.header_name,
            options.optional,
            options.exempt_paths.unwrap_or_default(),
            options.require_group.unwrap_or_default(),
        )?,
        max_token_bytes: usize::try_from(options.max_token_bytes).unwrap_or(usize::MAX),
        rules: Rules {
            issuer,
            audience,
            leeway: seconds(options.leeway),
            max_token_age: options.max_token_age.map(seconds),
            allow_anonymous: options.allow_anonymous,
            expect_claims: options.expect_claims.unwrap_or_default(),
        },
    })
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX) // the ranges end at 2^31
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// The one key source that the options give.
fn explicit_source(options: &Filled) -> Result<Option<Source>, String> {
    let given = [
        ("jwks_url", options.jwks_url.clone().map(|url| Source::Url { url, initial: initial(options) })),
        ("jwks", options.jwks.as_ref().map(|set| Source::Inline(set.text().to_owned()))),
        ("jwks_file", options.jwks_file.clone().map(Source::File)),
        ("public_key", options.public_key.clone().map(Source::Pem)),
        ("public_key_file", options.public_key_file.clone().map(Source::PemFile)),
    ];
    let mut given = given.into_iter().filter_map(|(name, source)| Some((name, source?)));
    let Some((name, source)) = given.next() else { return Ok(None) };
    if let Some((other, _)) = given.next() {
        return Err(format!("{name} and {other} are both key sources: give one"));
    }
    if let Source::Url { url, .. } = &source {
        check_url(url)?;
    }
    Ok(Some(source))
}

fn initial(options: &Filled) -> Option<String> {
    options.jwks_initial.as_ref().map(|set| set.text().to_owned())
}

/// Without an issuer, an audience and a key source there is nothing to check against.
fn check_presence(trust_on_first_use: bool, issuer: bool, audience: bool, source: bool) -> Result<(), String> {
    let missing = match (trust_on_first_use, source, audience, issuer) {
        (true, true, ..) | (false, _, true, true) => return Ok(()),
        (true, false, ..) => {
            "trust_on_first_use needs a key source of its own: set jwks_url, jwks, jwks_file, public_key or \
             public_key_file"
        }
        (false, _, false, _) => {
            "audience is missing: set route to Pomerium's from: URL, or audience to its host. One key signs every \
             route, so without it a token for one application opens another"
        }
        (false, _, true, false) => {
            "issuer is missing: set route to Pomerium's from: URL, or issuer to the host in the tokens' iss"
        }
    };
    Err(missing.to_owned())
}

fn derived_url(routes: &[Route], issuer: Option<&Names>) -> Result<String, String> {
    let of_issuer = || issuer?.only_host().map(|host| well_known(&format!("https://{host}")));
    routes.iter().find_map(Route::jwks_url).or_else(of_issuer).ok_or_else(|| {
        "no key source: set jwks_url; neither route nor issuer names one host to fetch the keys from".to_owned()
    })
}

/// The options that only a fetch uses.
fn check_fetching(options: &Filled, source: &Source) -> Result<(), String> {
    if options.jwks_initial.is_some() && !matches!(source, Source::Url { .. }) {
        return Err("jwks_initial goes with keys that are fetched; with another key source leave it out".to_owned());
    }
    if let Some(target) = &options.connect_to
        && !(is_authority_or_ipv6(target)
            && target.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()))
    {
        return Err(format!("connect_to {}: write host:port", quoted(target)));
    }
    Ok(())
}

fn algorithms(given: Vec<Algorithm>) -> Result<Vec<Algorithm>, String> {
    if given.contains(&Algorithm::Rs256) && !cfg!(feature = "rs256") {
        return Err("algorithms: this build lacks RS256, because its feature rs256 is off".to_owned());
    }
    Ok(given)
}

fn pins(pins: Option<Vec<String>>) -> Result<Option<Vec<String>>, String> {
    let is_thumbprint = |pin: &String| pin.len() == 64 && pin.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if pins.iter().flatten().all(is_thumbprint) {
        return Ok(pins);
    }
    Err("pin_kids takes RFC 7638 thumbprints of 64 lower-case hex digits, Pomerium's kid".to_owned())
}
