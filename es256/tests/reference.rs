//! Behaviour at the public interface, and agreement with the library `p256`.

use p256::ecdsa::{
    Signature, SigningKey, VerifyingKey,
    signature::{Signer as _, Verifier as _},
};
use pomerium_jwt_es256::{InvalidPoint, InvalidSignature, Key, Way};
use proptest::prelude::*;

fn signing_key() -> SigningKey {
    SigningKey::from_slice(&[0x42; 32]).unwrap()
}

fn key(reference: &VerifyingKey) -> Key {
    let (x, y) = coordinates(reference);
    Key::new(&x, &y).unwrap()
}

fn coordinates(reference: &VerifyingKey) -> ([u8; 32], [u8; 32]) {
    let point = reference.to_sec1_point(false);
    (point.x().unwrap().as_slice().try_into().unwrap(), point.y().unwrap().as_slice().try_into().unwrap())
}

#[test]
fn signatures_of_wrong_length() {
    let signing = signing_key();
    let key = key(signing.verifying_key());
    let signature: Signature = signing.sign(b"message");
    let mut long = signature.to_bytes().to_vec();
    long.resize(200, 0);
    assert_eq!(key.verify(b"message", &long[..64]), Ok(()));
    for length in (0..200).filter(|length| *length != 64) {
        assert_eq!(key.verify(b"message", &long[..length]), Err(InvalidSignature), "{length} bytes");
    }
    let der = signature.to_der();
    assert_eq!(key.verify(b"message", der.as_bytes()), Err(InvalidSignature), "DER is not for JOSE");
}

#[test]
fn both_s_and_n_minus_s_are_valid() {
    let signing = signing_key();
    let key = key(signing.verifying_key());
    let signature: Signature = signing.sign(b"message");
    let (r, s) = signature.split_scalars();
    for s in [s, -s] {
        let signature = Signature::from_scalars(r.to_bytes(), s.to_bytes()).unwrap();
        assert_eq!(key.verify(b"message", &signature.to_bytes()), Ok(()));
    }
}

#[test]
fn coordinates_that_are_no_point() {
    let (x, y) = coordinates(signing_key().verifying_key());
    let mut below_y = y;
    below_y[31] ^= 1;
    // p = ffffffff 00000001 00000000 00000000 00000000 ffffffff ffffffff ffffffff
    let mut p = [0xff; 32];
    p[4..20].fill(0);
    p[7] = 1;
    let [zero, all_ones] = [[0; 32], [0xff; 32]];
    for (x, y) in [(x, below_y), (y, x), (zero, zero), (p, y), (x, p), (p, p), (all_ones, y), (x, all_ones), (zero, p)]
    {
        assert_eq!(Key::new(&x, &y).unwrap_err(), InvalidPoint, "{x:x?} {y:x?}");
    }
}

#[test]
fn keys_are_equal_by_their_coordinates() {
    let first = key(signing_key().verifying_key());
    let second = key(signing_key().verifying_key());
    let other = key(SigningKey::from_slice(&[0x43; 32]).unwrap().verifying_key());
    assert_eq!(first, first.clone());
    assert_eq!(first, second);
    assert_ne!(first, other);
    assert_eq!((*first.x(), *first.y()), coordinates(signing_key().verifying_key()));
    assert_eq!(format!("{first:?}"), "Key { .. }");
}

#[test]
fn many_threads_may_begin_at_once() {
    let signing = signing_key();
    let signature: Signature = signing.sign(b"message");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert_eq!(key(signing.verifying_key()).verify(b"message", &signature.to_bytes()), Ok(()));
            });
        }
    });
}

/// The tables are built on the heap: musl gives a thread 128 kB of stack.
#[test]
fn a_small_stack_is_enough() {
    for way in Way::all() {
        let thread = std::thread::Builder::new().stack_size(96 * 1024).spawn(|| {
            let signing = signing_key();
            let signature: Signature = signing.sign(b"message");
            key(signing.verifying_key()).verify_by(*way, b"message", &signature.to_bytes())
        });
        assert_eq!(thread.unwrap().join().unwrap(), Ok(()), "{way}");
    }
}

/// Nobody has to choose: the fastest way is taken, and another one if the process is told so.
#[test]
fn the_way_of_a_process() {
    assert_eq!(Way::current(), *Way::all().last().unwrap());
    println!("signatures: {}", Way::current());
    assert!(
        Way::current() == Way::Ifma || std::env::var_os("ES256_REQUIRE_IFMA").is_none(),
        "ES256_REQUIRE_IFMA is set, but this processor lacks AVX-512 IFMA: the tests have run the scalar way alone"
    );
    let signing = signing_key();
    let signature: Signature = signing.sign(b"message");
    let key = key(signing.verifying_key());
    // A way that the processor lacks is answered by the scalar one
    for way in [Way::Scalar, Way::Ifma, Way::current()] {
        way.make_current();
        assert_eq!(Way::current(), way);
        assert_eq!(key.verify(b"message", &signature.to_bytes()), Ok(()), "{way}");
        assert_eq!(key.verify(b"other", &signature.to_bytes()), Err(InvalidSignature), "{way}");
    }
}

/// Errors say what is wrong, a key says nothing of its 256 kB, and a way has the name that runs print.
#[test]
fn texts() {
    let key = key(signing_key().verifying_key());
    for (text, expected) in [
        (InvalidPoint.to_string(), "the coordinates are not a point on P-256"),
        (InvalidSignature.to_string(), "the signature does not hold"),
        (format!("{key:?}"), "Key { .. }"),
        (Way::Scalar.to_string(), "scalar"),
        (Way::Ifma.to_string(), "AVX-512 IFMA"),
    ] {
        assert_eq!(text, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn agrees_with_p256(
        secret in prop::array::uniform32(1u8..),
        message: Vec<u8>,
        alterations in prop::collection::vec((0usize..64, any::<u8>()), 0..3),
        other_message: bool,
    ) {
        let Ok(signing) = SigningKey::from_slice(&secret) else { return Ok(()) };
        let key = key(signing.verifying_key());
        let signature: Signature = signing.sign(&message);
        let mut bytes = signature.to_bytes().to_vec();
        for (position, bits) in alterations {
            bytes[position] ^= bits;
        }
        let message = if other_message { [message.as_slice(), b"."].concat() } else { message };
        let expected = Signature::from_slice(&bytes)
            .is_ok_and(|signature| signing.verifying_key().verify(&message, &signature).is_ok());
        for way in Way::all() {
            prop_assert_eq!(key.verify_by(*way, &message, &bytes).is_ok(), expected, "{}", way);
        }
    }
}
