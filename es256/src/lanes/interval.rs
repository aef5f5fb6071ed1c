//! Lanes as intervals: what runs on them has run for every input.

use super::Lanes;

/// What numbers stay below, which leaves a lane of 64 bits some room.
const LANE: i128 = 1 << 57;

/// Every number from the first to the last, in any lane. An operation gives an interval that holds its result for any
/// numbers of its operands' intervals, and panics if one of these results may be too large, or if a factor may have more
/// than the 52 bits that the instructions look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval(pub(super) i128, pub(super) i128);

impl Interval {
    fn new(first: i128, last: i128) -> Self {
        assert!(first <= last && first > -LANE && last < LANE, "{first:#x} to {last:#x}");
        Self(first, last)
    }

    /// The least and the largest product.
    fn product(a: Self, b: Self) -> (i128, i128) {
        for Self(first, last) in [a, b] {
            assert!(first >= 0 && last < 1 << 52, "a factor of {first:#x} to {last:#x}: limbs have 52 bits");
        }
        (a.0 * b.0, a.1 * b.1)
    }
}

impl Lanes for Interval {
    fn all(value: u64) -> Self {
        Self::new(value.into(), value.into())
    }

    /// Any words at all: as all 64 bits of them may be set, only `bits` takes them.
    fn columns(_: &[[u64; 8]; 8]) -> [Self; 8] {
        [Self(0, u64::MAX.into()); 8]
    }

    fn add(self, other: Self) -> Self {
        Self::new(self.0 + other.0, self.1 + other.1)
    }

    fn subtract(self, other: Self) -> Self {
        Self::new(self.0 - other.1, self.1 - other.0)
    }

    fn factor(self) -> Self {
        self.low::<52>()
    }

    fn add_low_product(self, a: Self, b: Self) -> Self {
        let (_, last) = Self::product(a, b);
        self.add(Self::new(0, last.min((1 << 52) - 1)))
    }

    fn add_high_product(self, a: Self, b: Self) -> Self {
        let (first, last) = Self::product(a, b);
        self.add(Self::new(first >> 52, last >> 52))
    }

    fn low<const BITS: u32>(self) -> Self {
        let all = (1 << BITS) - 1;
        if self.0 >= 0 && self.1 <= all { self } else { Self::new(0, all) }
    }

    fn high<const BITS: u32>(self) -> Self {
        Self::new(self.0 >> BITS, self.1 >> BITS)
    }

    fn shift_left<const BITS: u32>(self) -> Self {
        Self::new(self.0 << BITS, self.1 << BITS)
    }

    fn bits<const FROM: u32>(_: Self, _: Self) -> Self {
        Self::new(0, (1 << 52) - 1)
    }

    fn negate(self, _: &[i64; 8]) -> Self {
        Self::new(self.0.min(-self.1), self.1.max(-self.0))
    }

    fn rotate(self, _: usize) -> Self {
        self
    }
}
