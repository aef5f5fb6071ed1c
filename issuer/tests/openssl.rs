//! Keys made by the `openssl` commands that Pomerium's documentation and its users write.

mod common;

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{openssl, openssl_text};
use p256::ecdsa::Signature;
use pomerium_jwt_issuer::{KeyError, SigningKey};

const ACCEPTED: [(&str, &str); 8] = [
    ("ecparam -genkey -name prime256v1 -noout", "ES256"),
    ("ecparam -genkey -name prime256v1", "ES256"),
    ("ecparam -genkey -name prime256v1 -noout -conv_form compressed", "ES256"),
    ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "ES256"),
    ("genrsa 2048", "RS256"),
    ("genrsa -traditional 2048", "RS256"),
    ("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048", "RS256"),
    ("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072", "RS256"),
];

const REFUSED: [(&str, KeyError); 11] = [
    ("ecparam -genkey -name secp384r1 -noout", KeyError::NotP256),
    ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", KeyError::NotP256),
    ("ecparam -genkey -name secp256k1 -noout", KeyError::NotP256),
    ("genrsa 1024", KeyError::RsaRejected),
    ("genrsa -traditional 1024", KeyError::RsaRejected),
    ("genpkey -algorithm ED25519", KeyError::OtherKind),
    ("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", KeyError::OtherKind),
    ("genrsa -aes128 -passout pass:secret 2048", KeyError::Encrypted),
    ("genrsa -traditional -aes128 -passout pass:secret 2048", KeyError::Encrypted),
    ("ecparam -name prime256v1", KeyError::NoPrivateKey),
    ("rand -hex 32", KeyError::NotPem),
];

fn key(text: &str) -> SigningKey {
    SigningKey::from_pem(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn the_public_key_is_the_one_openssl_sees() {
    for (command, algorithm) in ACCEPTED {
        let pem = openssl(command, b"");
        let key = key(std::str::from_utf8(&pem).expect("PEM is ASCII"));
        assert_eq!(key.algorithm(), algorithm, "{command}");
        // The point is written uncompressed, in any form of the private key's file
        let point = if algorithm == "ES256" { "-ec_conv_form uncompressed" } else { "" };
        assert_eq!(key.public_key_pem(), openssl_text(&format!("pkey -pubout {point}"), &pem), "{command}");
    }
}

#[test]
fn the_private_key_is_given_back() {
    for (command, _) in ACCEPTED {
        let made = key(&openssl_text(command, b""));
        let back = made.to_pem();
        assert_eq!(key(&back).thumbprint(), made.thumbprint(), "{command}");
        assert_eq!(openssl_text("pkey -pubout", back.as_bytes()), made.public_key_pem(), "{command}");
    }
}

#[test]
fn openssl_verifies_the_signature() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a plain path").to_owned();
    let (public_key, signature) = (path("public.pem"), path("signature"));
    for (command, algorithm) in ACCEPTED {
        let key = key(&openssl_text(command, b""));
        let signed = key.sign(b"message");
        assert_eq!(signed, key.sign(b"message"), "{command}: signing twice gives the same bytes");
        // openssl wants r and s as a DER sequence
        let signed = match algorithm {
            "ES256" => Signature::from_slice(&signed).expect("r and s").to_der().as_bytes().to_vec(),
            _ => signed,
        };
        fs::write(&public_key, key.public_key_pem()).expect("writable");
        fs::write(&signature, signed).expect("writable");
        openssl(&format!("dgst -sha256 -verify {public_key} -signature {signature}"), b"message");
    }
}

#[test]
fn a_key_is_read_in_every_form_it_is_pasted_in() {
    for (command, _) in ACCEPTED {
        let pem = openssl_text(command, b"");
        let expected = key(&pem).thumbprint();
        let base64 = STANDARD.encode(&pem);
        let wrapped: Vec<&str> =
            base64.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        for (form, text) in [
            ("base64", base64.clone()),
            ("base64 in lines", wrapped.join("\n") + "\n"),
            ("without a last line break", pem.trim_end().to_owned()),
            ("Windows line ends", pem.replace('\n', "\r\n")),
            ("indented", pem.lines().map(|line| format!("    {line}\n")).collect()),
            ("with text around it", format!("Signing key:\n{pem}end of file\n")),
        ] {
            assert_eq!(key(&text).thumbprint(), expected, "{command}: {form}");
        }
    }
}

#[test]
fn several_keys_keep_their_order_and_the_first_signs() {
    let texts: Vec<String> = ACCEPTED.iter().map(|(command, _)| openssl_text(command, b"")).collect();
    let expected: Vec<String> = texts.iter().map(|text| key(text).thumbprint()).collect();
    let certificate = openssl_text("req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=x", b"");
    let together = certificate + &texts.concat();
    let keys = SigningKey::all_from_pem(&together).expect("only good keys");
    assert_eq!(keys.iter().map(SigningKey::thumbprint).collect::<Vec<_>>(), expected);
    assert_eq!(key(&together).thumbprint(), expected[0]);
}

#[test]
fn keys_that_cannot_be_used_are_refused_with_their_reason() {
    let good = openssl_text(ACCEPTED[0].0, b"");
    for (command, reason) in REFUSED {
        let text = openssl_text(command, b"");
        assert_eq!(SigningKey::from_pem(&text).err(), Some(reason), "{command}");
        // A key that is wrong is not hidden by a good one; a block that is none is passed over
        if !matches!(reason, KeyError::NoPrivateKey | KeyError::NotPem) {
            assert_eq!(SigningKey::all_from_pem(&(good.clone() + &text)).err(), Some(reason), "{command}");
        }
    }
}

#[test]
fn damaged_text_is_refused_with_its_reason() {
    let pem = openssl_text(ACCEPTED[0].0, b"");
    let public_key = key(&pem).public_key_pem();
    let certificate = openssl_text("req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=x", b"");
    for (form, text, reason) in [
        ("empty", String::new(), KeyError::NotPem),
        ("a word", "secret".to_owned(), KeyError::NotPem),
        ("base64 of something else", STANDARD.encode("secret"), KeyError::NotPem),
        ("base64 of bytes", STANDARD.encode([0xff; 32]), KeyError::NotPem),
        ("public key", public_key.clone(), KeyError::PublicKeyOnly),
        ("base64 of a public key", STANDARD.encode(public_key), KeyError::PublicKeyOnly),
        ("certificate", certificate, KeyError::PublicKeyOnly),
        ("cut off", pem[..pem.len() / 2].to_owned(), KeyError::Damaged),
        ("on one line", pem.replace('\n', " "), KeyError::Damaged),
        ("escaped line breaks", pem.replace('\n', "\\n"), KeyError::Damaged),
        ("another end", pem.replace("END EC PRIVATE KEY", "END RSA PRIVATE KEY"), KeyError::Damaged),
        ("another label", pem.replace("EC PRIVATE KEY", "PRIVATE KEY"), KeyError::Damaged),
        ("labelled RSA", pem.replace("EC PRIVATE KEY", "RSA PRIVATE KEY"), KeyError::RsaRejected),
        ("bad base64", pem.replacen("\nM", "\n!", 1), KeyError::Damaged),
        ("bad DER", pem.replacen("\nM", "\nN", 1), KeyError::NotP256),
    ] {
        assert_eq!(SigningKey::from_pem(&text).err(), Some(reason), "{form}:\n{text}");
    }
}
