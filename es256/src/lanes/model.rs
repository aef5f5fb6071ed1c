//! Lanes as plain numbers: what the vector instructions are compared with, and a check of every limb at every step.

use super::Lanes;

/// Eight lanes. Each operation panics where a vector would overflow, or be given a factor that it does not see whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Model(pub(super) [i64; 8]);

impl Model {
    fn each(self, other: Self, operation: impl Fn(i128, i128) -> i128) -> Self {
        Self(std::array::from_fn(|lane| {
            let result = operation(self.0[lane].into(), other.0[lane].into());
            i64::try_from(result).unwrap_or_else(|_| panic!("{result:#x} is more than a lane holds"))
        }))
    }

    fn products(a: Self, b: Self, part: impl Fn(i128) -> i128) -> Self {
        a.each(b, |a, b| {
            assert!((0..1 << 52).contains(&a) && (0..1 << 52).contains(&b), "{a:#x} · {b:#x}: limbs have 52 bits");
            part(a * b)
        })
    }
}

impl Lanes for Model {
    fn all(value: u64) -> Self {
        Self([i64::try_from(value).expect("a constant of at most 63 bits"); 8])
    }

    fn columns(rows: &[[u64; 8]; 8]) -> [Self; 8] {
        std::array::from_fn(|word| Self(rows.map(|row| row[word] as i64)))
    }

    fn add(self, other: Self) -> Self {
        self.each(other, |a, b| a + b)
    }

    fn subtract(self, other: Self) -> Self {
        self.each(other, |a, b| a - b)
    }

    fn factor(self) -> Self {
        self.low::<52>()
    }

    fn add_low_product(self, a: Self, b: Self) -> Self {
        self.add(Self::products(a, b, |product| product & ((1 << 52) - 1)))
    }

    fn add_high_product(self, a: Self, b: Self) -> Self {
        self.add(Self::products(a, b, |product| product >> 52))
    }

    fn low<const BITS: u32>(self) -> Self {
        self.each(self, |a, _| a & ((1 << BITS) - 1))
    }

    fn high<const BITS: u32>(self) -> Self {
        self.each(self, |a, _| a >> BITS)
    }

    fn shift_left<const BITS: u32>(self) -> Self {
        self.each(self, |a, _| a << BITS)
    }

    fn bits<const FROM: u32>(low: Self, high: Self) -> Self {
        Self(std::array::from_fn(|lane| {
            let both = u128::from(high.0[lane] as u64) << 64 | u128::from(low.0[lane] as u64);
            ((both >> FROM) as i64) & ((1 << 52) - 1)
        }))
    }

    fn negate(self, signs: &[i64; 8]) -> Self {
        Self(std::array::from_fn(|lane| if signs[lane] < 0 { -self.0[lane] } else { self.0[lane] }))
    }

    fn rotate(self, by: usize) -> Self {
        Self(std::array::from_fn(|lane| self.0[(lane + by) % 8]))
    }
}
