//! Numbers modulo n, the order of P-256: what a verification multiplies the points with, cut into table digits.

use p256::{
    FieldBytes, Scalar,
    elliptic_curve::{ff::PrimeField as _, ops::Reduce as _},
};

use crate::{
    inverse::Modulus,
    limbs::{self, Limbs},
};

/// n
pub(crate) const N: Limbs =
    [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];

const MODULUS: Modulus = Modulus::new(N);

/// A multiplier in 32 signed digits to base 256, least significant first.
///
/// All digits are odd, ±1 to ±255: none is 0, and a table needs 128 multiples for each. The byte b means 2b − 255.
pub(crate) struct Digits(pub(crate) [u8; 32]);

impl Digits {
    /// The digits of k, or of its equal modulo n that has some: with b = (k − 1) / 2 + 2^255 and its bytes b_i,
    /// the sum of (2 b_i − 255) 256^i is 2b − (2^256 − 1) = k. An even k is −(n − k); the complement of a byte means
    /// for the negative digit.
    pub(crate) fn new(k: Limbs) -> Self {
        let even = k[0] & 1 == 0;
        let odd = if even { limbs::subtract(N, k).0 } else { k };
        let complement = if even { u64::MAX } else { 0 };
        let halved =
            [odd[0] >> 1 | odd[1] << 63, odd[1] >> 1 | odd[2] << 63, odd[2] >> 1 | odd[3] << 63, odd[3] >> 1 | 1 << 63];
        let mut digits = limbs::to_be_bytes(halved.map(|limb| limb ^ complement));
        digits.reverse();
        Self(digits)
    }
}

/// u1 = hash / s and u2 = r / s modulo n (FIPS 186-5, section 6.4.2, steps 3 to 5).
pub(crate) fn multipliers(hash: &[u8; 32], r: &Scalar, s: &Scalar) -> (Limbs, Limbs) {
    let inverse = MODULUS.invert(to_limbs(s));
    let inverse = reduced(&limbs::to_be_bytes(inverse));
    (to_limbs(&(reduced(hash) * inverse)), to_limbs(&(*r * inverse)))
}

/// A big-endian number modulo n.
pub(crate) fn reduced(bytes: &[u8; 32]) -> Scalar {
    Scalar::reduce(&FieldBytes::from(*bytes))
}

pub(crate) fn to_limbs(scalar: &Scalar) -> Limbs {
    limbs::from_be_bytes(&scalar.to_repr().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{EDGES, edge_scalars, scalar};

    /// The sum of (2b − 255)·256^i over the bytes b.
    fn value(digits: &Digits) -> Scalar {
        digits
            .0
            .iter()
            .rev()
            .fold(scalar(0), |sum, digit| sum * scalar(256) + scalar(2 * u64::from(*digit)) - scalar(255))
    }

    #[test]
    fn digits_of_edges() {
        for k in edge_scalars() {
            assert_eq!(value(&Digits::new(to_limbs(&k))), k);
        }
    }

    #[test]
    fn multipliers_of_edges() {
        for hash in EDGES.map(limbs::to_be_bytes) {
            for r in edge_scalars() {
                for s in edge_scalars().into_iter().filter(|s| *s != scalar(0)) {
                    let (u1, u2) = multipliers(&hash, &r, &s);
                    let [u1, u2] = [u1, u2].map(|u| Scalar::from_repr(limbs::to_be_bytes(u).into()).unwrap());
                    assert_eq!((u1 * s, u2 * s), (reduced(&hash), r), "{hash:x?} {r:?} {s:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn digits_of_random_numbers(bytes: [u8; 32]) {
            let k = reduced(&bytes);
            prop_assert_eq!(value(&Digits::new(to_limbs(&k))), k);
        }
    }
}
