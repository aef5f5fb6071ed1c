//! Reads a token from standard input and says who is calling. The environment says what to check:
//! `POMERIUM_JWT_ROUTE=https://app.example.com verify < token`

use std::{io, process::ExitCode};

use pomerium_jwt::{ErrorKind, Verifier};

fn main() -> ExitCode {
    let verifier = Verifier::from_env();
    let token = io::read_to_string(io::stdin()).unwrap_or_default();
    match verifier.and_then(|verifier| verifier.verify(token.trim_end())) {
        Ok(identity) => {
            println!("{} {}", identity.subject, identity.email.as_deref().unwrap_or("-"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(match error.kind() {
                ErrorKind::Token | ErrorKind::Access => 1,
                ErrorKind::Options => 2,
                ErrorKind::Keys => 3,
                _ => 70,
            })
        }
    }
}
