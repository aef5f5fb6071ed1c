//! `demo`: a key, tokens, and the verifier's answers.
//!
//! Every line printed is a real outcome; an outcome other than the one announced ends the demo.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pomerium_jwt::{Error, ErrorCode, Identity, Options, Verifier};
use pomerium_jwt_issuer::{Assertion, Server, ServerOptions, SigningKey, key_set};
use serde_json::Value;

use crate::report::{BAD, GOOD, HEADING, Report, internal};

const HOST: &str = "app.example.com";
const OTHER_HOST: &str = "payroll.example.com";

/// Tokens that Pomerium servers minted, with the options and the time each was recorded for.
const GENUINE: &str = include_str!("../../conformance/genuine.json");
const GENUINE_ID: &str = "typical-user";

pub(crate) fn run() -> Result<Report, Error> {
    let mut output = String::new();
    Ok(match tell(&mut output) {
        Ok(()) => Report::from(output),
        Err(failure) => Report::ended_by(output, failure),
    })
}

fn tell(output: &mut String) -> Result<(), Error> {
    paragraph(
        output,
        "Pomerium adds a signed token to every request that it lets through, in X-Pomerium-Jwt-Assertion.\n\
         An application that verifies it knows who is calling, and that the request came through Pomerium.",
    );
    let pomerium = Pomerium::new()?;
    show_key(output, &pomerium.key);
    let token = pomerium.assertion(pomerium.now).mint(&pomerium.key);
    show_token(output, &token)?;
    show_verified(output, &pomerium, &token)?;
    show_genuine(output)?;
    show_refusals(output, &pomerium, &token)?;
    paragraph(
        output,
        "Your own token: copy the header's value from a request into a file, and run\n  \
         pomerium-jwt inspect --route https://YOUR-HOST < TOKEN-FILE",
    );
    Ok(())
}

/// The stand-in for Pomerium, and the application's verifier, which fetches the key set from it.
struct Pomerium {
    key: SigningKey,
    server: Server,
    verifier: Verifier,
    now: i64,
}

impl Pomerium {
    fn new() -> Result<Self, Error> {
        let key = SigningKey::generate();
        let server_options =
            ServerOptions { host: Some(HOST.to_owned()), keys: vec![key.clone()], ..ServerOptions::default() };
        let server = Server::start(server_options)
            .map_err(|error| internal(format!("the server on loopback did not start: {error}")))?;
        let options = Options::for_route(format!("https://{HOST}")).jwks_url(server.key_set_url());
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let now = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Ok(Self { key, server, verifier: Verifier::new(options)?, now })
    }

    fn assertion(&self, issued_at: i64) -> Assertion {
        Assertion::new(HOST, issued_at)
            .user("google-oauth2|103254719", "alice@example.com", "Alice Example")
            .groups(["admins", "staff"])
            .session("7f2b7e0c-3f0d-4d2c-9e0e-0d5a3c1b9a11")
    }
}

fn show_key(output: &mut String, key: &SigningKey) {
    heading(output, "1. A signing key, made for this run");
    paragraph(
        output,
        "Pomerium keeps the private half (its setting signing_key). It publishes the public half as a key set\n\
         on every route, at /.well-known/pomerium/jwks.json:",
    );
    paragraph(output, &format!("  {}", key_set([key])));
}

fn show_token(output: &mut String, token: &str) -> Result<(), Error> {
    heading(output, "2. A token, minted as Pomerium mints it for one request");
    paragraph(output, &format!("  X-Pomerium-Jwt-Assertion: {token}"));
    let parts: Vec<&str> = token.split('.').collect();
    let text = |part: &str| String::from_utf8(decode(part)?).map_err(unexpected);
    paragraph(
        output,
        &format!(
            "Three parts in base64url, joined by dots. Anyone can read them; only the holder of the key can sign them:\n  \
             header     {}\n  \
             payload    {}\n  \
             signature  {} bytes over header and payload",
            text(parts[0])?,
            text(parts[1])?,
            decode(parts[2])?.len()
        ),
    );
    Ok(())
}

