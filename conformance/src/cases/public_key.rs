//! One public key: PEM, a certificate, base64 of either, and the files that hold keys.

use serde_json::json;

use crate::{
    case::{Case, Draft, case},
    fixtures::{
        CERTIFICATE, COMPRESSED, EC_PARAMETERS, ED25519, EXPLICIT, KEY, OTHER, P384, REQUEST, RSA, RSA_1536,
        RSA_CERTIFICATE, SECP256K1, base64, base64url, der, jwk, key_set,
    },
};

pub(crate) fn cases() -> Vec<Case> {
    [accepted(), refused(), any_kid(), rsa(), files()].concat()
}

fn public_key(id: &str, note: &str, text: impl Into<String>) -> Draft {
    case(format!("public-key-{id}"), note).source("public_key", text.into())
}

fn accepted() -> Vec<Case> {
    let pem = KEY.public_key_pem();
    let body = base64(der(&pem));
    let begin = "-----BEGIN PUBLIC KEY-----";
    let end = "-----END PUBLIC KEY-----";
    let with = |id: &str, note: &str, text: String| public_key(id, note, text).accepted();
    vec![
        with("pem", "what openssl ec -pubout writes", pem.clone()),
        with("pem-crlf", "with both line ends", pem.replace('\n', "\r\n")),
        with("pem-trimmed", "without the last line end, as environment variables have it", pem.trim_end().to_owned()),
        with("pem-one-line", "the body in one line", format!("{begin}\n{body}\n{end}\n")),
        with("pem-commented", "text before the block (RFC 7468 section 2)", format!("key of app.example.com\n{pem}")),
        with("pem-text-behind", "text after the block", format!("{pem}end of the key\n")),
        with("pem-blank-lines", "blank lines round the block", format!("\n\n{pem}\n\n")),
        with("pem-byte-order-mark", "a byte order mark before it", format!("\u{feff}{pem}")),
        with(
            "ec-parameters",
            "what openssl ecparam writes without -noout stands first",
            format!("{EC_PARAMETERS}{pem}"),
        ),
        with("two", "the first of two blocks counts", format!("{pem}{}", OTHER.public_key_pem())),
        with(
            "certificate",
            "a certificate is an envelope: its dates, here ahead, are not asked for",
            CERTIFICATE.to_owned(),
        ),
        with("certificate-crlf", "with both line ends", CERTIFICATE.replace('\n', "\r\n")),
        with("certificate-chain", "of a chain the first", format!("{CERTIFICATE}{RSA_CERTIFICATE}")),
        with("base64-pem", "base64 of the PEM, as Pomerium's own settings are", base64(&pem)),
        with("base64-pem-crlf", "base64 of the PEM with both line ends", base64(pem.replace('\n', "\r\n"))),
        with("base64-certificate", "base64 of the certificate", base64(CERTIFICATE)),
        with("base64-ec-parameters", "base64 of both blocks", base64(format!("{EC_PARAMETERS}{pem}"))),
        with("base64-line-ends", "as the command base64 breaks it", broken(&base64(&pem))),
        with("base64-spaces", "with spaces round it", format!("  {}\n", base64(&pem))),
    ]
}

fn broken(text: &str) -> String {
    text.as_bytes().chunks(76).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
}

