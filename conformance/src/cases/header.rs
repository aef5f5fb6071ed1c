//! The JOSE header: `alg`, `crit`, `typ`, `kid`, and what must not be believed in it.

use ring::hmac;
use serde_json::{Value, json};

use crate::{
    case::{Case, Draft, case},
    fixtures::{KEY, OTHER, RSA, base64url, der, jwk, key_set},
};

pub(crate) fn cases() -> Vec<Case> {
    [algorithms(), shared_secrets(), critical(), types(), key_ids(), foreign_keys()].concat()
}

/// A header with this `alg`, in JSON, and the right kid.
fn with_algorithm(algorithm: &str) -> String {
    format!(r#"{{"alg":{algorithm},"kid":"{}","typ":"JWT"}}"#, KEY.thumbprint())
}

/// Signed with the key in every case: only the name is wrong.
fn algorithms() -> Vec<Case> {
    let named = |id: &str, note: &str, json: &str| case(format!("alg-{id}"), note).header(with_algorithm(json));
    let refused = |id: &str, note: &str, json: &str| named(id, note, json).refused("algorithm_not_allowed");
    let unsigned = |draft: Draft| draft.signature(|_| Vec::new()).refused("algorithm_not_allowed");
    vec![
        unsigned(named("none", "no signature wanted, none there", r#""none""#)),
        unsigned(named("none-capital", "in another case", r#""None""#)),
        unsigned(named("none-mixed", "in a third", r#""nOnE""#)),
        unsigned(named("none-upper-case", "in a fourth", r#""NONE""#)),
        refused("none-signed", "none, with a signature that would hold", r#""none""#),
        refused("empty", "an empty name", r#""""#),
        refused("lower-case", "names have a case (RFC 7515 section 4.1.1)", r#""es256""#),
        refused("space-before", "a space before it", r#"" ES256""#),
        refused("space-behind", "a space after it", r#""ES256 ""#),
        refused("nul", "a NUL after it", r#""ES256\u0000""#),
        refused("null", "null", "null"),
        refused("list", "a list", r#"["ES256"]"#),
        refused("object", "an object", r#"{"ES256":true}"#),
        refused("number", "a number", "256"),
        refused("boolean", "a boolean", "true"),
        refused("es384", "another curve", r#""ES384""#),
        refused("es512", "a third curve", r#""ES512""#),
        refused("es256k", "secp256k1", r#""ES256K""#),
        refused("eddsa", "Ed25519", r#""EdDSA""#),
        refused("ed25519", "Ed25519 by its newer name", r#""Ed25519""#),
        refused("rs384", "RSA with another hash", r#""RS384""#),
        refused("ps256", "RSA-PSS", r#""PS256""#),
        refused("oid", "the object identifier of ECDSA", r#""1.2.840.10045.4.3.2""#),
        refused("ecdh", "an algorithm of encryption", r#""ECDH-ES""#),
        refused(
            "pbes2",
            "a password, with work for a verifier that believes it",
            r#""PBES2-HS256+A128KW","p2c":2147483647"#,
        ),
        case("alg-missing", "no alg")
            .header(format!(r#"{{"kid":"{}","typ":"JWT"}}"#, KEY.thumbprint()))
            .refused("algorithm_not_allowed"),
        case("alg-escaped", "the name may be written with escapes")
            .header(with_algorithm(r#""\u0045S256""#).replace("alg", r"\u0061lg"))
            .accepted(),
        named("rs256", "RS256, which algorithms does not list", r#""RS256""#)
            .refused_saying("algorithm_not_allowed", "is Pomerium's key RSA?"),
        named("rs256-key-es256", "RS256 under the kid of a P-256 key", r#""RS256""#)
            .option("algorithms", json!(["ES256", "RS256"]))
            .refused("key_not_found"),
        named("es256-not-listed", "ES256, and algorithms lists RS256 alone", r#""ES256""#)
            .option("algorithms", "RS256")
            .keys(key_set(&[&KEY, &RSA]))
            .refused("algorithm_not_allowed"),
    ]
}

/// The public key passed off as the secret of an HMAC (CVE-2015-9235 and its children).
fn shared_secrets() -> Vec<Case> {
    let pem = KEY.public_key_pem();
    let info = der(&pem);
    let secrets: [(&str, &str, Vec<u8>); 9] = [
        ("pem", "the PEM", pem.clone().into_bytes()),
        ("pem-crlf", "the PEM with both line ends", pem.replace('\n', "\r\n").into_bytes()),
        ("pem-trimmed", "the PEM without its last line end", pem.trim_end().as_bytes().to_vec()),
        ("der", "the DER", info.clone()),
        ("point", "the uncompressed point", info[info.len() - 65..].to_vec()),
        ("coordinates", "the coordinates", info[info.len() - 64..].to_vec()),
        ("jwk", "the JWK", KEY.jwk().into_bytes()),
        ("key-set", "the whole key set", key_set(&[&KEY]).to_string().into_bytes()),
        ("empty", "nothing", Vec::new()),
    ];
    let mut cases = Vec::new();
    for (id, note, secret) in &secrets {
        let draft = case(format!("hs256-{id}"), format!("HS256, the secret is {note}"));
        cases.push(
            draft
                .header(with_algorithm(r#""HS256""#))
                .signature_over(|input| hmac_sha256(secret, input))
                .refused("algorithm_not_allowed"),
        );
    }
    let both = |draft: Draft| draft.option("algorithms", json!(["ES256", "RS256"]));
    let rsa = case("hs256-rsa-pem", "HS256, the secret is the PEM of the RSA key");
    let rsa_header = format!(r#"{{"alg":"HS256","kid":"{}","typ":"JWT"}}"#, RSA.thumbprint());
    let mac = |input: &[u8]| hmac_sha256(RSA.public_key_pem().as_bytes(), input);
    cases
        .push(both(rsa).keys(key_set(&[&RSA])).header(rsa_header).signature_over(mac).refused("algorithm_not_allowed"));
    let mac = |input: &[u8]| hmac_sha256(pem.as_bytes(), input);
    let disguised = case("hs256-named-es256", "an HMAC under the name of ES256: 32 bytes are not a signature");
    cases.push(disguised.signature_over(mac).refused("signature_invalid"));
    let source = case("hs256-public-key", "HS256 against a PEM key source, the secret is its very text");
    let source = source.source("public_key", pem.as_str()).header(with_algorithm(r#""HS256""#));
    cases.push(source.signature_over(mac).refused("algorithm_not_allowed"));
    cases
}

fn hmac_sha256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

/// `crit` demands extensions, and Pomerium uses none (RFC 7515 section 4.1.11).
fn critical() -> Vec<Case> {
    let with = |id: &str, note: &str, member: &str| {
        case(format!("crit-{id}"), note).header_member(member).refused("header_unsupported")
    };
    vec![
        with("unknown", "an extension nobody knows", r#""crit":["http://example.com/x"],"http://example.com/x":1"#),
        with("absent-member", "an extension that is not even there", r#""crit":["x"]"#),
        with("registered", "a name that no crit may hold", r#""crit":["alg"]"#),
        with("claim", "a claim", r#""crit":["exp"],"exp":0"#),
        with("b64", "the unencoded payload of RFC 7797", r#""crit":["b64"],"b64":false"#),
        with("b64-true", "the same, not even used", r#""crit":["b64"],"b64":true"#),
        with("empty", "an empty list", r#""crit":[]"#),
        with("repeated", "one name twice", r#""crit":["x","x"],"x":1"#),
        with("null", "null", r#""crit":null"#),
        with("string", "a string", r#""crit":"x""#),
        with("object", "an object", r#""crit":{}"#),
        with("false", "a boolean", r#""crit":false"#),
        case("crit-b64-without", "b64 alone means nothing: the payload is base64url as always")
            .header_member(r#""b64":false"#)
            .accepted(),
        case("crit-b64-raw", "and a raw payload is not")
            .header_member(r#""b64":false"#)
            .text(|token| {
                let parts: Vec<&str> = token.split('.').collect();
                format!(r#"{}.{{"exp":1}}.{}"#, parts[0], parts[2])
            })
            .refused("token_malformed"),
    ]
}

fn types() -> Vec<Case> {
    let with = |id: &str, note: &str, typ: &str| {
        let header = format!(r#"{{"alg":"ES256","kid":"{}","typ":{typ}}}"#, KEY.thumbprint());
        case(format!("typ-{id}"), note).header(header)
    };
    let refused = |id: &str, note: &str, typ: &str| with(id, note, typ).refused("header_unsupported");
    vec![
        case("typ-missing", "typ is optional")
            .header(format!(r#"{{"alg":"ES256","kid":"{}"}}"#, KEY.thumbprint()))
            .accepted(),
        with("lower-case", "media types have no case", r#""jwt""#).accepted(),
        with("mixed-case", "media types have no case", r#""Jwt""#).accepted(),
        refused("access-token", "an access token of RFC 9068", r#""at+jwt""#),
        refused("logout", "a logout token", r#""logout+jwt""#),
        refused("dpop", "a proof of possession", r#""dpop+jwt""#),
        refused("media-type", "the media type written out: Pomerium does not", r#""application/jwt""#),
        refused("jwe", "an encrypted token", r#""JWE""#),
        refused("jose", "a JWS of any kind", r#""JOSE""#),
        refused("space", "a space after it", r#""JWT ""#),
        refused("empty", "an empty text", r#""""#),
        refused("null", "null", "null"),
        refused("number", "a number", "1"),
        refused("list", "a list", r#"["JWT"]"#),
        case("header-unknown-members", "members without meaning here are ignored (RFC 7515 section 4)")
            .header_member(r#""cty":"JWT","zip":"DEF","enc":"A128GCM","epk":{},"iss":"x","exp":0,"x":[null]"#)
            .accepted(),
    ]
}

/// Which key a token means; `key_not_found` never quotes what is not harmless.
fn key_ids() -> Vec<Case> {
    let header = |kid: &str| format!(r#"{{"alg":"ES256","kid":{kid},"typ":"JWT"}}"#);
    let with = |id: &str, note: &str, kid: &str| case(format!("kid-{id}"), note).header(header(kid));
    let hidden = |id: &str, note: &str, kid: &str| {
        with(id, note, kid).refused_saying("key_not_found", "a kid that is not 1 to 64 of A-Z a-z 0-9 - _")
    };
    let malformed = |id: &str, note: &str, kid: &str| with(id, note, kid).refused("token_malformed");
    let other = OTHER.thumbprint();
    let upper = KEY.thumbprint().to_uppercase();
    let bytes: Vec<u8> = (0..64).step_by(2).map(|at| hex_byte(&KEY.thumbprint()[at..at + 2])).collect();
    let json = |text: &str| format!("{text:?}");
    vec![
        with("unknown", "the kid of another key", &json(&other))
            .refused_saying("key_not_found", format!("kid {other}")),
        with("upper-case", "the right kid in upper case", &json(&upper)).refused("key_not_found"),
        with("base64url", "the thumbprint in base64url, as other issuers write it", &json(&base64url(bytes)))
            .refused("key_not_found"),
        with("prefix", "the first half of the right kid", &json(&KEY.thumbprint()[..32])).refused("key_not_found"),
        with("64-bytes", "the longest kid that a message shows", &json(&"k".repeat(64)))
            .refused_saying("key_not_found", "k".repeat(64)),
        hidden("65-bytes", "one more", &json(&"k".repeat(65))),
        hidden("empty", "an empty kid is a kid", r#""""#),
        hidden("space-behind", "the right kid and a space", &json(&format!("{} ", KEY.thumbprint()))),
        hidden("nul-behind", "the right kid and a NUL", &format!(r#""{}\u0000""#, KEY.thumbprint())),
        hidden("path", "a file", r#""../../../../../../dev/null""#),
        hidden("url", "an address, which nobody asks", r#""https://evil.example/jwks.json""#),
        hidden("sql", "a piece of SQL", r#""' UNION SELECT 'AA""#),
        hidden("line-end", "a second line for the log", r#""a\nb""#),
        malformed("number", "a number", "1"),
        malformed("null", "null", "null"),
        malformed("list", "a list", r#"["a"]"#),
        malformed("object", "an object", "{}"),
        malformed("boolean", "a boolean", "true"),
        case("kid-missing", "no kid, and one key: Pomerium before 0.10")
            .header(r#"{"alg":"ES256","typ":"JWT"}"#)
            .accepted(),
        case("kid-3-kilobytes", "a kid of 3 kB: not in the set, not in the message")
            .token(long_kid(3072))
            .refused_saying("key_not_found", "a kid that is not 1 to 64 of A-Z a-z 0-9 - _"),
        case("kid-64-kilobytes", "a kid of 64 kB: no header is that long")
            .token(long_kid(65_535))
            .refused("token_malformed"),
    ]
}

fn hex_byte(text: &str) -> u8 {
    u8::from_str_radix(text, 16).expect("hex")
}

/// A token that only its header makes remarkable, with a kid of so many bytes, a multiple of three.
fn long_kid(bytes: usize) -> Value {
    let open = r#"{  "alg":"ES256","kid":""#;
    let close = r#""}"#;
    assert_eq!(open.len() % 3, 0, "base64 repeats only at multiples of three bytes");
    json!([base64url(open), [base64url("kkk"), bytes / 3], format!("{}.e30.AAAA", base64url(close))])
}

/// Keys and addresses that the token brings along: not read, never fetched.
fn foreign_keys() -> Vec<Case> {
    let key = jwk(&OTHER);
    let certificate = base64url("certificate");
    let members = [
        ("jwk", format!(r#""jwk":{key}"#)),
        ("jku", r#""jku":"https://evil.example/jwks.json""#.to_owned()),
        ("x5u", r#""x5u":"https://evil.example/certificate.pem""#.to_owned()),
        ("x5c", format!(r#""x5c":["{certificate}"]"#)),
        ("x5t", r#""x5t#S256":"AAAA""#.to_owned()),
    ];
    let mut cases = Vec::new();
    for (name, member) in &members {
        let foreign = case(format!("header-{name}-signed-with-it"), format!("{name} brings the key it is signed with"));
        cases.push(foreign.header_member(member).signed_by(&OTHER).refused("signature_invalid"));
        let ignored =
            case(format!("header-{name}-ignored"), format!("{name} next to a good signature changes nothing"));
        cases.push(ignored.header_member(member).accepted());
    }
    cases.push(
        case("header-jwk-own-kid", "jwk brings the key, and its kid")
            .minted_by(&OTHER)
            .header_member(&members[0].1)
            .refused("key_not_found"),
    );
    cases
}
