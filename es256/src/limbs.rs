//! Numbers below 2^256 as four limbs of 64 bits, least significant first.
//!
//! Here and in the modules above, an operation that wraps or carries says so by name: overflow checks stay on in every
//! build and find nothing to check.

pub(crate) type Limbs = [u64; 4];

pub(crate) fn from_be_bytes(bytes: &[u8; 32]) -> Limbs {
    let (chunks, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| u64::from_be_bytes(chunks[3 - i]))
}

pub(crate) fn to_be_bytes(limbs: Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (chunks, _) = bytes.as_chunks_mut::<8>();
    for (chunk, limb) in chunks.iter_mut().rev().zip(limbs) {
        *chunk = limb.to_be_bytes();
    }
    bytes
}

/// The same number from limbs of 52 bits; it must be below 2^256.
#[cfg(any(target_arch = "x86_64", test))]
pub(crate) fn from_limbs_of_52_bits(t: [u64; 5]) -> Limbs {
    [t[0] | t[1] << 52, t[1] >> 12 | t[2] << 40, t[2] >> 24 | t[3] << 28, t[3] >> 36 | t[4] << 16]
}

/// a + b modulo 2^256, and the carry.
#[inline(always)]
pub(crate) fn add(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let (t0, carry) = a[0].overflowing_add(b[0]);
    let (t1, carry) = add_carry(a[1], b[1], carry);
    let (t2, carry) = add_carry(a[2], b[2], carry);
    let (t3, carry) = add_carry(a[3], b[3], carry);
    ([t0, t1, t2, t3], carry)
}

/// a − b modulo 2^256, and the borrow.
#[inline(always)]
pub(crate) fn subtract(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let (t0, borrow) = a[0].overflowing_sub(b[0]);
    let (t1, borrow) = subtract_borrow(a[1], b[1], borrow);
    let (t2, borrow) = subtract_borrow(a[2], b[2], borrow);
    let (t3, borrow) = subtract_borrow(a[3], b[3], borrow);
    ([t0, t1, t2, t3], borrow)
}

/// a · b, the lower and the upper half.
#[inline(always)]
pub(crate) fn multiply(a: Limbs, b: Limbs) -> (Limbs, Limbs) {
    let (t0, t) = multiply_add(a, b[0], [0; 4]);
    let (t1, t) = multiply_add(a, b[1], t);
    let (t2, t) = multiply_add(a, b[2], t);
    let (t3, t) = multiply_add(a, b[3], t);
    ([t0, t1, t2, t3], t)
}

/// a · digit + t, the lowest limb apart.
///
/// The products of the even limbs lie side by side, and so do those of the odd limbs: each two take one carry chain.
#[inline(always)]
fn multiply_add(a: Limbs, digit: u64, t: Limbs) -> (u64, Limbs) {
    let (low0, high0) = widening_multiply(a[0], digit);
    let (low2, high2) = widening_multiply(a[2], digit);
    let (t0, carry) = t[0].overflowing_add(low0);
    let (t1, carry) = add_carry(t[1], high0, carry);
    let (t2, carry) = add_carry(t[2], low2, carry);
    let (t3, even_carry) = add_carry(t[3], high2, carry);
    let (low1, high1) = widening_multiply(a[1], digit);
    let (low3, high3) = widening_multiply(a[3], digit);
    let (t1, carry) = t1.overflowing_add(low1);
    let (t2, carry) = add_carry(t2, high1, carry);
    let (t3, carry) = add_carry(t3, low3, carry);
    // The sum is below 2^320: nothing is carried out of it
    let t4 = high3.wrapping_add(u64::from(even_carry)).wrapping_add(u64::from(carry));
    (t0, [t1, t2, t3, t4])
}

/// a · b, the lower and the upper limb.
#[inline(always)]
fn widening_multiply(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a).wrapping_mul(u128::from(b));
    (product as u64, (product >> 64) as u64)
}

#[inline(always)]
pub(crate) fn add_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

#[inline(always)]
fn subtract_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(u64::from(borrow));
    (difference, first | second)
}