fn refused() -> Vec<Case> {
    let pem = KEY.public_key_pem();
    let with = |id: &str, note: &str, text: String, part: &str| public_key(id, note, text).invalid(part);
    let private = KEY.to_pem();
    let pem_of =
        |label: &str, bytes: &[u8]| format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", broken64(bytes));
    let mut off_curve = der(&pem);
    *off_curve.last_mut().expect("bytes") ^= 1;
    let infinity = [&der(&pem)[..der(&pem).len() - 64], &[0; 64]].concat();
    let not_pem = "neither PEM nor base64 of PEM";
    vec![
        with("empty", "an empty text", String::new(), not_pem),
        with("word", "no key", "secret".to_owned(), not_pem),
        with("path", "a path: there is public_key_file", "/etc/pomerium/key.pem".to_owned(), not_pem),
        with("der-base64", "base64 of DER, not of PEM", base64(der(&pem)), not_pem),
        with("pem-base64url", "base64url of the PEM", base64url(format!("{pem}???")), not_pem),
        with("base64-twice", "base64 twice over", base64(base64(&pem)), not_pem),
        with("jwk", "a JWK", jwk(&KEY).to_string(), "jwks"),
        with("key-set", "a key set", key_set(&[&KEY]).to_string(), "jwks"),
        with(
            "ssh",
            "a key in the form of OpenSSH",
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY= alice".to_owned(),
            not_pem,
        ),
        with("private", "a private key", private.clone(), "private key"),
        with(
            "private-base64",
            "base64 of a private key: Pomerium's signing_key itself",
            base64(&private),
            "private key",
        ),
        with("private-behind-parameters", "after EC PARAMETERS", format!("{EC_PARAMETERS}{private}"), "private key"),
        with(
            "private-behind-public",
            "after the public key: it must not be there at all",
            format!("{pem}{private}"),
            "private key",
        ),
        with("private-before-public", "before the public key", format!("{private}{pem}"), "private key"),
        with("private-pkcs8", "in the form of PKCS #8", pem_of("PRIVATE KEY", b"not even read"), "private key"),
        with("private-encrypted", "encrypted", pem_of("ENCRYPTED PRIVATE KEY", b"not even read"), "private key"),
        with("private-rsa", "an RSA one", RSA.to_pem(), "private key"),
        with("ec-parameters-only", "nothing but EC PARAMETERS", EC_PARAMETERS.to_owned(), "EC PARAMETERS"),
        with("request", "a certificate request", REQUEST.to_owned(), "CERTIFICATE REQUEST"),
        with("pkcs1", "an RSA key without its kind", pem_of("RSA PUBLIC KEY", b"not even read"), "RSA PUBLIC KEY"),
        with("p384", "P-384", P384.to_owned(), "P-256"),
        with("secp256k1", "secp256k1", SECP256K1.to_owned(), "P-256"),
        with("ed25519", "Ed25519", ED25519.to_owned(), "P-256"),
        with("compressed", "a compressed point", COMPRESSED.to_owned(), "compressed"),
        with("explicit", "P-256 written out as a curve of its own", EXPLICIT.to_owned(), "P-256"),
        with("off-curve", "a point that is not on the curve", pem_of("PUBLIC KEY", &off_curve), "public_key"),
        with("infinity", "coordinates of zero", pem_of("PUBLIC KEY", &infinity), "public_key"),
        with(
            "trailing-byte",
            "a byte after the key",
            pem_of("PUBLIC KEY", &[der(&pem), vec![0]].concat()),
            "malformed",
        ),
        with("cut", "half a key", pem_of("PUBLIC KEY", &der(&pem)[..60]), "malformed"),
        with("nothing-inside", "an empty block", pem_of("PUBLIC KEY", &[]), "malformed"),
        with(
            "certificate-relabelled",
            "a certificate that calls itself a key",
            CERTIFICATE.replace("CERTIFICATE", "PUBLIC KEY"),
            "malformed",
        ),
        with(
            "relabelled",
            "a key that calls itself a certificate",
            pem.replace("PUBLIC KEY", "CERTIFICATE"),
            "malformed",
        ),
        with("no-end", "the last line is missing", pem.replace("-----END PUBLIC KEY-----\n", ""), "malformed PEM"),
        with(
            "other-end",
            "the last line belongs to another block",
            pem.replace("END PUBLIC", "END OTHER"),
            "malformed PEM",
        ),
        with("damaged", "a letter that is not base64", pem.replacen("MFkw", "MF*w", 1), "malformed PEM"),
        with(
            "escaped-line-ends",
            "line ends written as a backslash and an n, as JSON in an environment variable leaves them",
            pem.replace('\n', "\\n"),
            "line ends",
        ),
        with("joined-lines", "line ends lost", pem.replace('\n', " "), "malformed PEM"),
    ]
}

/// base64 in lines of 64 letters.
fn broken64(bytes: &[u8]) -> String {
    base64(bytes).as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
}

