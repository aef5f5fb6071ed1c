//! What an application is started with, and which cases run then. Seven starts; eight are the most a suite may take.

use std::{ffi::OsString, sync::Arc};

use pomerium_jwt::{Options, Verifier};
use pomerium_jwt_issuer::key_set;
use serde_json::json;

use super::{
    Application,
    case::{Case, script},
    cases::{codes, connections, front, headers, identity, log, methods, open, paths, upgrades},
    process::{Environment, Process},
    timed,
    world::World,
};

/// Another web origin, which `CORS_ORIGIN` allows.
pub(crate) const ORIGIN: &str = "https://front.example.com";

pub(crate) struct Start {
    pub(crate) name: &'static str,
    pub(crate) environment: Environment,
    pub(crate) cases: Vec<Case>,
    /// The environment is wrong: it must end with this sentence.
    pub(crate) refused: Option<String>,
    /// It sleeps most of the time.
    pub(crate) timed: bool,
}

pub(crate) fn plan(world: &Arc<World>) -> Result<Vec<Start>, String> {
    Ok(vec![
        main(world),
        demands(world),
        open(world),
        front(world),
        wrong("misspelt", vec![route(world), ("POMERIUM_JWT_REQUIRED_GROUPS", "admins".to_owned())]),
        wrong("half-configured", vec![("POMERIUM_JWT_EXEMPT_PATHS", "/health".to_owned())]),
        timed::start()?,
    ])
}

fn route(world: &World) -> (&'static str, String) {
    ("POMERIUM_JWT_ROUTE", world.issuer.url().to_owned())
}

fn start(name: &'static str, environment: Environment, cases: Vec<Vec<Case>>) -> Start {
    Start { name, environment, cases: cases.into_iter().flatten().collect(), refused: None, timed: false }
}

fn main(world: &Arc<World>) -> Start {
    let environment = vec![route(world), ("POMERIUM_JWT_EXEMPT_PATHS", paths::EXEMPT.join(","))];
    let summary = summary(&environment);
    let cases = vec![
        log::at_start(summary),
        identity::cases(world),
        headers::cases(world),
        paths::cases(world),
        methods::cases(world),
        upgrades::cases(world),
        connections::cases(world),
        log::at_end(),
    ];
    start("main", environment, cases)
}

/// Every check of the token that an option turns on, another header, and static keys.
fn demands(world: &Arc<World>) -> Start {
    let environment = vec![
        ("POMERIUM_JWT_ISSUER", "127.0.0.1".to_owned()),
        ("POMERIUM_JWT_AUDIENCE", "127.0.0.1".to_owned()),
        ("POMERIUM_JWT_JWKS", key_set(&[world.issuer.signing_key()])),
        ("POMERIUM_JWT_HEADER_NAME", "Authorization".to_owned()),
        ("POMERIUM_JWT_REQUIRE_GROUP", json!(["ops", "a,b"]).to_string()),
        ("POMERIUM_JWT_EXPECT_CLAIMS", json!({"department": ["it", "hr"]}).to_string()),
        ("POMERIUM_JWT_MAX_TOKEN_AGE", "120".to_owned()),
        ("POMERIUM_JWT_MAX_TOKEN_BYTES", "4096".to_owned()),
        ("POMERIUM_JWT_LEEWAY", "5".to_owned()),
        ("POMERIUM_JWT_EXEMPT_PATHS", r#"["/health"]"#.to_owned()),
    ];
    start("demands", environment, vec![codes::cases(world)])
}

/// Tokens are optional, and nobody in particular may come.
fn open(world: &Arc<World>) -> Start {
    let environment = vec![
        route(world),
        ("POMERIUM_JWT_OPTIONAL", "true".to_owned()),
        ("POMERIUM_JWT_ALLOW_ANONYMOUS", "1".to_owned()),
        ("POMERIUM_JWT_EXEMPT_PATHS", "/admin,/open/*".to_owned()),
    ];
    start("open", environment, vec![open::cases(world)])
}

/// Middleware in front of ours: CORS, and one that rewrites the path.
fn front(world: &Arc<World>) -> Start {
    let environment = vec![
        route(world),
        ("POMERIUM_JWT_REQUIRE_GROUP", "staff,admins".to_owned()),
        ("POMERIUM_JWT_EXEMPT_PATHS", "/health,/public/*".to_owned()),
        ("CORS_ORIGIN", ORIGIN.to_owned()),
        ("REWRITE", "/public/page=/admin".to_owned()),
    ];
    start("front", environment, vec![front::cases(world)])
}

/// An environment with which no verifier can be made.
fn wrong(name: &'static str, environment: Environment) -> Start {
    let error = verifier(&environment).err();
    let sentence =
        error.map_or_else(|| "no sentence: these options are right".to_owned(), |error| error.message().to_owned());
    let case = script(format!("environment-{name}"), |_| Err("it was started".to_owned()));
    Start { name, environment, cases: vec![case], refused: Some(sentence), timed: false }
}

fn summary(environment: &Environment) -> String {
    verifier(environment).map_or_else(|error| error.to_string(), |verifier| verifier.summary())
}

/// The core's own, with the same environment.
fn verifier(environment: &Environment) -> Result<Verifier, pomerium_jwt::Error> {
    let variables = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Verifier::new(Options::from_variables(variables)?)
}

/// It ends by itself, says why in the core's words, and never answers.
pub(crate) fn refuses(application: &Application, environment: &Environment, sentence: &str) -> Result<(), String> {
    let (status, printed) = Process::ending(application, environment)?;
    if status.success() {
        return Err(format!("it ended with exit code 0, as if all were well\n{printed}"));
    }
    if printed.contains("http://127.0.0.1:") {
        return Err(format!("it said that it listens\n{printed}"));
    }
    if !says(&printed, sentence) {
        return Err(format!("standard error does not hold the core's sentence: {sentence}\n{printed}"));
    }
    Ok(())
}

/// Whether a log holds this sentence, quoted or not.
pub(crate) fn says(log: &str, sentence: &str) -> bool {
    let plain =
        |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace() && !"\\\"'`".contains(*c)).collect() };
    plain(log).contains(&plain(sentence))
}
