//! The README's program, started as it stands.

use std::{process::Command, time::Duration};

use tokio::net::TcpStream;

use super::{get, issuer, token, with};

#[tokio::test]
async fn the_readme_s_program_greets() {
    let issuer = issuer();
    let address = "127.0.0.1:8080".parse().expect("the address in hello.rs");
    assert!(TcpStream::connect(address).await.is_err(), "something else listens on port 8080: stop it");
    let mut program = Command::new(env!("CARGO_BIN_EXE_hello"));
    let mut program = program.env("POMERIUM_JWT_ROUTE", issuer.url()).spawn().expect("it starts");
    while TcpStream::connect(address).await.is_err() {
        assert!(program.try_wait().expect("its state").is_none(), "it has ended by itself");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let greeted = get(address, "/", &with(&token(&issuer))).await;
    let refused = get(address, "/", "").await;
    program.kill().and_then(|()| program.wait()).expect("it ends");
    assert!(greeted.0 == 200 && greeted.1.ends_with("Hello alice@example.com\n"), "{greeted:?}");
    assert!(refused.0 == 401 && refused.1.ends_with(r#"{"error":"token_missing"}"#), "{refused:?}");
}
