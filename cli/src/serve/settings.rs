//! What `serve` is told: its own flags, the verifier's options, and the six variables of Pomerium's course.

use std::{env, fs, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{NonEmptyStringValueParser, PossibleValuesParser},
    value_parser,
};
use pomerium_jwt::{Error, Options, Verifier};
use serde_json::{Map, Value};

use super::auth::{PROXIES, Proxy};
use crate::{
    options::{self, Given},
    proxy::Upstream,
    report::invalid,
};

const ABOUT: &str = "Verify in front of applications: a page, /auth for proxies, or a sidecar";

const PATHS: &str = "\
Without --upstream it answers:
  GET /              a page: who is calling, or every check and what to change
  GET /json          the same as JSON; also /api/verify-info
  GET /headers       the headers of the request, as JSON
  /auth              for nginx, Caddy, Traefik and Envoy: 200 with identity headers, 401, 403 or 503
  GET /healthz       the process lives
  GET /readyz        keys are loaded, or none have been asked for
  GET /metrics       OpenMetrics
With --upstream every path belongs to the upstream, and these are answered on --admin-listen alone.

The variables of Pomerium's verify application are understood: ADDR, PORT, JWKS_ENDPOINT, EXPECTED_JWT_ISSUER,
EXPECTED_JWT_AUDIENCE, EXTRA_CA_CERTS. Options and POMERIUM_JWT_<OPTION> beat the last four; ADDR and PORT beat
--listen.";

pub(crate) fn command() -> Command {
    let text = |name: &'static str| Arg::new(name).long(name);
    Command::new("serve")
        .about(ABOUT)
        .args([
            text("listen")
                .value_name("ADDRESS:PORT")
                .value_parser(value_parser!(SocketAddr))
                .default_value("127.0.0.1:8000")
                .help("The address to listen on; port 0 picks a free one. Its URL is printed once it listens"),
            text("proxy")
                .value_name("PROXY")
                .value_parser(PossibleValuesParser::new(PROXIES.map(|(name, _)| name)))
                .help("The proxy that asks /auth: its header alone tells the original path, for --exempt-paths"),
            text("upstream")
                .value_name("URL")
                .value_parser(NonEmptyStringValueParser::new())
                .conflicts_with("proxy")
                .help("Forward what gets in: http://127.0.0.1:3000, or h2c:// for HTTP/2 without TLS"),
            text("upstream-timeout")
                .value_name("SECONDS")
                .value_parser(value_parser!(u64).range(1..=3600))
                .default_value("60")
                .help("How long the upstream may take to begin its answer"),
            text("admin-listen")
                .value_name("ADDRESS:PORT")
                .value_parser(value_parser!(SocketAddr))
                .requires("upstream")
                .help("Another address, for the page, probes and metrics"),
            text("set-header")
                .value_name("NAME=FIELD")
                .value_parser(NonEmptyStringValueParser::new())
                .action(ArgAction::Append)
                .help(
                    "A further identity header, such as Remote-User=email; fields: subject user email groups name \
                     session_id issuer expires_at [always: X-Auth-Request-User, -Email, -Groups, -Preferred-Username]",
                ),
            text("strict")
                .action(ArgAction::SetTrue)
                .help("The page and its JSON answer 401 or 503 instead of 200 if the token is refused"),
            text("tls-cert")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .requires("tls-key")
                .help("Serve https with this certificate chain in PEM, read again when it changes"),
            text("tls-key")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .requires("tls-cert")
                .help("The certificate's private key in PEM"),
            text("access-log")
                .action(ArgAction::SetTrue)
                .help("Write a line of JSON for each request to standard output"),
        ])
        .args(options::flags())
        .after_help("Exit codes: 0 ended by SIGTERM or SIGINT, 2 usage or options, 70 internal.")
        .after_long_help(PATHS)
}

/// Everything, checked.
pub(super) struct Settings {
    pub(super) listen: SocketAddr,
    pub(super) admin_listen: Option<SocketAddr>,
    pub(super) proxy: Option<Proxy>,
    pub(super) upstream: Option<Upstream>,
    pub(super) set_headers: Vec<String>,
    pub(super) strict: bool,
    pub(super) tls: Option<(PathBuf, PathBuf)>,
    pub(super) access_log: bool,
    pub(super) verifier: Verifier,
    /// Whether any path is exempt.
    pub(super) exempts: bool,
    /// Only JWKS_ENDPOINT was given: the first issuer and audience that come are pinned.
    pub(super) undecided: bool,
}

