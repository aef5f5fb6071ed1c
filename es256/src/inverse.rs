//! Inverses modulo an odd number, in variable time: safegcd by Bernstein and Yang (<https://gcd.cr.yp.to>) in the form
//! of libsecp256k1 (`doc/safegcd_implementation.md`), 3.5 times faster than the constant-time inversion of `p256`.

use crate::limbs::Limbs;

/// Steps that are made on the lowest bits alone before the whole numbers follow.
const BATCH: u32 = 62;
const MASK: u64 = (1 << BATCH) - 1;

/// Five digits of 62 bits, least significant first; the last one carries the sign.
type Number = [i64; 5];

/// An odd modulus of 256 bits.
pub(crate) struct Modulus {
    value: Number,
    /// The inverse of the modulus modulo 2^62.
    inverse: u64,
}

/// What a batch of steps does: (f, g) becomes (u·f + v·g, q·f + r·g) / 2^62.
struct Batch {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

impl Modulus {
    pub(crate) const fn new(modulus: Limbs) -> Self {
        // Newton's iteration: m·m = 1 modulo 8, and each round doubles the number of right bits
        let mut inverse = modulus[0];
        let mut right_bits = 3;
        while right_bits < BATCH {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(modulus[0].wrapping_mul(inverse)));
            right_bits *= 2;
        }
        Self { value: split(modulus), inverse: inverse & MASK }
    }

    /// The inverse of a number below the modulus; 0 for 0.
    pub(crate) fn invert(&self, number: Limbs) -> Limbs {
        // Throughout, f = d·number and g = e·number modulo the modulus; f ends as ±1, the greatest common divisor
        let (mut f, mut g) = (self.value, split(number));
        let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
        let mut eta = -1;
        while g != [0; 5] {
            let batch;
            (eta, batch) = divide_steps(eta, f[0], g[0]);
            (f, g) = (self.combine(batch.u, f, batch.v, g, 0), self.combine(batch.q, f, batch.r, g, 0));
            (d, e) = (self.combine_modulo(batch.u, d, batch.v, e), self.combine_modulo(batch.q, d, batch.r, e));
        }
        self.reduce(d, f[4] < 0)
    }

    /// (u·a + v·b) / 2^62 modulo the modulus, for a and b above −2 and below 1 times the modulus, as is the result.
    #[inline(always)]
    fn combine_modulo(&self, u: i64, a: Number, v: i64, b: Number) -> Number {
        // A modulus for each negative number brings the sum into range; then what makes the lowest 62 bits 0
        let multiple = (u & (a[4] >> 63)).wrapping_add(v & (b[4] >> 63));
        let lowest = u.wrapping_mul(a[0]).wrapping_add(v.wrapping_mul(b[0])) as u64;
        let correction = self.inverse.wrapping_mul(lowest).wrapping_add(multiple as u64) & MASK;
        let result = self.combine(u, a, v, b, multiple.wrapping_sub(correction as i64));
        debug_assert!((-2..=0).contains(&(result[4] >> 8)), "{result:x?} is not between -2 and 1 times 2^256");
        result
    }

    /// (u·a + v·b + multiple·modulus) / 2^62, which must be a whole number.
    #[inline(always)]
    fn combine(&self, u: i64, a: Number, v: i64, b: Number, multiple: i64) -> Number {
        let mut result = [0; 5];
        let mut sum = 0i128;
        for i in 0..5 {
            for (factor, digit) in [(u, a[i]), (v, b[i]), (multiple, self.value[i])] {
                sum = sum.wrapping_add(i128::from(factor).wrapping_mul(i128::from(digit)));
            }
            if i > 0 {
                result[i - 1] = sum as i64 & MASK as i64;
            }
            sum >>= BATCH;
        }
        result[4] = sum as i64;
        result
    }

