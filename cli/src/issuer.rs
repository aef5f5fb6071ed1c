//! `issuer`: the stand-in for Pomerium, as a server or for one token or key set.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write as _},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{NonEmptyStringValueParser, OsStringValueParser},
    value_parser,
};
use pomerium_jwt_issuer::{Assertion, Server, ServerOptions, SigningKey, StopSignal, Tls, check_host, key_set};

use pomerium_jwt::Error;

use crate::{
    input,
    report::{Report, internal, invalid},
};

const ADDRESSES: &str = "\
It answers, with curl for example:
  GET  /.well-known/pomerium/jwks.json   the key set, as Pomerium serves it (but never compressed)
  GET  /mint?sub=alice&groups=a,b        a token; also POST /mint with a JSON object of claims
  POST /rotate                           replace the key at once
       /rotate?step=append, swap, drop   the steps that Pomerium documents, one by one
  POST /withdraw                         stop publishing the signing key, and keep signing with it
       /withdraw?keys=all                an empty key set
  POST /fault?kind=KIND                  make fetches of the key set fail: hang, slow, 500, garbage,
                                         huge, redirect, reset; none ends it
  GET  /stats                            fetches so far, key ids, fault

A token's claims are parameters by their names: sub, email, name, groups=a,b, aud, iss, sid, exp and
any other. Three are not claims: host=NAME sets iss and aud, expires_in=SECONDS may be negative,
without=NAME,... leaves claims out. Without sub the token is that of a public route, without a user.";

const KEYS: &str = "\
Keys have the form of Pomerium's signing_key, for example:
  openssl ecparam -genkey -name prime256v1 -noout -out ec_private.pem";

const WARNING: &str = "This is not Pomerium: it signs any token for anyone who can reach it. \
    Use it for tests and development, never with the keys of a production system.";

const INSTEAD_OF_SERVING: &str = "Instead of serving";

pub(crate) fn command() -> Command {
    let serving_only = ["listen", "allow_remote", "tls", "max_age", "until_stdin_closes"];
    let text = |name: &'static str| Arg::new(name).long(name.replace('_', "-"));
    let flag = |name: &'static str| text(name).action(ArgAction::SetTrue);
    Command::new("issuer")
        .about("Stand in for Pomerium in tests: serve a key set, mint tokens, fail on command")
        .args([
            text("listen")
                .value_name("ADDRESS:PORT")
                .value_parser(value_parser!(SocketAddr))
                .default_value("127.0.0.1:0")
                .help("The address to listen on; port 0 picks a free one. The line `ready URL` is printed once it listens"),
            flag("allow_remote").help("Allow an address for --listen that other machines can reach"),
            text("host")
                .value_name("NAME")
                .value_parser(NonEmptyStringValueParser::new())
                .action(ArgAction::Append)
                .help(
                    "The host that the tokens are for, without scheme and port [default: the URL's]; further hosts are \
                     for the certificate",
                ),
            text("key").value_name("FILE").value_parser(OsStringValueParser::new()).action(ArgAction::Append).help(
                "Private keys in PEM, - for standard input: the first signs, all are published [default: a new one]",
            ),
            text("tls")
                .value_name("FOLDER")
                .value_parser(value_parser!(PathBuf))
                .help("Serve https; the private CA to trust for it, new at each start, is written to FOLDER/ca.pem"),
            text("max_age")
                .value_name("SECONDS")
                .value_parser(value_parser!(u32))
                .default_value("60")
                .help("The max-age in the key set's Cache-Control"),
            flag("until_stdin_closes").help("Exit when standard input ends, in addition to SIGTERM and SIGINT"),
            text("mint")
                .value_name("NAME=VALUE")
                .value_parser(NonEmptyStringValueParser::new())
                .num_args(0..)
                .requires("key")
                .requires("host")
                .conflicts_with_all(serving_only)
                .conflicts_with("key_set")
                .help_heading(INSTEAD_OF_SERVING)
                .help("Print a token with these claims, such as: --mint sub=alice groups=admins,devs"),
            flag("key_set")
                .requires("key")
                .conflicts_with_all(serving_only)
                .help_heading(INSTEAD_OF_SERVING)
                .help("Print the key set of the keys, for a verifier's jwks or jwks_file"),
        ])
        .after_help(WARNING)
        .after_long_help(format!("{ADDRESSES}\n\n{KEYS}\n\n{WARNING}"))
}