/// A PEM key has no kid and answers to any.
fn any_kid() -> Vec<Case> {
    let with = |id: &str, note: &str, header: &str| {
        public_key(&format!("kid-{id}"), note, KEY.public_key_pem()).header(header)
    };
    vec![
        with("other", "any kid", r#"{"alg":"ES256","kid":"main","typ":"JWT"}"#).accepted(),
        with("missing", "no kid", r#"{"alg":"ES256","typ":"JWT"}"#).accepted(),
        with("empty", "an empty kid", r#"{"alg":"ES256","kid":"","typ":"JWT"}"#).accepted(),
        with("harmful", "a kid that no message shows", r#"{"alg":"ES256","kid":"../x"}"#)
            .signed_by(&OTHER)
            .refused_saying("signature_invalid", "a kid that is not 1 to 64 of A-Z a-z 0-9 - _"),
        public_key("kid-explained", "a bad signature: the message compares the kids", KEY.public_key_pem())
            .minted_by(&OTHER)
            .refused_saying(
                "signature_invalid",
                format!("kid {}, the configured key is {}", OTHER.thumbprint(), KEY.thumbprint()),
            ),
    ]
}

fn rsa() -> Vec<Case> {
    let both = |draft: Draft| draft.option("algorithms", json!(["ES256", "RS256"]));
    let pem = RSA.public_key_pem();
    vec![
        both(public_key("rsa", "an RSA key, and RS256 is allowed", pem.clone())).minted_by(&RSA).accepted(),
        both(public_key("rsa-base64", "in base64", base64(&pem))).minted_by(&RSA).accepted(),
        both(public_key("rsa-certificate", "its certificate", RSA_CERTIFICATE)).minted_by(&RSA).accepted(),
        both(public_key("rsa-es256-token", "a token of the other kind", pem.clone())).refused("key_not_found"),
        public_key("rsa-not-allowed", "an RSA key, and RS256 is not allowed", pem.clone())
            .invalid("RS256 is not in algorithms"),
        public_key("rsa-certificate-not-allowed", "nor its certificate", RSA_CERTIFICATE)
            .invalid("RS256 is not in algorithms"),
        public_key("ec-not-allowed", "nor a P-256 key if only RS256 is allowed", KEY.public_key_pem())
            .option("algorithms", "RS256")
            .invalid("ES256 is not in algorithms"),
        both(public_key("rsa-1536", "too short", RSA_1536)).invalid("1536 bits"),
    ]
}

fn files() -> Vec<Case> {
    let of = |id: &str, note: &str, option: &str, name: &str| {
        case(format!("file-{id}"), note).source(option, format!("files/{name}"))
    };
    let set = |id: &str, note: &str, name: &str| of(&format!("jwks-{id}"), note, "jwks_file", name);
    let key = |id: &str, note: &str, name: &str| of(&format!("key-{id}"), note, "public_key_file", name);
    let not_json = "not strict JSON";
    vec![
        set("good", "a key set", "jwks.json").accepted(),
        set("null", "keys is null: Pomerium without signing_key", "jwks-null.json")
            .refused_saying("keys_empty", "signing_key"),
        set("missing", "no such file", "no-such-file.json").invalid("jwks_file"),
        set("folder", "a folder", "").invalid("jwks_file"),
        set("empty", "an empty file", "empty.json").invalid(not_json),
        set("byte-order-mark", "a byte order mark", "jwks-byte-order-mark.json").invalid(not_json),
        set("cut", "the last brace is missing", "jwks-cut.json").invalid(not_json),
        set("trailing", "two sets in one file", "jwks-trailing.json").invalid(not_json),
        set("deepest", "nested 64 levels deep", "jwks-deepest.json").accepted(),
        set("deep", "nested deeper than 64 levels", "jwks-deep.json").invalid("64 levels"),
        set("reserved", "a name that serde_json uses itself", "jwks-reserved-name.json").invalid("is reserved"),
        set("reserved-escaped", "the same with an escape", "jwks-reserved-escaped.json").invalid("is reserved"),
        set("duplicate-keys", "keys twice", "jwks-duplicate-keys.json").invalid("duplicate name"),
        set("duplicate-member", "one key has two kids", "jwks-duplicate-member.json").invalid("duplicate name"),
        set("duplicate-escaped", "one of them with an escape", "jwks-duplicate-escaped.json").invalid("duplicate name"),
        set("lone-surrogate", "half a character", "jwks-lone-surrogate.json").invalid(not_json),
        set("number-too-large", "a number that no double holds", "jwks-number-too-large.json").invalid(not_json),
        set("list", "a list of keys is not a set", "jwks-list.json").invalid("JWK Set"),
        set("single", "nor is a key", "jwks-single.json").invalid("JWK Set"),
        set("pem", "nor is PEM", "public-key.pem").invalid(not_json),
        key("pem", "PEM", "public-key.pem").accepted(),
        key("pem-crlf", "PEM with both line ends", "public-key-crlf.pem").accepted(),
        key("base64", "base64 of PEM", "public-key.base64").accepted(),
        key("certificate", "a certificate", "certificate.pem").accepted(),
        key("certificate-base64", "base64 of a certificate", "certificate.base64").accepted(),
        key("missing", "no such file", "no-such-file.pem").invalid("public_key_file"),
        key("folder", "a folder", "").invalid("public_key_file"),
        key("empty", "an empty file", "empty.json").invalid("public_key_file"),
        key("der", "DER: binary", "public-key.der").invalid("PEM"),
        key("private", "a private key", "private-key.pem").invalid("private key"),
        key("jwks", "a key set", "jwks.json").invalid("jwks"),
    ]
}
