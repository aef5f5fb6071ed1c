//! https under the generated private CA, with a client that trusts nothing else.

use std::{
    fs,
    io::{ErrorKind, Read as _},
    net::TcpStream,
    sync::Arc,
};

use crate::common::openssl_text;
use crate::http::{connect, receive, send};
use pomerium_jwt_issuer::{Fault, KEY_SET_PATH, Server, ServerOptions, Tls};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

fn start(tls: &Tls) -> Server {
    Server::start(ServerOptions { tls: Some(tls.clone()), ..ServerOptions::default() }).expect("a free port")
}

/// A connection that has done its handshake, or why not.
fn connect_tls(server: &Server, name: &str, ca_pem: &str) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("PEM")).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = connect(server.address());
    connection.complete_io(&mut stream).map_err(|error| error.to_string())?;
    Ok(StreamOwned::new(connection, stream))
}

#[test]
fn its_own_ca_vouches_for_loopback_and_the_hosts() {
    let tls = Tls::generate(["app.example.com", "*.apps.example.com", "192.0.2.7", "localhost"]).expect("hosts");
    let server = start(&tls);
    assert_eq!(server.url(), format!("https://{}", server.address()));
    assert_eq!(server.ca_pem(), Some(tls.ca_pem.as_str()));
    for name in ["localhost", "127.0.0.1", "::1", "app.example.com", "a.apps.example.com", "192.0.2.7"] {
        let mut stream = connect_tls(&server, name, &tls.ca_pem).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        send(&mut stream, &format!("GET {KEY_SET_PATH}"), "", "");
        let answer = receive(&mut stream);
        assert_eq!((answer.status, answer.body), (200, server.key_set()), "{name}");
    }
}

#[test]
fn other_names_and_other_cas_fail() {
    let tls = Tls::generate(["app.example.com"]).expect("hosts");
    let server = start(&tls);
    let other = Tls::generate(["app.example.com"]).expect("hosts");
    for (name, ca_pem, expected) in [
        ("other.example.com", &tls.ca_pem, "not valid for name"),
        ("app.example.com", &other.ca_pem, "BadSignature"),
        ("127.0.0.2", &tls.ca_pem, "not valid for name"),
    ] {
        let error = connect_tls(&server, name, ca_pem).map(|_| ()).expect_err(name);
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn openssl_finds_nothing_wrong_with_the_certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    let tls = Tls::generate(["app.example.com"]).expect("hosts");
    for (name, text) in [("ca.pem", &tls.ca_pem), ("server.pem", &tls.certificate_pem)] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let path = folder.path().display();
    let command = format!(
        "verify -x509_strict -purpose sslserver -verify_hostname app.example.com -CAfile {path}/ca.pem {path}/server.pem"
    );
    assert!(openssl_text(&command, b"").ends_with("server.pem: OK\n"));
}

#[test]
fn reset_and_hang_come_after_the_handshake() {
    let tls = Tls::generate(["app.example.com"]).expect("hosts");
    let server = start(&tls);
    for (fault, expected) in [
        (Fault::Reset, &[ErrorKind::ConnectionReset][..]),
        (Fault::Hang, &[ErrorKind::WouldBlock, ErrorKind::TimedOut]),
    ] {
        server.fault(fault);
        let mut stream = connect_tls(&server, "localhost", &tls.ca_pem).expect("a handshake");
        send(&mut stream, &format!("GET {KEY_SET_PATH}"), "", "");
        if fault == Fault::Hang {
            stream.sock.set_read_timeout(Some(std::time::Duration::from_millis(300))).expect("a timeout can be set");
        }
        let error = stream.read(&mut [0]).expect_err("no answer").kind();
        assert!(expected.contains(&error), "{fault:?}: {error}");
    }
}

#[test]
fn the_same_certificate_serves_after_a_restart() {
    let tls = Tls::generate(["app.example.com"]).expect("hosts");
    let listen = start(&tls).address();
    let again = Server::start(ServerOptions { listen, tls: Some(tls.clone()), ..ServerOptions::default() });
    connect_tls(&again.expect("the same port"), "app.example.com", &tls.ca_pem).expect("trusted as before");
}

#[test]
fn what_fits_no_certificate_is_refused() {
    let tls = Tls::generate(["app.example.com"]).expect("hosts");
    let other = Tls::generate(["app.example.com"]).expect("hosts");
    for (certificate_pem, key_pem, expected) in [
        ("", tls.key_pem.as_str(), "certificate"),
        (&tls.certificate_pem, "", "key_pem"),
        (&tls.certificate_pem, &other.key_pem, "certificate"),
    ] {
        let (certificate_pem, key_pem) = (certificate_pem.to_owned(), key_pem.to_owned());
        let wrong = Tls { ca_pem: tls.ca_pem.clone(), certificate_pem, key_pem };
        let error = Server::start(ServerOptions { tls: Some(wrong), ..ServerOptions::default() }).expect_err(expected);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(Tls::generate(["höst"]).is_err(), "a certificate has ASCII names");
}

#[test]
fn a_client_without_tls_disturbs_nobody() {
    let tls = Tls::generate(["app.example.com"]).expect("hosts");
    let server = start(&tls);
    let mut plain = connect(server.address());
    send(&mut plain, "GET /stats", "", "");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "no answer in plain text");
    connect_tls(&server, "localhost", &tls.ca_pem).expect("still there");
}

#[test]
fn debug_shows_no_private_key() {
    let tls = Tls::generate(["app.example.com"]).expect("hosts");
    let shown = format!("{:?}", ServerOptions { tls: Some(tls), ..ServerOptions::default() });
    assert!(shown.contains("BEGIN CERTIFICATE") && !shown.contains("PRIVATE KEY"), "{shown}");
}