pub(crate) fn run(matches: &ArgMatches) -> Result<Report, Error> {
    check_hosts(matches.get_many::<String>("host").unwrap_or_default())?;
    let keys = keys(matches)?;
    let mut hosts = matches.get_many::<String>("host").unwrap_or_default().cloned();
    if let Some(parameters) = matches.get_many::<String>("mint") {
        let host = hosts.next().unwrap_or_default();
        return Ok(Report::from(mint(&host, parameters.map(String::as_str), &keys)? + "\n"));
    }
    if matches.get_flag("key_set") {
        return Ok(Report::from(key_set(&keys) + "\n"));
    }
    let tls = matches.get_one::<PathBuf>("tls").map(|folder| tls(folder, hosts.clone())).transpose()?;
    serve(
        matches,
        ServerOptions {
            listen: *matches.get_one("listen").expect("it has a default"),
            allow_remote: matches.get_flag("allow_remote"),
            host: hosts.next(),
            keys,
            tls,
            max_age: *matches.get_one("max_age").expect("it has a default"),
        },
    )
}

/// The first host is for the tokens; a certificate may have an address or a wildcard too.
fn check_hosts<'a>(hosts: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    for (position, host) in hosts.enumerate() {
        let is_for_certificate = host.parse::<IpAddr>().is_ok() || host.strip_prefix("*.").is_some_and(is_host);
        if position == 0 || !is_for_certificate {
            check_host(host).map_err(|why| invalid(format!("--host: {why}")))?;
        }
    }
    Ok(())
}

fn is_host(name: &str) -> bool {
    check_host(name).is_ok()
}

fn serve(matches: &ArgMatches, options: ServerOptions) -> Result<Report, Error> {
    let fault = |error: io::Error| internal(error.to_string());
    let remote_hint = if options.listen.ip().is_loopback() { "" } else { "; to allow that, add --allow-remote" };
    let listen = options.listen;
    let stop = StopSignal::new(matches.get_flag("until_stdin_closes")).map_err(fault)?;
    let server = Server::start(options).map_err(|error| {
        let hint = if error.kind() == io::ErrorKind::InvalidInput { remote_hint } else { "" };
        invalid(format!("--listen {listen}: {error}{hint}"))
    })?;
    // The reader may be gone
    let _ = writeln!(anstream::stderr(), "{WARNING}");
    let mut stdout = io::stdout();
    writeln!(stdout, "ready {}", server.url()).and_then(|()| stdout.flush()).map_err(fault)?;
    stop.wait();
    Ok(Report::from(String::new()))
}

fn keys(matches: &ArgMatches) -> Result<Vec<SigningKey>, Error> {
    let mut keys = Vec::new();
    for path in matches.get_many::<OsString>("key").unwrap_or_default() {
        let refuse = |why: String| invalid(format!("--key {}: {why}", path.to_string_lossy()));
        let text = String::from_utf8(input::read(path)?).map_err(|_| refuse("the file is not text".to_owned()))?;
        keys.extend(SigningKey::all_from_pem(&text).map_err(|error| refuse(error.to_string()))?);
    }
    Ok(keys)
}

fn mint<'a>(host: &str, parameters: impl Iterator<Item = &'a str>, keys: &[SigningKey]) -> Result<String, Error> {
    let refuse = |why: String| invalid(format!("--mint: {why}"));
    let pairs: Vec<(&str, &str)> = parameters
        .map(|parameter| parameter.split_once('=').ok_or_else(|| refuse(format!("write {parameter} as NAME=VALUE"))))
        .collect::<Result<_, _>>()?;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = since_1970.as_secs().cast_signed();
    let assertion = Assertion::from_parameters(host, now, pairs).map_err(refuse)?;
    let signing = keys.first().ok_or_else(|| refuse("give the key that signs with --key".to_owned()))?;
    Ok(assertion.mint(signing))
}

fn tls(folder: &PathBuf, hosts: impl Iterator<Item = String>) -> Result<Tls, Error> {
    let tls = Tls::generate(hosts).map_err(|error| invalid(format!("--host: {error}")))?;
    let file = folder.join("ca.pem");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, &tls.ca_pem))
        .map_err(|error| invalid(format!("--tls: {} cannot be written: {error}", file.display())))?;
    Ok(tls)
}
