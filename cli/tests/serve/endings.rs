//! TLS, the log, many connections, and the end.

use std::{
    fs,
    io::{Read as _, Write as _},
    process::Command,
    sync::Arc,
};

use pomerium_jwt_issuer::{Server, ServerOptions, Tls};

use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};

use crate::world::{Serve, assertion, open, status, upstream};

#[test]
fn a_signal_ends_it_after_the_request_that_is_running() {
    let slow = upstream(|mut stream| {
        let mut buffer = [0; 1024];
        let _ = stream.read(&mut buffer);
        std::thread::sleep(std::time::Duration::from_millis(700));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone");
    });
    let serve = Serve::start(&["--upstream", &slow]);
    let mut running = open(serve.address);
    running.write_all(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", assertion()).as_bytes()).unwrap();
    let idle = open(serve.address);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let kill = Command::new("sh").args(["-c", &format!("kill -s TERM {}", serve.id())]).status().expect("sh runs");
    assert!(kill.success());
    let mut answer = String::new();
    running.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    assert_eq!(serve.wait(), Some(0));
    drop(idle);
}

#[test]
fn idle_and_slow_connections_hold_up_nobody() {
    let serve = Serve::start(&[]);
    // The other tests and what they start need some
    let limit = raise_file_limit().saturating_sub(1_000).min(10_000);
    assert!(limit > 2_000, "this test needs a hard limit of 3,000 open files: `ulimit -Hn`");
    let idle: Vec<_> = (0..limit).map(|_| open(serve.address)).collect();
    let mut slow = open(serve.address);
    slow.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").unwrap();
    let mut partial = open(serve.address);
    partial.write_all(b"PRI").unwrap();
    for _ in 0..20 {
        assert_eq!(status(&serve.get("/auth", &assertion())), "200");
    }
    drop((idle, slow, partial));
}

/// Of this process; as many as it may have.
fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to the hard limit");
    maximum.unwrap_or(u64::MAX)
}

#[test]
fn the_limit_of_headers_is_envoys() {
    let serve = Serve::start(&[]);
    let filler = |bytes: usize| format!("X-Filler: {}\r\n{}", "a".repeat(bytes), assertion());
    assert_eq!(status(&serve.get("/auth", &filler(120 * 1024))), "200");
    assert_eq!(status(&serve.get("/auth", &filler(140 * 1024))), "431");
}

#[test]
fn the_certificate_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let write = |name: &str| {
        let new = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        fs::write(&key, new.signing_key.serialize_pem()).unwrap();
        fs::write(&certificate, new.cert.pem()).unwrap();
        new.cert.der().clone()
    };
    let one = write("one.example.com");
    let paths = [certificate.to_str().unwrap(), key.to_str().unwrap()];
    let serve = Serve::start(&["--tls-cert", paths[0], "--tls-key", paths[1]]);
    assert_eq!(over_tls(&serve, &one, "one.example.com"), Ok("200".to_owned()));
    // The files are looked at once a second
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let two = write("two.example.com");
    assert_eq!(over_tls(&serve, &two, "two.example.com"), Ok("200".to_owned()));
    assert!(over_tls(&serve, &one, "one.example.com").is_err(), "the old one is gone");
    fs::write(&certificate, "not a certificate").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(over_tls(&serve, &two, "two.example.com"), Ok("200".to_owned()), "the last good one stays");
    serve.logs("the last certificate stays in use");
}

/// The status of the answer to a request of somebody who trusts this certificate alone.
fn over_tls(serve: &Serve, certificate: &CertificateDer<'static>, name: &'static str) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).map_err(|error| error.to_string())?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
    let client = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut stream = StreamOwned::new(client, open(serve.address));
    let request = format!("GET /auth HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", assertion());
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).map_err(|error| error.to_string())?;
    Ok(status(&String::from_utf8_lossy(&answer)).to_owned())
}

#[test]
fn keys_come_over_tls_with_a_private_ca() {
    let tls = Tls::generate(["localhost"]).unwrap();
    let ca = tls.ca_pem.clone();
    let issuer = Server::start(ServerOptions { tls: Some(tls), ..ServerOptions::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.pem"), folder.path().join("b.pem"));
    fs::write(&first, &ca).unwrap();
    fs::write(&second, &ca).unwrap();
    let list = format!("{},{}", first.display(), second.display());
    let token = issuer.mint(&issuer.assertion().user("alice", "a@b", "A"));
    let line = format!("X-Pomerium-Jwt-Assertion: {token}\r\n");
    let url = issuer.key_set_url();
    let serve = Serve::with(&[("JWKS_ENDPOINT", &url), ("EXTRA_CA_CERTS", &list)], &[]);
    assert!(serve.get("/", &line).contains("<h1>Verified</h1>"));
    let without = Serve::with(&[("JWKS_ENDPOINT", &*url)], &[]);
    assert!(without.get("/", &line).contains("<h1>Keys unavailable</h1>"));
}

#[test]
fn the_access_log_is_json_without_users_and_queries() {
    let mut serve = Serve::start(&["--access-log"]);
    serve.get("/auth/a?secret=1", &assertion());
    let line = serve.line();
    let shown: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!((&shown["method"], &shown["path"], &shown["status"]), (&"GET".into(), &"/auth/a".into(), &200.into()));
    assert!(!line.contains("secret") && !line.contains("alice"), "{line}");
}