fn show_verified(output: &mut String, pomerium: &Pomerium, token: &str) -> Result<(), Error> {
    heading(output, "3. The token verified");
    let identity = pomerium.verifier.verify(token)?;
    paragraph(
        output,
        &format!(
            "The application is configured with its route, https://{HOST}. It fetched the key set, here from a\n\
             stand-in for Pomerium on this machine ({} request). The signature is valid, the token has not expired,\n\
             and it is for this application. So this is who is calling:",
            pomerium.server.fetches()
        ),
    );
    paragraph(output, &serde_json::to_string_pretty(&identity).map_err(unexpected)?);
    if pomerium.server.fetches() != 1 {
        return Err(unexpected("the key set was not fetched once"));
    }
    expect(output, "verified", identity.email.as_deref() == Some("alice@example.com") && !identity.anonymous)
}

fn show_genuine(output: &mut String) -> Result<(), Error> {
    heading(output, "4. A token of a real Pomerium server");
    let cases: Vec<Value> = serde_json::from_str(GENUINE).map_err(unexpected)?;
    let case = cases.iter().find(|case| case["id"] == GENUINE_ID).ok_or_else(|| unexpected("the token is missing"))?;
    let (Some(token), Some(now)) = (case["token"].as_str(), case["now"].as_i64()) else {
        return Err(unexpected("the recorded case has no token or time"));
    };
    let identity = Verifier::from_json(case["options"].to_string())?.verify_at(token, now)?;
    paragraph(
        output,
        &format!(
            "Recorded from Pomerium {}, verified with that server's key set as of the time it was minted:\n  {}",
            case["pomerium"].as_str().unwrap_or_default(),
            summary(&identity)
        ),
    );
    let same = serde_json::to_value(&identity).map_err(unexpected)? == case["expect"]["identity"];
    expect(output, "verified, and every field is the one expected", same)
}

fn show_refusals(output: &mut String, pomerium: &Pomerium, token: &str) -> Result<(), Error> {
    heading(output, "5. Three tokens that are refused, and the message for the log");
    let Pomerium { key, now, .. } = pomerium;
    let expired = pomerium.assertion(now - 600).mint(key);
    let for_another = pomerium.assertion(*now).audience(OTHER_HOST).mint(key);
    let altered = alter(token)?;
    let refusals = [
        ("Copied from a request ten minutes ago; a token is valid for five", expired, ErrorCode::TokenExpired),
        (
            "For another application of the same Pomerium, which signs with one key for all",
            for_another,
            ErrorCode::AudienceMismatch,
        ),
        ("The token of step 2 with the e-mail changed to mallory@example.com", altered, ErrorCode::SignatureInvalid),
    ];
    for (story, token, code) in refusals {
        paragraph_start(output, story);
        let error = match pomerium.verifier.verify(&token) {
            Ok(_) => return expect(output, "the token was accepted", false),
            Err(error) => error,
        };
        paragraph(output, &format!("  {BAD}{}{BAD:#}: {}", error.code(), error.message()));
        if error.code() != code {
            return Err(unexpected(format!("{code} was expected")));
        }
    }
    Ok(())
}

/// Another payload under the same signature.
fn alter(token: &str) -> Result<String, Error> {
    let parts: Vec<&str> = token.split('.').collect();
    let payload = String::from_utf8(decode(parts[1])?).map_err(unexpected)?;
    let altered = payload.replace("alice@example.com", "mallory@example.com");
    if altered == payload {
        return Err(unexpected("the token does not contain alice"));
    }
    Ok(format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(altered), parts[2]))
}

fn decode(part: &str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(part).map_err(unexpected)
}

fn summary(identity: &Identity) -> String {
    let name = identity.name.as_deref().unwrap_or_default();
    let email = identity.email.as_deref().unwrap_or_default();
    format!("{name} <{email}>, subject {}, issuer {}", identity.subject, identity.issuer)
}

fn expect(output: &mut String, outcome: &str, as_said: bool) -> Result<(), Error> {
    if !as_said {
        return Err(unexpected(outcome));
    }
    paragraph(output, &format!("  {GOOD}{outcome}{GOOD:#}"));
    Ok(())
}

/// An outcome that the demo did not announce.
fn unexpected(why: impl std::fmt::Display) -> Error {
    internal(format!("the demo had another outcome than announced: {why}"))
}

fn heading(output: &mut String, text: &str) {
    paragraph_start(output, &format!("{HEADING}{text}{HEADING:#}"));
}

fn paragraph_start(output: &mut String, text: &str) {
    let _ = writeln!(output, "{text}"); // writing to a String cannot fail
}

fn paragraph(output: &mut String, text: &str) {
    let _ = writeln!(output, "{text}\n");
}
