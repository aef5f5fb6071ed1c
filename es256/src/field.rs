//! Arithmetic modulo p = 2^256 − 2^224 + 2^192 + 2^96 − 1, the field under P-256.

use crate::{
    inverse::Modulus,
    limbs::{self, Limbs, add_carry},
};

/// p
pub(crate) const P: Limbs = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];

const MODULUS: Modulus = Modulus::new(P);

/// A residue modulo p in Montgomery form: the limbs hold 2^256 times the value.
///
/// **Any** 256-bit number represents its residue, so the residues below 2^256 − p have two representations. It saves
/// the comparison with p at the end of every operation; only [`Self::canonical`] makes it. The price is one more
/// correction in sums and differences, needed once in 2^32 random cases and always predicted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldElement(Limbs);

impl FieldElement {
    pub(crate) const ZERO: Self = Self([0; 4]);
    /// 2^256 mod p
    pub(crate) const ONE: Self =
        Self([0x0000_0000_0000_0001, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe]);
    /// 2^512 mod p
    const R2: Self = Self([0x0000_0000_0000_0003, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe, 0x0000_0004_ffff_fffd]);
    /// 2^768 mod p
    const R3: Self = Self([0xffff_fffd_0000_000a, 0xffff_ffed_ffff_fff7, 0x0000_0005_ffff_fffc, 0x0000_0018_0000_0001]);

    /// The element with this value, of which p and more are reduced.
    pub(crate) fn new(value: Limbs) -> Self {
        Self(value).multiply(Self::R2)
    }

    /// The element whose value times 2^256 is this number modulo p.
    #[cfg(any(target_arch = "x86_64", test))]
    pub(crate) fn from_montgomery_limbs(limbs: Limbs) -> Self {
        Self(limbs)
    }

    /// A number that is the value times 2^256 modulo p.
    #[cfg(any(target_arch = "x86_64", test))]
    #[inline(always)]
    pub(crate) fn montgomery_limbs(self) -> Limbs {
        self.0
    }

    #[inline(always)]
    pub(crate) fn multiply(self, other: Self) -> Self {
        let (low, high) = limbs::multiply(self.0, other.0);
        // The reduced lower half is at most p, as (2^256 − 1 + (2^256 − 1) p) / 2^256 < p + 1
        let low = divide_limb(divide_limb(divide_limb(divide_limb(low))));
        let (sum, carry) = limbs::add(low, high);
        Self(limbs::subtract(sum, p_if(carry)).0)
    }

    #[inline(always)]
    pub(crate) fn square(self) -> Self {
        // The compiler finds the equal products: a function of its own for squares was not faster
        self.multiply(self)
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        let (sum, carry) = limbs::add(self.0, other.0);
        let (sum, borrow) = limbs::subtract(sum, p_if(carry));
        // Written as `carry && !borrow`, it became a branch on the carry, which is random
        if carry != borrow {
            return Self(limbs::subtract(sum, P).0);
        }
        Self(sum)
    }

    #[inline(always)]
    pub(crate) fn subtract(self, other: Self) -> Self {
        let (difference, borrow) = limbs::subtract(self.0, other.0);
        let (difference, carry) = limbs::add(difference, p_if(borrow));
        if borrow != carry {
            return Self(limbs::add(difference, P).0);
        }
        Self(difference)
    }

    /// The negative of a canonical element if `condition` holds, without a branch on it.
    #[inline(always)]
    pub(crate) fn negate_if(self, condition: bool) -> Self {
        let mask = u64::from(condition).wrapping_neg();
        // p − a is the complement of a and p + 1
        let complement = self.0.map(|limb| limb ^ mask);
        Self(limbs::add(complement, [0, mask & 1 << 32, 0, mask & P[3]]).0)
    }

    /// The inverse, and 0 for 0.
    pub(crate) fn invert(self) -> Self {
        Self(MODULUS.invert(self.canonical().0)).multiply(Self::R3)
    }

    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        // Both representations of 0 have this limb 0, and nearly nothing else has: one comparison answers nearly always
        self.0[2] == 0 && (self.0 == [0; 4] || self.0 == P)
    }

    /// The same residue, represented by the number below p.
    pub(crate) fn canonical(self) -> Self {
        let (reduced, borrow) = limbs::subtract(self.0, P);
        if borrow { self } else { Self(reduced) }
    }
}

impl PartialEq for FieldElement {
    fn eq(&self, other: &Self) -> bool {
        self.canonical().0 == other.canonical().0
    }
}

