//! One public key in PEM (RFC 7468), or in a certificate, or either in base64 once more.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pem_rfc7468::Decoder;
use spki::{
    ObjectIdentifier, SubjectPublicKeyInfoRef,
    der::{
        Decode, Encode,
        asn1::{AnyRef, UintRef},
    },
};
use x509_cert::Certificate;

use super::{key::PublicKey, unusable::Unusable};
use crate::wording::quoted;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const PRIME256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

const BEGIN: &str = "-----BEGIN ";

/// Reads one public key.
///
/// # Errors
/// A sentence that says what to write instead.
pub(super) fn read(text: &[u8]) -> Result<PublicKey, Unusable> {
    let binary = |error| Unusable::caused_by("this is not PEM but binary; openssl's -outform PEM writes PEM", error);
    let text = std::str::from_utf8(text).map_err(binary)?;
    if text.contains(BEGIN) {
        return public_key(text);
    }
    let decoded = from_base64(text).ok_or("this is neither PEM nor base64 of PEM; a key set goes into jwks")?;
    public_key(&decoded)
}

/// Pomerium's own settings hold PEM in base64.
fn from_base64(text: &str) -> Option<String> {
    let joined: String = text.split_ascii_whitespace().collect();
    let decoded = String::from_utf8(STANDARD.decode(joined).ok()?).ok()?;
    decoded.contains(BEGIN).then_some(decoded)
}

/// The first usable block: `openssl ecparam` without `-noout` writes an EC PARAMETERS block before the key.
fn public_key(text: &str) -> Result<PublicKey, Unusable> {
    let blocks = blocks(text);
    if blocks.iter().any(|block| block.label.contains("PRIVATE KEY")) {
        let fix = "give the public one, which openssl ec -in KEY -pubout or openssl pkey -in KEY -pubout writes";
        return Err(format!("this is a private key, which the verifier must not have: {fix}").into());
    }
    for block in &blocks {
        match block.label {
            "PUBLIC KEY" => return from_spki(&block.decode()?),
            "CERTIFICATE" => return from_certificate(&block.decode()?),
            _ => {}
        }
    }
    let labels: Vec<String> = blocks.iter().map(|block| quoted(block.label)).collect();
    Err(format!("there is no PUBLIC KEY or CERTIFICATE block, only {}", labels.join(", ")).into())
}

/// One PEM block, from its first line to its last.
struct Block<'t> {
    label: &'t str,
    text: &'t str,
}

impl Block<'_> {
    fn decode(&self) -> Result<Vec<u8>, Unusable> {
        let malformed = |error: pem_rfc7468::Error| {
            let hint = match self.text.contains("\\n") {
                true => "; its line ends are written as \\n: write real ones, or the whole PEM in base64",
                false => "",
            };
            Unusable::caused_by(format!("malformed PEM: {error}{hint}"), error)
        };
        let mut der = Vec::new();
        let mut decoder = Decoder::new_detect_wrap(self.text.as_bytes()).map_err(malformed)?;
        decoder.decode_to_end(&mut der).map_err(malformed)?;
        Ok(der)
    }
}

/// Text before, between and after the blocks is commentary (RFC 7468 section 2), such as the names that
/// `openssl s_client -showcerts` writes.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let starts: Vec<usize> = text.match_indices(BEGIN).map(|(start, _)| start).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let block = |(&start, end): (&usize, usize)| {
        let text = &text[start..end];
        // without its dashes a first line would bring what follows it, and that may be a private key
        let label = text[BEGIN.len()..].split(['-', '\r', '\n']).next().unwrap_or_default();
        let last_line = format!("-----END {label}-----");
        let end = text.find(&last_line).map_or(text.len(), |at| at + last_line.len());
        Block { label, text: &text[..end] }
    };
    starts.iter().zip(ends).map(block).collect()
}