impl Settings {
    pub(super) fn read(matches: &ArgMatches) -> Result<Self, Error> {
        let (verifier, undecided, exempts) = verifier(matches)?;
        let proxy = matches.get_one::<String>("proxy");
        let proxy = proxy.and_then(|name| PROXIES.iter().find(|(known, _)| known == name)).map(|(_, proxy)| *proxy);
        let seconds: u64 = *matches.get_one("upstream-timeout").expect("it has a default");
        let upstream = matches.get_one::<String>("upstream");
        let upstream = upstream.map(|url| {
            Upstream::new(url, Duration::from_secs(seconds)).map_err(|why| invalid(format!("--upstream: {why}")))
        });
        let settings = Self {
            listen: listen(*matches.get_one("listen").expect("it has a default"), |name| env::var(name).ok())?,
            admin_listen: matches.get_one("admin-listen").copied(),
            proxy,
            upstream: upstream.transpose()?,
            set_headers: matches.get_many("set-header").unwrap_or_default().cloned().collect(),
            // Asked for a path other than /auth by mistake, it must not answer 200
            strict: matches.get_flag("strict") || proxy.is_some(),
            tls: matches.get_one::<PathBuf>("tls-cert").cloned().zip(matches.get_one::<PathBuf>("tls-key").cloned()),
            access_log: matches.get_flag("access-log"),
            verifier,
            exempts,
            undecided,
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), Error> {
        if self.undecided && self.upstream.is_some() {
            return Err(invalid(
                "--upstream needs --route (or --issuer and --audience): with JWKS_ENDPOINT alone every token of this \
                 Pomerium would get in",
            ));
        }
        if self.exempts && self.upstream.is_none() && self.proxy.is_some_and(|proxy| !proxy.tells_upgrades()) {
            return Err(invalid(
                "--exempt-paths with --proxy traefik or envoy: these do not tell WebSockets from other requests, and \
                 no WebSocket is ever exempt; exempt the paths in the proxy's own routes",
            ));
        }
        Ok(())
    }
}

/// The verifier, whether it pins the first issuer because nothing says which one is meant, and whether any path is
/// exempt. The verifier itself is not asked: its status starts a fetch, and starting needs no network.
fn verifier(matches: &ArgMatches) -> Result<(Verifier, bool, bool), Error> {
    let mut given = Given::read(matches)?;
    let mut course = course(|name| env::var(name).ok().filter(|value| !value.is_empty()))?;
    // Keys then come from the route, whose certificate is good; JWKS_ENDPOINT may name a container
    if has_route_with_keys(&given.options) {
        course.remove("jwks_url");
    }
    let endpoint = course.contains_key("jwks_url");
    let course = Options::from_json(Value::Object(course).to_string())?;
    let (options, _) = given.options.over(course);
    given.options = options;
    let members: Map<String, Value> = serde_json::from_str(&given.options.to_json()).unwrap_or_default();
    let is_set = |name: &str| members.contains_key(name);
    let named = is_set("route") || is_set("issuer") && is_set("audience");
    let undecided = endpoint && !named && !is_set("trust_on_first_use");
    if undecided {
        given.options = given.options.trust_on_first_use(true);
    }
    Ok((given.verifier_of_service()?, undecided, is_set("exempt_paths")))
}

fn has_route_with_keys(options: &Options) -> bool {
    let members: Map<String, Value> = serde_json::from_str(&options.to_json()).unwrap_or_default();
    members.get("route").is_some_and(|route| !route.to_string().contains('*'))
}

/// The options in the course's variables.
fn course(variable: impl Fn(&str) -> Option<String>) -> Result<Map<String, Value>, Error> {
    let names =
        [("JWKS_ENDPOINT", "jwks_url"), ("EXPECTED_JWT_ISSUER", "issuer"), ("EXPECTED_JWT_AUDIENCE", "audience")];
    let mut options: Map<String, Value> =
        names.iter().filter_map(|(name, option)| Some(((*option).to_owned(), variable(name)?.into()))).collect();
    if let Some(list) = variable("EXTRA_CA_CERTS") {
        let files: Vec<&str> = list.split([',', ':']).map(str::trim).filter(|file| !file.is_empty()).collect();
        if let [file] = files[..] {
            options.insert("ca_file".to_owned(), file.into());
        } else {
            let read = |file: &&str| {
                fs::read_to_string(file).map_err(|error| invalid(format!("EXTRA_CA_CERTS: {file}: {error}")))
            };
            let texts = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            options.insert("ca_pem".to_owned(), texts.join("\n").into());
        }
    }
    Ok(options)
}

/// `ADDR` (`0.0.0.0:8000`, `:8000` or an address alone) and `PORT` over the flag.
fn listen(mut listen: SocketAddr, variable: impl Fn(&str) -> Option<String>) -> Result<SocketAddr, Error> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(port) = set("PORT") {
        listen.set_port(port.parse().map_err(|_| invalid(format!("PORT: {port:?} is not a port")))?);
    }
    let Some(address) = set("ADDR") else { return Ok(listen) };
    let parsed = match address.parse() {
        Ok(ip) => Ok(SocketAddr::new(ip, listen.port())),
        Err(_) if address.starts_with(':') => format!("0.0.0.0{address}").parse(),
        Err(_) => address.parse(),
    };
    parsed.map_err(|_| invalid(format!("ADDR: write an address such as 0.0.0.0:8000, not {address:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_courses_address_beats_the_flag() {
        let table = [
            (None, None, "127.0.0.1:8000"),
            (None, Some("9000"), "127.0.0.1:9000"),
            (Some(":80"), Some("9000"), "0.0.0.0:80"),
            (Some("0.0.0.0:81"), None, "0.0.0.0:81"),
            (Some("::1"), Some("82"), "[::1]:82"),
            (Some(""), Some(""), "127.0.0.1:8000"),
        ];
        for (address, port, expected) in table {
            let variable = |name: &str| if name == "ADDR" { address } else { port }.map(str::to_owned);
            let found = listen("127.0.0.1:8000".parse().unwrap(), variable).unwrap();
            assert_eq!(found.to_string(), expected, "{address:?} {port:?}");
        }
        assert!(listen("127.0.0.1:8000".parse().unwrap(), |name| (name == "PORT").then(|| "x".to_owned())).is_err());
    }

    #[test]
    fn the_courses_variables_are_options() {
        let variable = |name: &str| match name {
            "JWKS_ENDPOINT" => Some("https://pomerium/.well-known/pomerium/jwks.json".to_owned()),
            "EXTRA_CA_CERTS" => Some("/etc/ca.pem".to_owned()),
            _ => None,
        };
        let options = Value::Object(course(variable).unwrap());
        let expected = serde_json::json!({
            "jwks_url": "https://pomerium/.well-known/pomerium/jwks.json", "ca_file": "/etc/ca.pem",
        });
        assert_eq!(options, expected);
    }
}
