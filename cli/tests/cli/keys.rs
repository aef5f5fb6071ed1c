//! Keys made by the commands of Pomerium's own documentation, given in every form and by every way.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    process::Command,
    thread,
};

use pomerium_jwt_issuer::{Fault, Server, ServerOptions, SigningKey, Withdrawal, key_set};

use crate::shell::{NOW, Shell, assertion};

const BY_OPENSSL: &[(&str, &str)] = &[
    ("ecparam -genkey -name prime256v1 -out private.pem", "with an EC PARAMETERS block"),
    ("ecparam -genkey -name prime256v1 -noout -out private.pem", "with -noout"),
];

#[test]
fn a_key_of_the_documented_commands_is_accepted_in_every_form() {
    for (make, what) in BY_OPENSSL {
        let shell = Shell::new();
        openssl(&shell, make);
        openssl(&shell, "ec -in private.pem -pubout -out public.pem");
        openssl(&shell, "req -x509 -days 1000000 -key private.pem -subj /CN=pomerium -out certificate.pem");
        for name in ["public.pem", "certificate.pem"] {
            openssl(&shell, &format!("base64 -in {name} -out {name}.base64"));
            openssl(&shell, &format!("base64 -A -in {name} -out {name}.line"));
        }
        let key = SigningKey::from_pem(&read(&shell, "private.pem")).expect("what openssl has made");
        shell.write("token.txt", assertion().mint(&key));
        shell.write("keys.json", key_set([&key]));
        for name in ["public.pem", "certificate.pem"] {
            for form in ["", ".base64", ".line"] {
                check_both_ways(&shell, "public-key", &format!("{name}{form}"), what);
            }
        }
        check_both_ways(&shell, "jwks", "keys.json", what);
        for file in ["public.pem", "certificate.pem", "public.pem.base64", "certificate.pem.line", "keys.json"] {
            let answer = shell.run(&format!("pomerium-jwt keys {file}"));
            assert_eq!(answer.exit_code, 0, "{what}, keys {file}: {answer:?}");
            assert!(answer.stdout.contains(&key.thumbprint()), "{what}, keys {file}: {answer:?}");
        }
    }
}

/// By content and by file, as flag and as environment variable.
fn check_both_ways(shell: &Shell, option: &str, file: &str, what: &str) {
    let content = read(shell, file);
    let in_file = format!("{option}-file");
    let now = NOW.to_string();
    let token = read(shell, "token.txt");
    let verify = ["verify", "--route", "https://app.example.com", "--at", &now];
    for (option, value) in [(option, content.as_str()), (&in_file, file)] {
        let flag = format!("--{option}");
        let variable = format!("POMERIUM_JWT_{}", option.replace('-', "_").to_uppercase());
        let by_flag = shell.run_words([], verify.into_iter().chain([flag.as_str(), value]), token.as_bytes());
        assert_eq!(by_flag.exit_code, 0, "{what}, {flag} {file}: {by_flag:?}");
        let by_variable = shell.run_words([(variable.as_str(), value)], verify, token.as_bytes());
        assert_eq!(by_variable.exit_code, 0, "{what}, {variable} {file}: {by_variable:?}");
    }
}

#[test]
fn a_key_of_somebody_else_is_not_accepted() {
    let shell = Shell::new();
    openssl(&shell, "ecparam -genkey -name prime256v1 -noout -out private.pem");
    openssl(&shell, "ec -in private.pem -pubout -out public.pem");
    let line = format!("verify --route https://app.example.com --public-key-file public.pem --at {NOW} < token.txt");
    let answer = shell.run(&format!("pomerium-jwt {line}"));
    assert_eq!(answer.exit_code, 1, "{answer:?}");
    assert!(answer.stderr.starts_with("signature_invalid: "), "{answer:?}");
}

#[test]
fn a_private_key_is_refused_and_the_right_command_named() {
    let shell = Shell::new();
    openssl(&shell, "ecparam -genkey -name prime256v1 -noout -out private.pem");
    let answer = shell.run("pomerium-jwt verify --route https://app.example.com --public-key-file private.pem");
    assert_eq!(answer.exit_code, 2, "{answer:?}");
    assert!(answer.stderr.contains("openssl ec -in KEY -pubout"), "{answer:?}");
}

