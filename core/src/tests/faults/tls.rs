//! Certificates, and where trust in them comes from.

use std::{fs, sync::Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
    version::TLS12,
};

use super::{
    Expected::{Failure, Keys},
    source::Source,
    *,
};
use crate::LastErrorCode::{Connect, Timeout, Tls};

pub(super) const HOST: &str = "keys.example.test";

/// A certification authority.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate, its issuers' certificates, and its key.
struct Credentials {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self(CertifiedIssuer::self_signed(authority(), generate()).expect("a certificate"))
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// For a server of these names.
    pub(super) fn server(&self, names: &[&str]) -> ServerConfig {
        self.sign(parameters(names)).serve()
    }

    fn sign(&self, parameters: CertificateParams) -> Credentials {
        let key = generate();
        let certificate = parameters.signed_by(&key, &self.0).expect("a certificate");
        Credentials { chain: vec![certificate.der().clone()], key }
    }

    /// An authority below this one.
    fn intermediate(&self) -> Self {
        Self(CertifiedIssuer::signed_by(authority(), generate(), &self.0).expect("a certificate"))
    }
}

impl Credentials {
    fn serve(self) -> ServerConfig {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        builder.with_single_cert(self.chain, key).expect("a certificate that fits its key")
    }
}

fn generate() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn parameters(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    CertificateParams::new(names).expect("names")
}

/// Each with a name of its own: authorities of one name would be taken for each other.
fn authority() -> CertificateParams {
    static COUNT: Mutex<u32> = Mutex::new(0);
    let mut count = COUNT.lock().expect("no panic");
    *count += 1;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, format!("authority {count} of a test"));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

/// `https://HOST/keys`, dialled at this source.
fn dialled(source: &Source, authority: &Authority) -> Options {
    let mut options = options(format!("https://{HOST}/keys"));
    options.connect_to = Some(format!("127.0.0.1:{}", source.port()));
    options.ca_pem = Some(authority.pem());
    options
}

fn tls(config: ServerConfig) -> Source {
    Source::start_tls(config, |peer| peer.serve())
}

#[test]
fn only_a_certificate_of_the_name_and_of_a_trusted_authority_is_accepted() {
    child::alone(|| {
        let authority = Authority::new();
        let other = Authority::new();
        let intermediate = authority.intermediate();
        let at = |change: fn(&mut CertificateParams)| {
            let mut parameters = parameters(&[HOST]);
            change(&mut parameters);
            authority.sign(parameters)
        };
        let whole_chain = || {
            let mut credentials = intermediate.sign(parameters(&[HOST]));
            credentials.chain.push(intermediate.0.der().clone());
            credentials
        };
        let own_authority = || {
            let mut parameters = parameters(&[HOST]);
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            Authority(CertifiedIssuer::self_signed(parameters, generate()).expect("a certificate"))
        };
        let self_signed = own_authority();
        let itself = Credentials { chain: vec![self_signed.0.der().clone()], key: copy(self_signed.0.key()) };
        let unnamed = || Failure(Tls, &["another name", "connect_to"]);
        let unknown = || Failure(Tls, &["unknown CA", "ca_file", "ca_pem"]);
        let rows = [
            ("the right name", at(|_| {}).serve(), &authority, Keys),
            ("a wildcard", authority.server(&["*.example.test"]), &authority, Keys),
            ("a chain", whole_chain().serve(), &authority, Keys),
            ("TLS 1.2", only_tls12(at(|_| {})), &authority, Keys),
            ("another name", authority.server(&["other.example.test"]), &authority, unnamed()),
            ("a name in the subject only", common_name(&authority).serve(), &authority, unnamed()),
            ("another host's wildcard", authority.server(&["*.test"]), &authority, unnamed()),
            ("an address for a name", authority.server(&["127.0.0.1"]), &authority, unnamed()),
            (
                "expired",
                at(|parameters| parameters.not_after = date_time_ymd(2020, 1, 1)).serve(),
                &authority,
                Failure(Tls, &["expired", "clock"]),
            ),
            (
                "not yet valid",
                at(|parameters| parameters.not_before = date_time_ymd(3000, 1, 1)).serve(),
                &authority,
                Failure(Tls, &["not valid yet", "clock"]),
            ),
            ("untrusted", other.server(&[HOST]), &authority, unknown()),
            ("the chain's middle missing", intermediate.server(&[HOST]), &authority, unknown()),
            ("its own authority", itself.serve(), &self_signed, Failure(Tls, &["openssl req -x509", "ca_file"])),
            (
                "client certificates",
                demanding(at(|_| {}), &authority),
                &authority,
                Failure(Tls, &["client certificate", "connect_to"]),
            ),
        ];
        let start = |(name, config, authority, expected)| {
            let source = tls(config);
            let case = Case::new(name, dialled(&source, authority), expected);
            (source, case)
        };
        let (sources, cases): (Vec<_>, Vec<_>) = rows.into_iter().map(start).unzip();
        judge(cases);
        let names: Vec<_> = sources.iter().flat_map(Source::names).collect();
        assert!(names.len() >= 2 * sources.len() && names.iter().all(|name| name.as_deref() == Some(HOST)), "SNI");
    });
}

