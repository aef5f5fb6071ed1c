//! `doctor` before servers that are broken in one way each.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use pomerium_jwt_issuer::{SigningKey, key_set};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use crate::shell::{Answer, Shell, key};

/// The name for which every certificate but one is made.
const HOST: &str = "app.example.com";

/// What a server says to each request.
struct Site {
    status: &'static str,
    headers: String,
    keys: String,
    /// The issuer at `/.well-known/pomerium`; empty: 404.
    issuer: String,
}

impl Site {
    fn good() -> Self {
        Self {
            status: "200 OK",
            headers: format!("Cache-Control: max-age=60\r\nDate: {}\r\n", date(0)),
            keys: key_set([&key()]),
            issuer: format!("https://{HOST}:8443/"),
        }
    }

    fn answer(&self, path: &str) -> String {
        let about = json!({ "issuer": self.issuer }).to_string();
        let (status, body) = match path {
            "/.well-known/pomerium" if self.issuer.is_empty() => ("404 Not Found", "<!doctype html>"),
            "/.well-known/pomerium" => ("200 OK", about.as_str()),
            _ => (self.status, self.keys.as_str()),
        };
        let mut answer = format!("HTTP/1.1 {status}\r\n{}", self.headers);
        let _ = write!(answer, "Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        answer
    }
}

/// The time so many seconds ahead, as an HTTP date.
fn date(ahead: i64) -> String {
    let offset = Duration::from_secs(ahead.unsigned_abs());
    let now = SystemTime::now();
    httpdate::fmt_http_date(if ahead < 0 { now - offset } else { now + offset })
}

/// A certification authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "authority of a test");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("a certificate"))
    }

    fn sign(&self, name: &str, change: impl Fn(&mut CertificateParams)) -> Arc<ServerConfig> {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        change(&mut parameters);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.0).expect("a certificate");
        config(certificate.der().clone(), &key)
    }
}

fn self_signed() -> Arc<ServerConfig> {
    let parameters = CertificateParams::new(vec![HOST.to_owned()]).expect("a name");
    let key = KeyPair::generate().expect("a key");
    config(parameters.self_signed(&key).expect("a certificate").der().clone(), &key)
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Arc::new(builder.with_single_cert(vec![certificate], key).expect("a certificate that fits its key"))
}

/// Serves on a free port until the test ends, and gives its address.
fn serve(site: Site, tls: Option<Arc<ServerConfig>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A client that hangs up has seen enough
            let _ = match &tls {
                Some(tls) => {
                    let connection = ServerConnection::new(tls.clone()).expect("a configuration");
                    exchange(StreamOwned::new(connection, stream), &site)
                }
                None => exchange::<TcpStream>(stream, &site),
            };
        }
    });
    address
}

fn exchange<S: Read + Write>(stream: S, site: &Site) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    while stream.read_line(&mut request)? > 2 {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    stream.get_mut().write_all(site.answer(path).as_bytes())?;
    stream.get_mut().flush()
}

/// The steps of an answer, as `name: outcome` and what was said of it.
fn steps(answer: &Answer) -> Vec<(String, String)> {
    let found: Value = serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("no JSON: {answer:?}"));
    let text = |step: &Value, name: &str| step[name].as_str().unwrap_or_default().to_owned();
    let steps = found["steps"].as_array().expect("steps").iter();
    steps
        .map(|step| {
            (
                format!("{}: {}", text(step, "step"), text(step, "outcome")),
                text(step, "seen") + " | " + &text(step, "change"),
            )
        })
        .collect()
}