#[test]
fn the_exit_code_of_keys_says_whether_one_is_usable() {
    let shell = Shell::new();
    openssl(&shell, "ecparam -genkey -name secp384r1 -noout -out p384.pem");
    openssl(&shell, "ec -in p384.pem -pubout -out p384-public.pem");
    openssl(&shell, "genrsa -out rsa.pem 2048");
    openssl(&shell, "pkey -in rsa.pem -pubout -out rsa-public.pem");
    shell.write("none.json", key_set([]));
    shell.write("secret.json", r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#);
    shell.write("list.json", "[]");
    shell.write("page.html", "<!doctype html>");
    shell.write("binary.der", [0x30, 0x82, 0xff]);
    let table = [
        (0, "keys.json"),
        (0, "rsa-public.pem"),
        (3, "none.json"),
        (3, "secret.json"),
        (2, "p384-public.pem"),
        (2, "rsa.pem"),
        (2, "list.json"),
        (2, "page.html"),
        (2, "binary.der"),
        (2, "missing.json"),
        (2, "."),
    ];
    for (exit_code, file) in table {
        let answer = shell.run(&format!("pomerium-jwt keys {file}"));
        assert_eq!(answer.exit_code, exit_code, "{file}: {answer:?}");
        assert_eq!(answer.stderr.lines().count(), usize::from(exit_code == 2), "{file}: {answer:?}");
        assert_eq!(answer.stdout.is_empty(), exit_code == 2, "{file}: {answer:?}");
        assert!(exit_code != 2 || answer.stderr.contains(file), "the file is not named: {answer:?}");
    }
}

fn read(shell: &Shell, name: &str) -> String {
    std::fs::read_to_string(shell.path().join(name)).expect(name)
}

fn openssl(shell: &Shell, command: &str) {
    let output = Command::new("openssl").args(command.split(' ')).current_dir(shell.path()).output();
    let output = output.expect("these tests need the `openssl` command: apt-get install openssl");
    assert!(output.status.success(), "openssl {command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An address that answers its first requests, one after the other, with these bodies.
fn serve(bodies: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let answering = thread::spawn(move || {
        let answer = |body: String| {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).expect("a request");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).expect("a client that reads");
            line
        };
        bodies.into_iter().map(answer).collect()
    });
    (address, answering)
}

#[test]
fn a_key_has_its_own_type_and_a_url_without_path_gets_one() {
    let shell = Shell::new();
    let key = |members: &str| format!(r#"{{"kid":"a","use":"sig","alg":"ES256",{members}}}"#);
    let keys = [
        (key(r#""kty":"EC","crv":"P-384","x":"AA","y":"AA""#), "1. EC P-384, not usable: unsupported curve \"P-384\""),
        (key(r#""kty":"EC","crv":"P-256","x":"AA","y":"AA""#), "2. EC P-256, not usable: malformed"),
        (key(r#""kty":"EC""#), "3. EC, not usable"),
        (key(r#""kty":"OKP","crv":"Ed25519""#), "4. OKP Ed25519, not usable"),
        (key(r#""kty":7"#), "5. unknown type, not usable"),
        ("7".to_owned(), "6. unknown type, not usable"),
        (SigningKey::generate().jwk(), "7. EC P-256, usable"),
    ];
    let set = format!(r#"{{"keys":[{}]}}"#, keys.each_ref().map(|(key, _)| key.as_str()).join(","));
    shell.write("set.json", &set);
    let paths = ["", "/", "//", "/.well-known/pomerium/jwks.json", "/other.json", "/a/", "/?b"];
    let (url, requests) = serve(vec![set; paths.len()]);
    let answers = paths.map(|path| shell.run(&format!("pomerium-jwt keys {url}{path}")));
    for answer in answers.iter().chain([&shell.run("pomerium-jwt keys set.json")]) {
        assert_eq!(answer.exit_code, 0, "{answer:?}");
        for (_, line) in &keys {
            assert!(answer.stdout.contains(&format!("\n{line}")), "{line}: {answer:?}");
        }
    }
    let well_known = "GET /.well-known/pomerium/jwks.json HTTP/1.1\r\n";
    let others = ["/other.json", "/a/", "/?b"].map(|path| format!("GET {path} HTTP/1.1\r\n"));
    let expected: Vec<String> = [well_known; 4].map(str::to_owned).into_iter().chain(others).collect();
    assert_eq!(requests.join().expect("all were asked"), expected);
    assert!(answers[0].stdout.starts_with(&format!("{url}/.well-known/pomerium/jwks.json: 7 keys")), "{answers:?}");
}

#[test]
fn keys_are_listed_from_where_they_are_served() {
    let shell = Shell::new();
    let server = Server::start(ServerOptions::default()).expect("a free port");
    let list = || shell.run(&format!("pomerium-jwt keys {}", server.key_set_url()));
    let answer = list();
    assert_eq!(answer.exit_code, 0, "{answer:?}");
    assert!(answer.stdout.contains(&server.signing_key().thumbprint()), "{answer:?}");
    // of the environment's options only those about fetching count
    let others =
        "POMERIUM_JWT_PUBLIC_KEY=x POMERIUM_JWT_ROUTE=https://a POMERIUM_JWT_PIN_KIDS=x POMERIUM_JWT_TIMEOUT=2";
    let with_environment = shell.run(&format!("{others} pomerium-jwt keys {}", server.key_set_url()));
    assert_eq!((with_environment.exit_code, with_environment.stdout), (0, answer.stdout));
    let refused = shell.run(&format!("POMERIUM_JWT_CONNECT_TO=x pomerium-jwt keys {}", server.key_set_url()));
    assert_eq!(refused.exit_code, 2, "{refused:?}");
    server.withdraw(Withdrawal::All);
    let answer = list();
    assert_eq!(answer.exit_code, 3, "{answer:?}");
    assert!(answer.stdout.contains("signing_key"), "an empty set is explained: {answer:?}");
    server.fault(Fault::InternalServerError);
    let answer = list();
    assert_eq!(answer.exit_code, 3, "{answer:?}");
    assert!(answer.stderr.starts_with("keys_unavailable: ") && answer.stderr.contains("500"), "{answer:?}");
}