fn from_certificate(der: &[u8]) -> Result<PublicKey, Unusable> {
    let malformed = |error| Unusable::caused_by(format!("malformed certificate: {error}"), error);
    // An envelope for the key and nothing more: neither its dates nor its issuer are asked for
    let certificate = Certificate::from_der(der).map_err(malformed)?;
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der();
    from_spki(&spki.map_err(malformed)?)
}

/// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7, RFC 5480 for EC).
fn from_spki(der: &[u8]) -> Result<PublicKey, Unusable> {
    let malformed = |error: spki::der::Error| Unusable::caused_by(format!("malformed public key: {error}"), error);
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(malformed)?;
    let key = info.subject_public_key.as_bytes().ok_or("malformed public key: a bit string with unused bits")?;
    match info.algorithm.oid {
        EC_PUBLIC_KEY => {
            if info.algorithm.parameters_oid() != Ok(PRIME256V1) {
                return Err("the key is on another curve: ES256 is P-256, which openssl calls prime256v1".into());
            }
            Ok(from_point(key)?)
        }
        RSA_ENCRYPTION => {
            let numbers = AnyRef::from_der(key).map_err(malformed)?;
            let (n, e) = numbers
                .sequence(|reader| Ok::<_, spki::der::Error>((UintRef::decode(reader)?, UintRef::decode(reader)?)))
                .map_err(malformed)?;
            Ok(PublicKey::rs256(n.as_bytes(), e.as_bytes())?)
        }
        other => Err(format!("the key is of an unsupported kind ({other}): P-256 and RSA are accepted").into()),
    }
}

/// An uncompressed point (SEC 1 section 2.3.3).
fn from_point(point: &[u8]) -> Result<PublicKey, String> {
    let Some((4, coordinates)) = point.split_first().map(|(form, rest)| (*form, rest)) else {
        return Err("the point is compressed: write it with openssl ec -pubin -conv_form uncompressed".to_owned());
    };
    match (coordinates.first_chunk(), coordinates.last_chunk(), coordinates.len()) {
        (Some(x), Some(y), 64) => PublicKey::es256(x, y, &[]),
        _ => Err("malformed public key: a P-256 point has 65 bytes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAhfmF/C2RDkoJ4+WmZ5pojpPLBUr
321s32bluAKC1O0ZSn3ry5dxLS3aPKhaqHZaVvRfx1hZllLyiXxlMG5XlA==
-----END PUBLIC KEY-----
";

    #[test]
    fn only_blocks_are_read_and_no_private_one_is_passed_over() {
        let private = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
        let table = [
            (PUBLIC.to_owned(), ""),
            (format!("before\n{PUBLIC}behind\n"), ""),
            (format!("\n\n{PUBLIC}\n\n"), ""),
            (format!("{PUBLIC}{private}"), "private key"),
            (format!("{private}{PUBLIC}"), "private key"),
            (PUBLIC.replace('\n', "\\n"), "line ends"),
            (PUBLIC.replace("-----END PUBLIC KEY-----\n", ""), "malformed PEM"),
            (private.replace("PRIVATE KEY", "PARAMETERS"), "only \"EC PARAMETERS\""),
            (private.replace("EC PRIVATE KEY-----", "EC PRIVATE KEY----"), "private key"),
            (private.replace("EC PRIVATE KEY-----", "EC PRIVATE KEY -----"), "private key"),
            (private.replace("-----\n", ""), "private key"),
            (private.replace("PRIVATE KEY-----", "PARAMETERS"), "only \"EC PARAMETERS\""),
        ];
        for (text, why) in table {
            let found = public_key(&text).map(|_| String::new()).unwrap_or_else(|why| why.to_string());
            assert!(found.contains(why), "{text}: {found:?} does not say {why:?}");
            assert_eq!(found.is_empty(), why.is_empty(), "{text}: {found}");
            assert!(!found.contains("AAAA"), "{text}: {found}");
        }
    }
}