#[test]
fn each_broken_server_fails_at_its_step() {
    type Row<'a> = (&'a str, Site, Option<Arc<ServerConfig>>, i32, &'a str, &'a [&'a str]);
    let authority = Authority::new();
    let right = || Some(authority.sign(HOST, |_| {}));
    let site = |change: fn(&mut Site)| {
        let mut site = Site::good();
        change(&mut site);
        site
    };
    let expired = |parameters: &mut CertificateParams| parameters.not_after = date_time_ymd(2020, 1, 1);
    let early = |parameters: &mut CertificateParams| parameters.not_before = date_time_ymd(3000, 1, 1);
    let rows: [Row<'_>; 18] = [
        ("nothing is wrong", Site::good(), right(), 0, "issuer: passed", &["https://app.example.com:8443/"]),
        (
            "another name",
            Site::good(),
            Some(authority.sign("other.example.com", |_| {})),
            3,
            "tls: failed",
            &["certificate for other.example.com", "--route https://other.example.com --connect-to 127.0.0.1:"],
        ),
        ("self-signed", Site::good(), Some(self_signed()), 3, "tls: failed", &["signed by itself", "ca_file"]),
        (
            "another authority",
            Site::good(),
            Some(Authority::new().sign(HOST, |_| {})),
            3,
            "tls: failed",
            &["signed by CN=authority of a test", "ca_file"],
        ),
        (
            "expired",
            Site::good(),
            Some(authority.sign(HOST, expired)),
            3,
            "tls: failed",
            &["valid until Wed, 01 Jan 2020", "Renew the certificate, or correct this machine's clock"],
        ),
        ("not yet valid", Site::good(), Some(authority.sign(HOST, early)), 3, "tls: failed", &["Wait until"]),
        ("plain http", Site::good(), None, 3, "tls: failed", &["https port"]),
        (
            "a page for keys",
            site(|site| site.keys = "<!doctype html><title>Sign in</title>".to_owned()),
            right(),
            3,
            "keys: failed",
            &["Pomerium route"],
        ),
        ("no keys", site(|site| site.keys = key_set([])), right(), 3, "keys: failed", &["empty", "signing_key"]),
        ("404", site(|site| site.status = "404 Not Found"), right(), 3, "keys: failed", &["answered 404"]),
        (
            "a redirect",
            site(|site| {
                site.status = "302 Found";
                site.headers.push_str("Location: https://authenticate.example.com/\r\n");
            }),
            right(),
            3,
            "keys: failed",
            &["answered 302"],
        ),
        (
            "a key that cannot be used",
            site(|site| site.keys = r#"{"keys":[{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}]}"#.to_owned()),
            right(),
            3,
            "keys: failed",
            &["not usable: unsupported curve"],
        ),
        (
            "a kid that is not the thumbprint",
            site(|site| site.keys = site.keys.replace(&key().thumbprint(), "renamed")),
            right(),
            0,
            "keys: warning",
            &["renamed is usable", "thumbprint"],
        ),
        (
            "no max-age",
            site(|site| site.headers = format!("Cache-Control: no-store\r\nDate: {}\r\n", date(0))),
            right(),
            0,
            "cache: warning",
            &["no-store"],
        ),
        (
            "an old copy",
            site(|site| site.headers = format!("Cache-Control: max-age=60\r\nAge: 50\r\nDate: {}\r\n", date(-50))),
            right(),
            0,
            "cache: warning",
            &["Age: 50", "rotations"],
        ),
        (
            "a clock off by an hour",
            site(|site| site.headers = format!("Cache-Control: max-age=60\r\nDate: {}\r\n", date(-3_600))),
            right(),
            3,
            "clock: failed",
            &["ahead of the server's, more than leeway (60 s)", "NTP"],
        ),
        (
            "another issuer",
            site(|site| site.issuer = "https://internal.example.com/".to_owned()),
            right(),
            3,
            "issuer: failed",
            &["request to https://internal.example.com/", "Host header"],
        ),
        ("no issuer", site(|site| site.issuer = String::new()), right(), 0, "issuer: warning", &["answered 404"]),
    ];
    let shell = Shell::new();
    shell.write("ca.pem", authority.0.pem());
    for (what, site, tls, exit_code, outcome, expected) in rows {
        let address = serve(site, tls);
        let line = format!("pomerium-jwt doctor --route https://{HOST} --connect-to {address} --ca-file ca.pem");
        let answer = shell.run(&format!("{line} --json"));
        assert_eq!(answer.exit_code, exit_code, "{what}: {answer:?}");
        let steps = steps(&answer);
        let Some((_, said)) = steps.iter().find(|(step, _)| step == outcome) else {
            panic!("{what}: no {outcome} in {steps:#?}");
        };
        for words in expected {
            assert!(said.contains(words), "{what}: {words:?} is missing: {said}");
        }
        let failed = steps.iter().filter(|(step, _)| step.ends_with(": failed")).count();
        assert_eq!(failed, usize::from(exit_code == 3), "{what}: one step fails: {steps:#?}");
    }
}

#[test]
fn it_stops_where_the_next_step_cannot_be_reached() {
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let table = [
        (format!("--route https://{nobody}"), "connection", "tls, keys, cache, clock, issuer"),
        ("--route https://no-such-name.invalid".to_owned(), "name", "connection, tls, keys, cache, clock, issuer"),
        (
            format!("--route https://no-such-name.invalid --connect-to {nobody}"),
            "connection",
            "tls, keys, cache, clock, issuer",
        ),
        ("--route http://192.0.2.1".to_owned(), "connection", "tls, keys, cache, clock, issuer"),
    ];
    let shell = Shell::new();
    for (flags, step, rest) in table {
        let answer = shell.run(&format!("pomerium-jwt doctor {flags}"));
        assert_eq!((answer.exit_code, answer.stderr.as_str()), (3, ""), "{flags}: {answer:?}");
        assert!(answer.stdout.contains(&format!("\n  FAILED   {step:10}  ")), "{flags}: {answer:?}");
        assert!(answer.stdout.contains(&format!("\n  Not reached: {rest}\n")), "{flags}: {answer:?}");
    }
}

#[test]
fn it_prints_the_environment_that_the_application_needs() {
    let authority = Authority::new();
    let address = serve(Site::good(), Some(authority.sign(HOST, |_| {})));
    let shell = Shell::new();
    shell.write("ca.pem", authority.0.pem());
    let from_flags =
        shell.run(&format!("pomerium-jwt doctor --route https://{HOST} --connect-to {address} --ca-file ca.pem"));
    let (_, lines) = from_flags.stdout.split_once("The application's environment\n").expect("the lines");
    let expected = format!(
        "  POMERIUM_JWT_ROUTE=https://{HOST}\n  POMERIUM_JWT_CA_FILE=ca.pem\n  POMERIUM_JWT_CONNECT_TO={address}\n"
    );
    assert_eq!(lines, expected, "{from_flags:?}");
    // They are all that it takes
    let words = lines.split_whitespace().collect::<Vec<_>>().join(" ");
    let again = shell.run(&format!("{words} pomerium-jwt doctor"));
    assert_eq!(again.exit_code, 0, "{again:?}");
}

#[test]
fn proxies_are_shown_without_their_passwords() {
    let shell = Shell::new();
    let issuer = crate::issuer::Issuer::start(&shell, "");
    let line = format!("HTTPS_PROXY=http://user:secret@127.0.0.1:1 pomerium-jwt doctor --route {}", issuer.url);
    let answer = shell.run(&line);
    assert!(answer.stdout.contains("HTTPS_PROXY=http://127.0.0.1:1; not used for http"), "{answer:?}");
    assert!(!answer.stdout.contains("secret"), "{answer:?}");
    let far = shell.run(
        "HTTPS_PROXY=http://user:secret@127.0.0.1:1 pomerium-jwt doctor --route https://no-such-name.invalid --json",
    );
    assert_eq!(far.exit_code, 3, "{far:?}");
    assert!(far.stdout.contains("(by HTTPS_PROXY)") && !far.stdout.contains("secret"), "{far:?}");
}

#[test]
fn a_proxy_that_fails_is_told_from_the_server() {
    let answer =
        Shell::new().run("HTTPS_PROXY=http://127.0.0.1:1 pomerium-jwt doctor --route https://no-such-name.invalid");
    assert_eq!(answer.exit_code, 3, "{answer:?}");
    for expected in [
        "\n  FAILED   proxy",
        "list no-such-name.invalid in NO_PROXY",
        "\n  skipped  name",
        "the proxy has to lead there",
    ] {
        assert!(answer.stdout.contains(expected), "{expected}: {answer:?}");
    }
}

/// A proxy that leads every connection to this address, and gives its own.
fn proxy(target: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|count| count == 1) {
                request.push(byte[0]);
            }
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("a client that reads");
            let mut server = TcpStream::connect(&target).expect("the server listens");
            let (mut back, mut answers) = (client.try_clone().expect("a copy"), server.try_clone().expect("a copy"));
            thread::spawn(move || std::io::copy(&mut client, &mut server));
            thread::spawn(move || {
                let copied = std::io::copy(&mut answers, &mut back);
                let _ = back.shutdown(std::net::Shutdown::Both); // the client may have gone
                copied
            });
        }
    });
    address
}