fn copy(key: &KeyPair) -> KeyPair {
    KeyPair::from_pem(&key.serialize_pem()).expect("its own text")
}

fn common_name(authority: &Authority) -> Credentials {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, HOST);
    authority.sign(parameters)
}

fn only_tls12(credentials: Credentials) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(&[&TLS12]).expect("a version").with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(credentials.key.serialize_der().into());
    builder.with_single_cert(credentials.chain, key).expect("a certificate")
}

/// A server that wants to see a certificate of the client's.
fn demanding(credentials: Credentials, authority: &Authority) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).expect("an authority");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("versions").with_client_cert_verifier(verifier.expect("a verifier"));
    let key = PrivateKeyDer::Pkcs8(credentials.key.serialize_der().into());
    builder.with_single_cert(credentials.chain, key).expect("a certificate")
}

#[test]
fn a_server_that_breaks_the_handshake_is_given_up_in_time() {
    child::alone(|| {
        /// The head of a handshake message, and the first byte of a ServerHello.
        const HALF: &[u8] = b"\x16\x03\x03\0\x7a\x02";
        let slow = || Failure(Timeout, &["within 3 s", "timeout"]);
        let broken = || Failure(Connect, &["broke off", "by connect_to"]);
        // which may already be noticed while connecting
        let reset = || Failure(Connect, &["reset by peer", "by connect_to"]);
        let no_tls = || Failure(Tls, &["does not speak TLS", "plain http", "jwks_url"]);
        type Row = (&'static str, fn(&mut Peer) -> &mut Peer, Expected);
        let rows: [Row; 8] = [
            ("TLS: never a word", |peer| peer.hang(), slow()),
            ("TLS: hangs in the handshake", |peer| peer.send(HALF).hang(), slow()),
            ("TLS: drips in the handshake", |peer| peer.send(&HALF[..5]).drip([0; 99]), slow()),
            ("TLS: closed at once", |peer| peer, broken()),
            ("TLS: closed in the handshake", |peer| peer.send(HALF), broken()),
            ("TLS: reset at once", |peer| peer.reset(), reset()),
            ("TLS: reset in the handshake", |peer| peer.send(HALF).reset(), reset()),
            ("TLS: plain http", |peer| peer.ok("{}").hang(), no_tls()),
        ];
        let authority = Authority::new();
        let start = |(name, behaviour, expected): Row| {
            let source = Source::start(behaviour);
            let case = Case::new(name, dialled(&source, &authority), expected);
            (source, case)
        };
        let (_sources, cases): (Vec<_>, Vec<_>) = rows.into_iter().map(start).unzip();
        judge(cases);
    });
}

#[test]
fn the_name_asked_for_is_the_one_of_the_address_wherever_it_is_dialled() {
    child::alone(|| {
        let authority = Authority::new();
        let source = tls(authority.server(&[HOST, "localhost", "127.0.0.1"]));
        let port = source.port();
        let elsewhere = Some(format!("localhost:{port}"));
        let rows = [
            (format!("https://{HOST}/keys"), elsewhere.clone(), Some(HOST), HOST.to_owned()),
            (format!("https://{HOST}:8443/keys"), elsewhere.clone(), Some(HOST), format!("{HOST}:8443")),
            (format!("https://localhost:{port}/keys"), None, Some("localhost"), format!("localhost:{port}")),
            (format!("https://127.0.0.1:{port}/keys"), None, None, format!("127.0.0.1:{port}")),
            ("https://127.0.0.1/keys".to_owned(), elsewhere, None, "127.0.0.1".to_owned()),
        ];
        for (url, connect_to, name, host) in rows {
            let mut options = options(url.clone());
            options.connect_to = connect_to;
            options.ca_pem = Some(authority.pem());
            let verifier = Verifier::new(options).expect("options");
            verifier.refresh(true).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(source.names().last().expect("a connection").as_deref(), name, "SNI for {url}");
            let request = source.requests().pop().expect("a request").to_ascii_lowercase();
            assert!(request.contains(&format!("\r\nhost: {host}\r\n")), "{url}: {request}");
        }
    });
}

#[test]
fn a_rotated_ca_file_is_read_at_the_next_fetch_and_an_unreadable_one_is_named() {
    child::alone(|| {
        let authority = Authority::new();
        let next = Authority::new();
        let (before, after) = (tls(authority.server(&["127.0.0.1"])), tls(next.server(&["127.0.0.1"])));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        let write = |text: &str| fs::write(&file, text).expect("written");
        write(&authority.pem());
        let clock = TestClock::new();
        let verifier_of = |source: &Source| {
            let mut options = options(format!("https://127.0.0.1:{}/keys", source.port()));
            options.ca_file = Some(file.clone());
            Verifier::build(options, Sender::Library, clock.clone()).expect("options")
        };
        let (old, new) = (verifier_of(&before), verifier_of(&after));
        let fetch = |verifier: &Verifier| {
            clock.pass(1); // one forced refresh a second
            let answer = verifier.refresh(true).map_err(|error| error.message().to_owned());
            let status = verifier.status();
            (status.last_error.map(|error| error.code), answer.err().unwrap_or_default())
        };
        let expect = |verifier: &Verifier, code: Option<LastErrorCode>, part: &str| {
            let (found, message) = fetch(verifier);
            println!("{found:?} {message}");
            assert!(found == code && message.contains(part), "{found:?} {message}, expected {code:?} {part}");
        };
        expect(&old, None, "");
        expect(&new, Some(Tls), "unknown CA");
        write(&next.pem());
        expect(&new, None, "");
        expect(&old, Some(Tls), "unknown CA");
        write(&(authority.pem() + &next.pem()));
        expect(&old, None, "");

        let named = format!("ca_file {}: ", file.display());
        write("");
        expect(&old, Some(Tls), &format!("{named}there is no CERTIFICATE block"));
        write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        expect(&old, Some(Tls), &format!("{named}certificate 1 of 1"));
        fs::remove_file(&file).expect("removed");
        expect(&old, Some(Tls), &format!("{named}No such file"));
        old.verify(token()).expect("the last good keys answer all the while");
    });
}

#[test]
fn a_machine_without_certificates_says_how_to_get_them() {
    if child::is_fetching() {
        return;
    }
    let test = child::name_of(&|| ());
    let authority = Authority::new();
    let source = tls(authority.server(&["127.0.0.1"]));
    let nowhere = [("SSL_CERT_FILE", "/nonexistent/ca.pem"), ("SSL_CERT_DIR", "/nonexistent")];
    let mut options = options(format!("https://127.0.0.1:{}/keys", source.port()));
    let without = child::fetch(test, &options, &nowhere);
    let (code, message) = without.error();
    println!("no certificates: {code} {:.2} s {message}", without.seconds);
    assert!(code == "tls" && message.contains("ca-certificates") && message.contains("ca_file"), "{code} {message}");
    assert_eq!(source.connections(), 0);

    options.ca_pem = Some(authority.pem());
    let with = child::fetch(test, &options, &nowhere);
    assert_eq!(with.status["state"], "fresh", "{}", with.status);
}
