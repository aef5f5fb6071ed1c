//! Options -> what the verifier works with. The bad combination cannot be built.

use std::time::Duration;

use crate::{
    claims::Rules,
    keys::{Algorithm, Source, Trust, is_authority},
    names::{Names, Route, well_known},
    options::Options,
};

/// The options, checked against each other.
pub(crate) struct Settings {
    pub(crate) rules: Rules,
    pub(crate) trust: Trust,
    pub(crate) source: Source,
    pub(crate) max_token_bytes: usize,
}

impl Settings {
    /// From options whose defaults are filled in.
    ///
    /// # Errors
    /// A sentence for `invalid_options`.
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let routes = options.route.iter().flatten().map(|url| Route::parse(url)).collect::<Result<Vec<_>, _>>()?;
        let hosts: Vec<String> = routes.iter().map(|route| route.host.clone()).collect();
        let names = |option: &str, given: &Option<Vec<String>>| match given {
            Some(entries) => Names::parse(option, entries).map(Some),
            None if hosts.is_empty() => Ok(None),
            None => Names::parse("route", &hosts).map(Some),
        };
        let issuer = names("issuer", &options.issuer)?;
        let audience = names("audience", &options.audience)?;
        let explicit = Source::explicit(options)?;
        check_presence(options, issuer.is_some(), audience.is_some(), explicit.is_some())?;
        let source = match explicit {
            Some(source) => source,
            None => derived_source(&routes, issuer.as_ref())?,
        };
        check_fetching(options, &source)?;
        let rules = Rules {
            issuer,
            audience,
            leeway: seconds(options.leeway.unwrap_or_default()),
            max_token_age: options.max_token_age.map(seconds),
            allow_anonymous: options.allow_anonymous.unwrap_or_default(),
            expect_claims: options.expect_claims.clone().unwrap_or_default(),
        };
        let trust = Trust { algorithms: algorithms(options)?, pins: pins(options)? };
        let max_token_bytes = usize::try_from(options.max_token_bytes.unwrap_or_default()).unwrap_or(usize::MAX);
        Ok(Self { rules, trust, source, max_token_bytes })
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX) // the ranges end at 2^31
}

/// Without an issuer, an audience and a key source there is nothing to check against.
fn check_presence(options: &Options, issuer: bool, audience: bool, source: bool) -> Result<(), String> {
    if options.trust_on_first_use == Some(true) {
        if !source {
            return Err(
                "trust_on_first_use needs a key source of its own: set jwks_url, jwks, jwks_file, public_key or \
                        public_key_file"
                    .to_owned(),
            );
        }
        return Ok(());
    }
    if !audience {
        return Err("audience is missing: set route to Pomerium's from: URL, or audience to its host. One key signs \
                    every route, so without it a token for one application opens another"
            .to_owned());
    }
    if !issuer {
        return Err(
            "issuer is missing: set route to Pomerium's from: URL, or issuer to the host in the tokens' iss".to_owned()
        );
    }
    Ok(())
}

fn derived_source(routes: &[Route], issuer: Option<&Names>) -> Result<Source, String> {
    let derived = routes.iter().find_map(Route::jwks_url);
    derived
        .or_else(|| issuer?.only_host().map(|host| well_known(&format!("https://{host}"))))
        .map(Source::Url)
        .ok_or_else(|| {
            "no key source: set jwks_url, neither route nor issuer names one host to fetch it from".to_owned()
        })
}

/// The options that only a fetch uses.
fn check_fetching(options: &Options, source: &Source) -> Result<(), String> {
    if options.jwks_initial.is_some() && !matches!(source, Source::Url(_)) {
        return Err("jwks_initial goes with a key source that is fetched; with another one leave it out".to_owned());
    }
    if let Some(target) = &options.connect_to
        && !(is_authority(target) && target.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()))
    {
        return Err(format!("connect_to {}: write host:port", crate::error::quoted(target)));
    }
    Ok(())
}

fn algorithms(options: &Options) -> Result<Vec<Algorithm>, String> {
    let read = |name: &String| match Algorithm::from_name(name) {
        Some(Algorithm::Rs256) if !cfg!(feature = "rs256") => {
            Err("algorithms: this build has no RS256, its feature rs256 is off".to_owned())
        }
        Some(algorithm) => Ok(algorithm),
        None => Err(format!("algorithms takes ES256 and RS256, not {}", crate::error::quoted(name))),
    };
    options.algorithms.iter().flatten().map(read).collect()
}

fn pins(options: &Options) -> Result<Option<Vec<String>>, String> {
    let is_thumbprint = |pin: &String| pin.len() == 64 && pin.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match &options.pin_kids {
        Some(pins) if !pins.iter().all(is_thumbprint) => {
            Err("pin_kids takes RFC 7638 thumbprints of 64 lower-case hex digits, Pomerium's kid".to_owned())
        }
        pins => Ok(pins.clone()),
    }
}
