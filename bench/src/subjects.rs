//! What is compared: one line in [`all`] for each.

use std::{ops::Range, sync::Arc};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED as AWS_LC_ES256, ParsedPublicKey};
use openssl::{
    bn::BigNum,
    ec::{EcGroup, EcKey},
    ecdsa::EcdsaSig,
    nid::Nid,
    sha::sha256,
};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use pomerium_jwt_es256::Way;
use pomerium_jwt_issuer::{Server, ServerOptions};
use ring::signature::{ECDSA_P256_SHA256_FIXED as RING_ES256, UnparsedPublicKey};

use crate::pool::{HOST, Pool, Signed};

/// Every subject, ready to verify what is in the pools. What the others are compared with comes first.
pub fn all(pools: Vec<Pool>) -> Vec<Subject> {
    let pools = Arc::new(pools);
    let subject = |library, work, version: String, prepare: fn(&Pool) -> Verify| Subject {
        library,
        work,
        version,
        keys: pools.iter().map(prepare).collect(),
        pools: Arc::clone(&pools),
    };
    vec![
        subject("pomerium-jwt", "es256", crate_version("pomerium-jwt-es256"), pomerium_jwt_es256),
        subject("pomerium-jwt scalar", "es256", crate_version("pomerium-jwt-es256"), scalar_es256),
        subject("aws-lc-rs", "es256", crate_version("aws-lc-rs"), aws_lc_rs_es256),
        subject("ring", "es256", crate_version("ring"), ring_es256),
        subject("openssl", "es256", openssl_version(), openssl_es256),
        subject("p256", "es256", crate_version("p256"), p256_es256),
        subject("pomerium-jwt", "whole token", crate_version("pomerium-jwt"), pomerium_jwt_token),
        subject("pomerium-jwt scalar", "whole token", crate_version("pomerium-jwt"), scalar_token),
        subject("jsonwebtoken aws-lc", "whole token", crate_version("jsonwebtoken"), jsonwebtoken_token),
    ]
}

/// A library at one kind of work.
pub struct Subject {
    pub library: &'static str,
    pub work: &'static str,
    pub version: String,
    keys: Vec<Verify>,
    pools: Arc<Vec<Pool>>,
}

/// Whether a signature holds under a key that has been prepared as far as the library can.
type Verify = Box<dyn Fn(&Signed) -> bool + Send + Sync>;

impl Subject {
    /// The name under which other programs find the figure.
    pub fn name(&self) -> String {
        format!("{} {}", self.library, self.work)
    }

    /// Verifies the signatures of these numbers, which are under all keys in turn.
    pub fn pass(&self, numbers: Range<usize>) {
        for i in numbers {
            let (key, number) = (i % self.keys.len(), i / self.keys.len());
            let signed = &self.pools[key].signed;
            assert!(self.keys[key](&signed[number % signed.len()]), "{} refuses a good signature", self.name());
        }
    }
}

fn pomerium_jwt_es256(pool: &Pool) -> Verify {
    let key = pomerium_jwt_es256::Key::new(&pool.x, &pool.y).expect("a point");
    Box::new(move |signed| key.verify(&signed.message, &signed.signature).is_ok())
}

/// As on a processor without AVX-512 IFMA.
fn scalar_es256(pool: &Pool) -> Verify {
    scalar(pomerium_jwt_es256(pool))
}

fn scalar_token(pool: &Pool) -> Verify {
    scalar(pomerium_jwt_token(pool))
}

fn scalar(verify: Verify) -> Verify {
    let fastest = Way::current();
    Box::new(move |signed| {
        Way::Scalar.make_current();
        let verified = verify(signed);
        fastest.make_current();
        verified
    })
}

fn aws_lc_rs_es256(pool: &Pool) -> Verify {
    let key = ParsedPublicKey::new(&AWS_LC_ES256, pool.uncompressed_point()).expect("a point");
    Box::new(move |signed| key.verify_sig(&signed.message, &signed.signature).is_ok())
}

fn ring_es256(pool: &Pool) -> Verify {
    let key = UnparsedPublicKey::new(&RING_ES256, pool.uncompressed_point());
    Box::new(move |signed| key.verify(&signed.message, &signed.signature).is_ok())
}

fn openssl_es256(pool: &Pool) -> Verify {
    let number = |bytes: &[u8]| BigNum::from_slice(bytes).expect("memory for a number");
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
    let key = EcKey::from_public_key_affine_coordinates(&group, &number(&pool.x), &number(&pool.y)).expect("a point");
    Box::new(move |signed| {
        let (r, s) = signed.signature.split_at(32);
        let signature = EcdsaSig::from_private_components(number(r), number(s));
        signature.is_ok_and(|signature| signature.verify(&sha256(&signed.message), &key).unwrap_or(false))
    })
}

fn p256_es256(pool: &Pool) -> Verify {
    let key = VerifyingKey::from_sec1_bytes(&pool.uncompressed_point()).expect("a point");
    Box::new(move |signed| {
        Signature::from_slice(&signed.signature).is_ok_and(|signature| key.verify(&signed.message, &signature).is_ok())
    })
}

/// Every check, with keys that were fetched and are fresh, and e-mail and groups in the hands of the application.
fn pomerium_jwt_token(pool: &Pool) -> Verify {
    let server = ServerOptions { keys: vec![pool.key.clone()], max_age: 3600, ..ServerOptions::default() };
    let server = Server::start(server).expect("a free port on loopback");
    let options = pomerium_jwt::Options::for_route(format!("https://{HOST}")).jwks_url(server.key_set_url());
    let verifier = pomerium_jwt::Verifier::new(options).expect("options");
    verifier.refresh(false).expect("keys");
    drop(server);
    Box::new(move |signed| {
        verifier.verify(&signed.token).is_ok_and(|identity| identity.email.is_some() && identity.groups.len() == 2)
    })
}

/// What an application reads: the rest is left to serde to skip.
#[derive(serde::Deserialize)]
struct Claims {
    email: String,
    groups: Vec<String>,
}

/// The same checks, as far as that library has them: signature, exp, iss, aud.
fn jsonwebtoken_token(pool: &Pool) -> Verify {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::JwkSet};
    let set: JwkSet = serde_json::from_str(&pool.key_set).expect("a key set");
    let key = DecodingKey::from_jwk(&set.keys[0]).expect("a key");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[HOST]);
    validation.set_audience(&[HOST]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    Box::new(move |signed| {
        let decoded = decode::<Claims>(&signed.token, &key, &validation);
        decoded.is_ok_and(|token| !token.claims.email.is_empty() && token.claims.groups.len() == 2)
    })
}

fn openssl_version() -> String {
    openssl::version::version().split(' ').nth(1).unwrap_or("unknown").to_owned()
}

/// The version of a dependency, as locked.
fn crate_version(name: &str) -> String {
    let mut lines = include_str!("../Cargo.lock").lines();
    lines.find(|line| *line == format!("name = \"{name}\""));
    let version = lines.next().and_then(|line| line.split('"').nth(1));
    version.expect("a locked dependency").to_owned()
}