#[test]
fn what_only_a_proxy_reaches_is_no_failure() {
    const FAR: &str = "no-such-name.invalid";
    let authority = Authority::new();
    let proxy = proxy(serve(Site::good(), Some(authority.sign(FAR, |_| {}))));
    let shell = Shell::new();
    shell.write("ca.pem", authority.0.pem());
    let line = format!("HTTPS_PROXY=http://{proxy} pomerium-jwt doctor --route https://{FAR} --ca-file ca.pem");
    let answer = shell.run(&line);
    assert_eq!(answer.exit_code, 0, "{answer:?}");
    for expected in [
        "\n  warning  proxy",
        "but the keys were fetched, by the proxy\n",
        "\n  ok       keys",
        "\n  Not reached: connection, tls, cache, clock, issuer\n",
    ] {
        assert!(answer.stdout.contains(expected), "{expected}: {answer:?}");
    }
}

#[test]
fn keys_that_are_not_fetched_need_no_way() {
    let shell = Shell::new();
    shell.write("none.json", key_set([]));
    shell.write("other.json", key_set([&SigningKey::generate()]));
    for (file, exit_code) in [("keys.json", 0), ("other.json", 0), ("none.json", 3)] {
        let answer = shell.run(&format!("pomerium-jwt doctor --route https://{HOST} --jwks-file {file} --json"));
        assert_eq!(answer.exit_code, exit_code, "{file}: {answer:?}");
        assert_eq!(steps(&answer).len(), 1, "{file}: {answer:?}");
    }
    let without = shell.run("pomerium-jwt doctor");
    assert_eq!(without.exit_code, 2, "{without:?}");
    assert!(without.stderr.contains("--route"), "{without:?}");
}
