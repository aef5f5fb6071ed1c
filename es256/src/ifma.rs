//! The sum of points by AVX-512 IFMA, instructions that multiply eight numbers of 52 bits at once.
//!
//! The one file of this crate with unsafe code, for one reason: such instructions may run only on a processor that has
//! them. [`sum`] asks it first. A [`Vector`] exists only in what [`sum`] calls then, as nothing else is public here.

use std::arch::x86_64::*;

use crate::lanes::{self, Lanes, Points};

/// X and ZZ of [`lanes::sum`], or nothing if the processor lacks the instructions.
pub(crate) fn sum(points: &Points) -> Option<[[u64; 5]; 2]> {
    // SAFETY: the processor has been asked for each feature that the function is compiled for
    is_available().then(|| unsafe { sum_with_ifma(points) })
}

/// Whether the processor and its operating system have the instructions. The standard library asks them once.
pub(crate) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn sum_with_ifma(points: &Points) -> [[u64; 5]; 2] {
    lanes::sum::<Vector>(points).map(|limbs| limbs.map(|limb| _mm_cvtsi128_si64(_mm512_castsi512_si128(limb.0)) as u64))
}

#[derive(Clone, Copy)]
struct Vector(__m512i);

/// An expression of the instructions above.
macro_rules! ifma {
    ($expression:expr) => {
        // SAFETY: a `Vector` is only worked on below `sum_with_ifma`, and so on a processor that has these instructions;
        // what is read from memory is behind a reference to as many bytes
        unsafe { $expression }
    };
}

impl Lanes for Vector {
    #[inline(always)]
    fn all(value: u64) -> Self {
        Self(ifma!(_mm512_set1_epi64(value as i64)))
    }

    #[inline(always)]
    fn columns(rows: &[[u64; 8]; 8]) -> [Self; 8] {
        // Three rounds, in each of which the words of two vectors change places: of rows, of pairs and of fours of rows
        let [r0, r1, r2, r3] = [load(&rows[0]), load(&rows[1]), load(&rows[2]), load(&rows[3])];
        let [r4, r5, r6, r7] = [load(&rows[4]), load(&rows[5]), load(&rows[6]), load(&rows[7])];
        let ([a0, a1], [b0, b1]) = (unpack(r0, r1), unpack(r2, r3));
        let ([c0, c1], [d0, d1]) = (unpack(r4, r5), unpack(r6, r7));
        let ([a04, a26], [a15, a37]) = (shuffle(a0, b0), shuffle(a1, b1));
        let ([c04, c26], [c15, c37]) = (shuffle(c0, d0), shuffle(c1, d1));
        let ([w0, w4], [w2, w6]) = (shuffle(a04, c04), shuffle(a26, c26));
        let ([w1, w5], [w3, w7]) = (shuffle(a15, c15), shuffle(a37, c37));
        [w0, w1, w2, w3, w4, w5, w6, w7]
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(ifma!(_mm512_add_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn subtract(self, other: Self) -> Self {
        Self(ifma!(_mm512_sub_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn factor(self) -> Self {
        self
    }

    #[inline(always)]
    fn add_low_product(self, a: Self, b: Self) -> Self {
        Self(ifma!(_mm512_madd52lo_epu64(self.0, a.0, b.0)))
    }

    #[inline(always)]
    fn add_high_product(self, a: Self, b: Self) -> Self {
        Self(ifma!(_mm512_madd52hi_epu64(self.0, a.0, b.0)))
    }

    #[inline(always)]
    fn low<const BITS: u32>(self) -> Self {
        Self(ifma!(_mm512_and_epi64(self.0, _mm512_set1_epi64((1 << BITS) - 1))))
    }

    #[inline(always)]
    fn high<const BITS: u32>(self) -> Self {
        Self(ifma!(_mm512_srai_epi64::<BITS>(self.0)))
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        Self(ifma!(_mm512_slli_epi64::<BITS>(self.0)))
    }

    #[inline(always)]
    fn bits<const FROM: u32>(low: Self, high: Self) -> Self {
        let from = ifma!(_mm512_srli_epi64::<FROM>(low.0));
        let rest = ifma!(_mm512_sll_epi64(high.0, _mm_cvtsi32_si128(64 - FROM as i32)));
        Self(ifma!(_mm512_or_epi64(from, rest))).low::<52>()
    }

    #[inline(always)]
    fn negate(self, signs: &[i64; 8]) -> Self {
        let mask = ifma!(_mm512_cmplt_epi64_mask(_mm512_loadu_epi64(signs.as_ptr()), _mm512_setzero_si512()));
        Self(ifma!(_mm512_mask_sub_epi64(self.0, mask, _mm512_setzero_si512(), self.0)))
    }

    #[inline(always)]
    fn rotate(self, by: usize) -> Self {
        let by = Self::all(by as u64);
        // Of the sum's bits the instruction looks at the lowest three
        Self(ifma!(_mm512_permutexvar_epi64(_mm512_add_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), by.0), self.0)))
    }
}

#[inline(always)]
fn load(words: &[u64; 8]) -> Vector {
    Vector(ifma!(_mm512_loadu_epi64(words.as_ptr().cast())))
}

/// The words at even and those at odd places, of a and b in turn.
#[inline(always)]
fn unpack(a: Vector, b: Vector) -> [Vector; 2] {
    [Vector(ifma!(_mm512_unpacklo_epi64(a.0, b.0))), Vector(ifma!(_mm512_unpackhi_epi64(a.0, b.0)))]
}

/// The pairs of words at even and those at odd places, of a and then of b.
#[inline(always)]
fn shuffle(a: Vector, b: Vector) -> [Vector; 2] {
    [
        Vector(ifma!(_mm512_shuffle_i64x2::<0b10_00_10_00>(a.0, b.0))),
        Vector(ifma!(_mm512_shuffle_i64x2::<0b11_01_11_01>(a.0, b.0))),
    ]
}
