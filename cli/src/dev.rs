//! `dev`: stands where Pomerium stands, in front of an application on a developer's machine.

mod origin;
mod page;
mod sessions;
mod site;
mod users;

use std::{
    ffi::OsString,
    io::{self, Write as _},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use clap::{
    Arg, ArgAction, ArgGroup, ArgMatches, Command, ValueHint,
    builder::{NonEmptyStringValueParser, OsStringValueParser},
    value_parser,
};
use pomerium_jwt::Error;
use pomerium_jwt_issuer::check_host;
use tokio::runtime::Builder;

use crate::{
    proxy::{Listener, Stop, Upstream},
    report::{Report, internal, invalid},
};
use site::Site;

const WARNING: &str =
    "This is not Pomerium: anyone who reaches it chooses who they are. It is for development on this machine.";

const ADDRESSES: &str = "\
It answers itself, and forwards everything else:
  GET  /.pomerium/            a page that switches the user
  GET  /.pomerium/user        the user as JSON; nobody: 401 for Accept: application/json, otherwise a redirect
  GET  /.pomerium/sign_out    ends the session; pomerium_redirect_uri=/PATH leads on, within this address
  GET  /.pomerium/jwt         the token of this request, with --jwt-endpoint
  GET  /.well-known/pomerium/jwks.json   the key set; the key is new at each start

The users file is a JSON list; only email is required, and claims are strings as jwt_claims_headers adds them:
  [{\"email\":\"alice@example.com\",\"name\":\"Alice\",\"groups\":[\"admins\"],\"sub\":\"...\",\"claims\":{\"department\":\"R&D\"}}]";

pub(crate) fn command() -> Command {
    let text = |name: &'static str| Arg::new(name).long(name.replace('_', "-"));
    let flag = |name: &'static str| text(name).action(ArgAction::SetTrue);
    Command::new("dev")
        .about("Stand in front of an application as Pomerium does, on this machine: sign each request for a user")
        .args([
            text("upstream")
                .value_name("URL")
                .value_hint(ValueHint::Url)
                .required(true)
                .help("The application: http://HOST:PORT, or h2c://HOST:PORT for HTTP/2 without TLS"),
            text("listen")
                .value_name("ADDRESS:PORT")
                .value_parser(value_parser!(SocketAddr))
                .default_value("127.0.0.1:8443")
                .help("The address to listen on; port 0 picks a free one"),
            flag("allow_remote").help("Allow an address for --listen that other machines can reach"),
            text("host")
                .value_name("NAME")
                .value_parser(NonEmptyStringValueParser::new())
                .action(ArgAction::Append)
                .help("Answer for this host too. Tokens are for localhost all the same"),
            text("user")
                .value_name("EMAIL")
                .value_parser(NonEmptyStringValueParser::new())
                .help("Who is signed in from the beginning; with --users one of them"),
            text("groups")
                .value_name("GROUP,...")
                .value_delimiter(',')
                .value_parser(NonEmptyStringValueParser::new())
                .action(ArgAction::Append)
                .requires("user")
                .conflicts_with("users")
                .help("The groups of --user"),
            text("users")
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .value_parser(OsStringValueParser::new())
                .help("Users to choose from, as JSON: see --help"),
            flag("jwt_endpoint").help("Answer /.pomerium/jwt, which Pomerium does not by default"),
            text("session_seconds")
                .value_name("SECONDS")
                .value_parser(value_parser!(u64).range(1..=31_536_000))
                .help("End each browser's session after this time [default: never]"),
            text("timeout")
                .value_name("SECONDS")
                .value_parser(value_parser!(u64).range(1..=3_600))
                .default_value("300")
                .help("How long the application may take until it begins to answer"),
            flag("until_stdin_closes").help("Exit when standard input ends, in addition to SIGTERM and SIGINT"),
        ])
        .group(ArgGroup::new("identities").args(["user", "users"]).required(true).multiple(true))
        .after_help(WARNING)
        .after_long_help(format!("{ADDRESSES}\n\n{WARNING}"))
}

pub(crate) fn run(matches: &ArgMatches) -> Result<Report, Error> {
    let url = matches.get_one::<String>("upstream").ok_or_else(|| internal("no upstream was given"))?;
    let seconds = |name| matches.get_one::<u64>(name).copied().map(Duration::from_secs);
    let timeout = seconds("timeout").ok_or_else(|| internal("timeout has a default"))?;
    let upstream = Upstream::new(url, timeout).map_err(|why| invalid(format!("--upstream: {why}")))?;
    let hosts: Vec<String> = matches.get_many::<String>("host").unwrap_or_default().cloned().collect();
    for host in &hosts {
        check_host(host).map_err(|why| invalid(format!("--host: {why}")))?;
    }
    let groups: Vec<String> = matches.get_many::<String>("groups").unwrap_or_default().cloned().collect();
    let file = matches.get_one::<OsString>("users").map(OsString::as_os_str);
    let users = users::read(file, matches.get_one::<String>("user").map(String::as_str), groups)?;
    let settings = site::Settings {
        upstream,
        users,
        hosts,
        jwt_endpoint: matches.get_flag("jwt_endpoint"),
        session_time: seconds("session_seconds"),
    };
    serve(matches, settings)
}

fn serve(matches: &ArgMatches, settings: site::Settings) -> Result<Report, Error> {
    let listen: SocketAddr = *matches.get_one("listen").ok_or_else(|| internal("listen has a default"))?;
    if !listen.ip().is_loopback() && !matches.get_flag("allow_remote") {
        let why = "can be reached from other machines, whose users could be anyone; to allow that, add --allow-remote";
        return Err(invalid(format!("--listen {listen}: {} {why}", listen.ip())));
    }
    let fault = |error: io::Error| internal(error.to_string());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(fault)?;
    runtime.block_on(async {
        let stop = Stop::on_signals().map_err(fault)?;
        let ended = end(matches.get_flag("until_stdin_closes")).map_err(fault)?;
        let listener = Listener::bind(listen).await.map_err(|error| invalid(format!("--listen {listen}: {error}")))?;
        let site = Arc::new(Site::new(settings, listener.address().port()));
        announce(site.route()).map_err(fault)?;
        let answer = move |request| {
            let site = site.clone();
            async move { site.answer(request).await }
        };
        tokio::select! {
            () = listener.serve(None, stop, answer) => {}
            () = ended => {}
        }
        Ok(Report::from(String::new()))
    })
}

/// The one line that the application needs, once requests are answered; the rest is for people.
fn announce(route: &str) -> io::Result<()> {
    // The reader may be gone
    let _ = writeln!(
        anstream::stderr(),
        "{WARNING}\nOpen {route}, and choose a user at {route}{}. The application needs this environment:",
        page::PATH
    );
    let mut stdout = io::stdout();
    writeln!(stdout, "POMERIUM_JWT_ROUTE={route}").and_then(|()| stdout.flush())
}

/// Ends when standard input does, if that is wanted; otherwise never.
fn end(until_stdin_closes: bool) -> io::Result<impl Future<Output = ()>> {
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let mut tell = Some(tell);
    if until_stdin_closes {
        let tell = tell.take();
        std::thread::Builder::new().spawn(move || {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            drop(tell);
        })?;
    }
    Ok(async move {
        let _ = told.await; // nothing is sent: it ends when the sender is dropped
        drop(tell);
    })
}
