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
    let (t0, t) = multiply_add_row(a, b[0], [0; 4]);
    let (t1, t) = multiply_add_row(a, b[1], t);
    let (t2, t) = multiply_add_row(a, b[2], t);
    let (t3, t) = multiply_add_row(a, b[3], t);
    ([t0, t1, t2, t3], t)
}

/// a · digit + t, the lowest limb apart.
#[inline(always)]
fn multiply_add_row(a: Limbs, digit: u64, t: Limbs) -> (u64, Limbs) {
    let (t0, carry) = multiply_add(a[0], digit, t[0], 0);
    let (t1, carry) = multiply_add(a[1], digit, t[1], carry);
    let (t2, carry) = multiply_add(a[2], digit, t[2], carry);
    let (t3, carry) = multiply_add(a[3], digit, t[3], carry);
    (t0, [t1, t2, t3, carry])
}

/// a · b + c + d, lower and upper limb. It cannot overflow: (2^64 − 1)² + 2 (2^64 − 1) = 2^128 − 1.
#[inline(always)]
fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let t = u128::from(a).wrapping_mul(u128::from(b)).wrapping_add(u128::from(c)).wrapping_add(u128::from(d));
    (t as u64, (t >> 64) as u64)
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