    /// The number, or its negative, brought from between −2 and 1 times the modulus to between 0 and 1.
    fn reduce(&self, number: Number, negative: bool) -> Limbs {
        let add_if_negative = |number: Number| {
            let mask = number[4] >> 63;
            carry(std::array::from_fn(|i| number[i].wrapping_add(self.value[i] & mask)))
        };
        let number = add_if_negative(number);
        let number = if negative { carry(number.map(i64::wrapping_neg)) } else { number };
        join(add_if_negative(number))
    }
}

/// 62 steps on the lowest 62 bits of f and g, and the new eta. The steps that halve g follow at once on each other.
#[inline(always)]
fn divide_steps(mut eta: i64, f: i64, g: i64) -> (i64, Batch) {
    let (mut f, mut g) = (f as u64, g as u64);
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let mut remaining = BATCH;
    loop {
        let zeros = (g | u64::MAX.wrapping_shl(remaining)).trailing_zeros();
        g = g.wrapping_shr(zeros);
        u = u.wrapping_shl(zeros);
        v = v.wrapping_shl(zeros);
        eta = eta.wrapping_sub(i64::from(zeros));
        remaining = remaining.wrapping_sub(zeros);
        if remaining == 0 {
            return (eta, Batch { u: u as i64, v: v as i64, q: q as i64, r: r as i64 });
        }
        if eta < 0 {
            eta = eta.wrapping_neg();
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // The multiple of f whose sum with g ends in as many zeros as there are steps before f and g may swap
        let limit = remaining.min((eta as u32).wrapping_add(1)).min(6);
        let factor = f.wrapping_mul(g).wrapping_mul(f.wrapping_mul(f).wrapping_sub(2))
            & (1u64.wrapping_shl(limit).wrapping_sub(1));
        g = g.wrapping_add(f.wrapping_mul(factor));
        q = q.wrapping_add(u.wrapping_mul(factor));
        r = r.wrapping_add(v.wrapping_mul(factor));
    }
}

/// The same number with its digits but the last between 0 and 2^62.
fn carry(mut number: Number) -> Number {
    for i in 0..4 {
        number[i + 1] = number[i + 1].wrapping_add(number[i] >> BATCH);
        number[i] &= MASK as i64;
    }
    number
}

const fn split(limbs: Limbs) -> Number {
    let [a, b, c, d] = limbs;
    [
        (a & MASK) as i64,
        ((a >> 62 | b << 2) & MASK) as i64,
        ((b >> 60 | c << 4) & MASK) as i64,
        ((c >> 58 | d << 6) & MASK) as i64,
        (d >> 56) as i64,
    ]
}

fn join(number: Number) -> Limbs {
    let [a, b, c, d, e] = number.map(|digit| digit as u64);
    [a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6 | e << 56]
}

#[cfg(test)]
mod tests {
    use p256::{Scalar, elliptic_curve::PrimeField as _};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        field::{FieldElement, P},
        limbs,
        scalar::N,
        testing::EDGES,
    };

    fn check(number: Limbs) {
        if limbs::subtract(number, N).1 {
            let scalar = Scalar::from_repr(limbs::to_be_bytes(number).into()).unwrap();
            let expected = scalar.invert().unwrap_or(Scalar::ZERO);
            assert_eq!(
                limbs::to_be_bytes(Modulus::new(N).invert(number)),
                *expected.to_bytes(),
                "{number:x?} modulo n"
            );
        }
        if limbs::subtract(number, P).1 && number != [0; 4] {
            let inverse = FieldElement::new(Modulus::new(P).invert(number));
            assert_eq!(FieldElement::new(number).multiply(inverse), FieldElement::ONE, "{number:x?} modulo p");
        }
    }

    #[test]
    fn edges() {
        EDGES.into_iter().for_each(check);
        for bit in 0..256 {
            let mut power = [0; 4];
            power[bit / 64] = 1 << (bit % 64);
            check(power);
            check(limbs::subtract(power, [1, 0, 0, 0]).0);
            check(limbs::subtract([0; 4], power).0);
            check(limbs::subtract(P, power).0);
            check(limbs::subtract(N, power).0);
        }
        assert_eq!(Modulus::new(P).invert([0; 4]), [0; 4]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn random_numbers(number: Limbs) {
            check(number);
        }
    }
}
