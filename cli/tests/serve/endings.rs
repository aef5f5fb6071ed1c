//! TLS, the log, many connections, and the end.

use std::{
    fs,
    io::{Read as _, Write as _},
    process::Command,
};

use pomerium_jwt_issuer::{Server, ServerOptions, Tls};

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
    let kill = Command::new("kill").args(["-s", "TERM", &serve.id().to_string()]).status().expect("kill runs");
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
    let idle: Vec<_> = (0..400).map(|_| open(serve.address)).collect();
    let mut slow = open(serve.address);
    slow.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").unwrap();
    let mut partial = open(serve.address);
    partial.write_all(b"PRI").unwrap();
    for _ in 0..20 {
        assert_eq!(status(&serve.get("/auth", &assertion())), "200");
    }
    drop((idle, slow, partial));
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
        let tls = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        fs::write(&key, tls.signing_key.serialize_pem()).unwrap();
        fs::write(&certificate, tls.cert.pem()).unwrap();
    };
    write("one.example.com");
    let paths = [certificate.to_str().unwrap(), key.to_str().unwrap()];
    let serve = Serve::start(&["--tls-cert", paths[0], "--tls-key", paths[1]]);
    let subject = || {
        let address = serve.address.to_string();
        let script = "openssl s_client -connect $0 </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName";
        let output = Command::new("sh").args(["-c", script, &address]).output().expect("openssl runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(subject().contains("one.example.com"), "{}", subject());
    std::thread::sleep(std::time::Duration::from_millis(1100));
    write("two.example.com");
    assert!(subject().contains("two.example.com"), "{}", subject());
    fs::write(&certificate, "not a certificate").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(subject().contains("two.example.com"), "the last good one stays: {}", subject());
    serve.logs("the last certificate stays in use");
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
