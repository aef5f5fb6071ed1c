//! Signatures without end, valid ones and altered ones, by every way that this processor has: `make soak` runs 10 million.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

use p256::{
    FieldBytes, ProjectivePoint, Scalar,
    elliptic_curve::{PrimeField as _, ops::Reduce as _, point::AffineCoordinates as _},
};
use pomerium_jwt_es256::{InvalidSignature, Key, Way};
use sha2::{Digest as _, Sha256};

/// Signatures under each key.
const UNDER_A_KEY: u64 = 512;

#[test]
fn signatures_by_every_way() {
    let signatures: u64 = match std::env::var("ES256_SIGNATURES") {
        Ok(number) => number.parse().expect("ES256_SIGNATURES is a number"),
        Err(_) => 20_000,
    };
    let (keys, next, ways) = (signatures.div_ceil(UNDER_A_KEY), AtomicU64::new(0), Way::all());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let key = next.fetch_add(1, Relaxed)
                    && key < keys
                {
                    verify_under_key(key, ways);
                }
            });
        }
    });
    println!("signatures: {} valid, as many altered, by {ways:?}", keys * UNDER_A_KEY);
    if !ways.contains(&Way::Ifma) {
        println!("{} did not run: this processor lacks it", Way::Ifma);
    }
}

/// Signs by the arithmetic of `p256`, whose own signing would take most of the time: the nonce goes up by one.
fn verify_under_key(number: u64, ways: &[Way]) {
    let secret = hashed(&[b"secret", &number.to_be_bytes()]);
    let (x, y) = coordinates(ProjectivePoint::GENERATOR * secret);
    let key = Key::new(&x, &y).expect("a point");
    let mut nonce = hashed(&[b"nonce", &number.to_be_bytes()]);
    let mut point = ProjectivePoint::GENERATOR * nonce;
    for i in 0..UNDER_A_KEY {
        let message = [number.to_be_bytes(), i.to_be_bytes()].concat();
        let r = Scalar::reduce(&FieldBytes::from(coordinates(point).0));
        let s = nonce.invert().unwrap() * (hashed(&[&message]) + r * secret);
        let signature: [[u8; 32]; 2] = [r, s].map(|scalar| scalar.to_repr().into());
        let mut altered = signature;
        let bit = hashed(&[b"bit", &message]).to_repr()[31];
        altered.as_flattened_mut()[usize::from(bit / 4)] ^= 1 << (i % 8);
        for way in ways {
            let verify = |signature: &[[u8; 32]; 2]| key.verify_by(*way, &message, signature.as_flattened());
            assert_eq!(verify(&signature), Ok(()), "{way}, key {number}, signature {i}");
            assert_eq!(verify(&altered), Err(InvalidSignature), "{way}, key {number}, signature {i}, bit {bit}");
        }
        nonce += Scalar::ONE;
        point += ProjectivePoint::GENERATOR;
    }
}

fn hashed(parts: &[&[u8]]) -> Scalar {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
    Scalar::reduce(&FieldBytes::from(hash))
}

fn coordinates(point: ProjectivePoint) -> ([u8; 32], [u8; 32]) {
    let point = point.to_affine();
    (point.x().into(), point.y().into())
}