/// (t + m·p) / 2^64 with the lowest limb of t as m. As p = −1 modulo 2^64, the sum's lowest limb is 0.
#[inline(always)]
fn divide_limb(t: Limbs) -> Limbs {
    let m = t[0];
    // m·p + m = (m << 96) + ((m << 64) − (m << 32) + m << 192)
    let (low, borrow) = m.overflowing_sub(m << 32);
    let high = m.wrapping_sub(m >> 32).wrapping_sub(u64::from(borrow));
    let (t1, carry) = t[1].overflowing_add(m << 32);
    let (t2, carry) = add_carry(t[2], m >> 32, carry);
    let (t3, carry) = add_carry(t[3], low, carry);
    [t1, t2, t3, high.wrapping_add(u64::from(carry))]
}

#[inline(always)]
fn p_if(condition: bool) -> Limbs {
    let mask = u64::from(condition).wrapping_neg();
    P.map(|limb| limb & mask)
}

/// Every operation against `fiat-crypto`, whose code is generated from a proof. It takes and gives numbers below p.
#[cfg(test)]
mod tests {
    use fiat_crypto::p256_64::{
        fiat_p256_add, fiat_p256_montgomery_domain_field_element as Fiat, fiat_p256_mul,
        fiat_p256_non_montgomery_domain_field_element as FiatValue, fiat_p256_opp, fiat_p256_square, fiat_p256_sub,
        fiat_p256_to_montgomery,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::testing::EDGES;

    fn fiat(operation: fn(&mut Fiat, &Fiat, &Fiat), a: FieldElement, b: FieldElement) -> Limbs {
        let mut result = Fiat([0; 4]);
        operation(&mut result, &Fiat(a.canonical().0), &Fiat(b.canonical().0));
        result.0
    }

    fn check_pair(a: Limbs, b: Limbs) {
        let (a, b) = (FieldElement(a), FieldElement(b));
        assert_eq!(a.multiply(b).canonical().0, fiat(fiat_p256_mul, a, b), "{a:x?} · {b:x?}");
        assert_eq!(a.add(b).canonical().0, fiat(fiat_p256_add, a, b), "{a:x?} + {b:x?}");
        assert_eq!(a.subtract(b).canonical().0, fiat(fiat_p256_sub, a, b), "{a:x?} − {b:x?}");
        assert_eq!(a == b, a.canonical().0 == b.canonical().0, "{a:x?} = {b:x?}");
    }

    fn check(a: Limbs) {
        let a = FieldElement(a);
        assert_eq!(a.square().canonical().0, fiat(|result, a, _| fiat_p256_square(result, a), a, a), "{a:x?}²");
        let negative = a.canonical().negate_if(true);
        assert_eq!(negative.canonical().0, fiat(|result, a, _| fiat_p256_opp(result, a), a, a), "−{a:x?}");
        assert_eq!(a.canonical().negate_if(false).0, a.canonical().0);
        let mut entered = Fiat([0; 4]);
        fiat_p256_to_montgomery(&mut entered, &FiatValue(a.canonical().0));
        assert_eq!(FieldElement::new(a.0).canonical().0, entered.0, "{a:x?} into Montgomery form");
        let zero = fiat(fiat_p256_add, a, FieldElement::ZERO) == [0; 4];
        assert_eq!(a.is_zero(), zero, "{a:x?} = 0");
        assert_eq!(a.invert().multiply(a) == FieldElement::ONE, !zero, "1 / {a:x?}");
        assert!(limbs::subtract(a.canonical().0, P).1, "{a:x?} stays at p or more");
    }

    /// All numbers of four such limbs: the carries and corrections that random numbers meet once in 2^32 or never.
    fn numbers_of_edge_limbs() -> Vec<Limbs> {
        const LIMBS: [u64; 6] = [0, 1, P[1], P[1] + 1, P[3], u64::MAX];
        (0..6usize.pow(4)).map(|i| std::array::from_fn(|limb| LIMBS[i / 6usize.pow(limb as u32) % 6])).collect()
    }

    #[test]
    fn edges() {
        let numbers = [numbers_of_edge_limbs(), EDGES.to_vec()].concat();
        for a in &numbers {
            check(*a);
            for b in &numbers {
                check_pair(*a, *b);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn random_numbers(a: Limbs, b: Limbs) {
            check(a);
            check_pair(a, b);
        }
    }
}
