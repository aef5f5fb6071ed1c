//! The sum of 64 points eight at a time: eight lanes add eight points each, then three additions join the lanes.
//!
//! Everything is written once, over the trait [`Lanes`], and runs as three things: as vector instructions (`ifma.rs`),
//! as plain numbers whose every operation is checked (`model.rs`), and as intervals (`interval.rs`), which prove that no
//! lane overflows for any input.
//!
//! # A lane's numbers
//!
//! Five limbs of 52 bits, least significant first, as AVX-512 IFMA multiplies 52 bits. They stand for the value times
//! 2^260 modulo p (Montgomery form). There are four kinds, by size:
//!
//! | kind | below | why |
//! |---|---|---|
//! | entry of a table | 2^260 | 16 times a number below 2^256 |
//! | difference | 2p + 2^230 | [`Element::reduced`] |
//! | product, or sum of two, of differences and products of this kind | 2p | (a·b + m·p) / 2^260 with m < 2^260 |
//! | product of an entry and one of the two before | 4p | the same; no factor again, but a term of a difference |
//!
//! Limbs are between 0 and 2^52 (the instructions ignore the bits above). Between that they are signed 64-bit numbers,
//! which [`Element::carried`] brings back to 52 bits; the largest, columns of two products, stay below 2^57.

#[cfg(test)]
mod interval;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
use crate::{scalar::Digits, table::Table};

/// The limbs of p, least significant first: 2^52 − 1, 2^44 − 1, 0, and these two.
const P3: u64 = 1 << 36;
const P4: u64 = (1 << 48) - (1 << 16);

const LIMBS: usize = 5;

/// Eight signed 64-bit numbers, and the operations that the formulas are made of. None may overflow.
pub(crate) trait Lanes: Copy {
    /// The same number in every lane.
    fn all(value: u64) -> Self;
    /// Word i of every row, as the result i: row l is for lane l.
    fn columns(rows: &[[u64; 8]; 8]) -> [Self; 8];
    fn add(self, other: Self) -> Self;
    fn subtract(self, other: Self) -> Self;
    /// The lowest 52 bits, in a vector that may only be a factor: the instructions look at no other bits of factors, and so
    /// take these away for nothing. In any other place vectors and plain numbers would differ, which are compared.
    fn factor(self) -> Self;
    /// self + the lower 52 bits of a·b, for factors between 0 and 2^52.
    fn add_low_product(self, a: Self, b: Self) -> Self;
    /// self + a·b / 2^52, rounded down, for factors between 0 and 2^52.
    fn add_high_product(self, a: Self, b: Self) -> Self;
    /// The lowest bits.
    fn low<const BITS: u32>(self) -> Self;
    /// self / 2^BITS, rounded down.
    fn high<const BITS: u32>(self) -> Self;
    /// self · 2^BITS
    fn shift_left<const BITS: u32>(self) -> Self;
    /// 52 bits of the 128 that two words make, from this bit on.
    fn bits<const FROM: u32>(low: Self, high: Self) -> Self;
    /// The negative in lanes whose sign is below 0.
    fn negate(self, signs: &[i64; 8]) -> Self;
    /// In every lane what was `by` lanes further on.
    fn rotate(self, by: usize) -> Self;
}

/// What is to be summed up: step s and lane l take the point 8·s + l.
#[repr(align(64))]
pub(crate) struct Points {
    /// x and y, each times 2^256 and in four words: the entry of a table.
    pub(crate) entries: [[[u64; 8]; 8]; 8],
    /// −1 if the point is the negative of its entry, else 1.
    pub(crate) signs: [[i64; 8]; 8],
}

#[cfg(target_arch = "x86_64")]
impl Points {
    /// The points whose sum is each table's point times the multiplier with these digits.
    ///
    /// With cold caches the reads wait for memory together as they are: a first pass over one word of each gains nothing.
    #[inline(always)]
    pub(crate) fn read(multiplications: [(&Table, &Digits); 2]) -> Self {
        let mut points = Self { entries: [[[0; 8]; 8]; 8], signs: [[0; 8]; 8] };
        let places = points.entries.as_flattened_mut().iter_mut().zip(points.signs.as_flattened_mut());
        let multiples = multiplications.into_iter().flat_map(|(table, digits)| table.multiples(digits));
        for ((entry, sign), (multiple, negative)) in places.zip(multiples) {
            *entry = multiple.words();
            *sign = if negative { -1 } else { 1 };
        }
        points
    }
}

/// X and ZZ of the sum, in every lane, without a Montgomery factor and at most p: x is X / ZZ.
///
/// ZZ is 0 modulo p if and only if an addition met two points of equal x, and nothing is known of the sum then: every
/// formula multiplies the ZZ that it is given, so that a 0 stays to the end, from a lane through the joining too.
/// Otherwise each addition was one of two different points and not of opposite ones, which the formulas are right for.
#[inline(always)]
pub(crate) fn sum<L: Lanes>(points: &Points) -> [[L; LIMBS]; 2] {
    let mut sum = Point::minus_sum(Affine::read(points, 0, 1), Affine::read(points, 1, 1));
    for step in 2..8 {
        // An addition gives the negative of a sum: what is added to a negative is negated too
        let sign = if step % 2 == 0 { -1 } else { 1 };
        sum = sum.minus_add_affine(Affine::read(points, step, sign));
    }
    for distance in [4, 2] {
        sum = sum.minus_add(sum.rotate(distance));
    }
    // Apart from the loop: the compiler leaves out what Y and ZZZ alone would need
    sum = sum.minus_add(sum.rotate(1));
    let out_of_montgomery_form = Element::constant([1, 0, 0, 0, 0]);
    [sum.x.multiply(out_of_montgomery_form).0, sum.zz.multiply(out_of_montgomery_form).0]
}

/// A point other than infinity by its coordinates, of which y is negated if the sign is below 0.
struct Affine<L> {
    x: Element<L>,
    y: Element<L>,
    signs: [i64; 8],
}

impl<L: Lanes> Affine<L> {
    /// The points of a step, times 1 or −1.
    #[inline(always)]
    fn read(points: &Points, step: usize, sign: i64) -> Self {
        let [x0, x1, x2, x3, y0, y1, y2, y3] = L::columns(&points.entries[step]);
        let mut signs = points.signs[step];
        for of_lane in &mut signs {
            *of_lane *= sign;
        }
        Self { x: Element::from_words([x0, x1, x2, x3]), y: Element::from_words([y0, y1, y2, y3]), signs }
    }
}

/// A point as x = X/ZZ, y = Y/ZZZ with ZZ³ = ZZZ². Formulas: <https://hyperelliptic.org/EFD/g1p/auto-shortw-xyzz.html>.
#[derive(Clone, Copy)]
struct Point<L> {
    x: Element<L>,
    y: Element<L>,
    zz: Element<L>,
    zzz: Element<L>,
}

impl<L: Lanes> Point<L> {
    /// −(first + second), by mmadd-2008-s
    #[inline(always)]
    fn minus_sum(first: Affine<L>, second: Affine<L>) -> Self {
        let y = Element::reduced(negate(first.y.0, &first.signs));
        Self::join([first.x, y], [second.x.0, negate(second.y.0, &second.signs)])
    }

    /// −(self + other), by madd-2008-s
    #[inline(always)]
    fn minus_add_affine(self, other: Affine<L>) -> Self {
        let (u2, s2) = (other.x.product(self.zz), other.y.product(self.zzz));
        let sum = Self::join([self.x, self.y], [u2, negate(s2, &other.signs)]);
        Self { zz: self.zz.multiply(sum.zz), zzz: self.zzz.multiply(sum.zzz), ..sum }
    }

    /// −(self + other), by add-2008-s
    #[inline(always)]
    fn minus_add(self, other: Self) -> Self {
        let (u1, s1) = (self.x.multiply(other.zz), self.y.multiply(other.zzz));
        let (u2, s2) = (other.x.product(self.zz), other.y.product(self.zzz));
        let sum = Self::join([u1, s1], [u2, s2]);
        let (zz, zzz) = (self.zz.multiply(other.zz), self.zzz.multiply(other.zzz));
        Self { zz: zz.multiply(sum.zz), zzz: zzz.multiply(sum.zzz), ..sum }
    }

    /// The negative of the sum of two points of different x, whose ZZ and ZZZ are the same: the sum's are theirs times
    /// those here.
    ///
    /// The formulas' P is −p here, so that nothing has to be negated for Y; ZZZ comes out as its negative.
    #[inline(always)]
    fn join([u1, s1]: [Element<L>; 2], [u2, s2]: [[L; LIMBS]; 2]) -> Self {
        let p = Element::reduced(minus(u1.0, u2));
        let r = Element::reduced(minus(s2, s1.0));
        let pp = p.square();
        let ppp = p.multiply(pp);
        let q = u1.multiply(pp);
        let x = Element::reduced(minus(minus(plus(r.product_with_itself(), ppp.0), q.0), q.0));
        let y = Element::carried(Element::sum_of_products([(r, Element::reduced(minus(q.0, x.0))), (s1, ppp)]));
        Self { x, y, zz: pp, zzz: ppp }
    }

    #[inline(always)]
    fn rotate(self, by: usize) -> Self {
        Self { x: self.x.rotate(by), y: self.y.rotate(by), zz: self.zz.rotate(by), zzz: self.zzz.rotate(by) }
    }
}

/// A residue modulo p in each lane: see the module's documentation.
#[derive(Clone, Copy, Debug)]
struct Element<L>([L; LIMBS]);

impl<L: Lanes> Element<L> {
    #[inline(always)]
    fn constant([t0, t1, t2, t3, t4]: [u64; LIMBS]) -> Self {
        Self([L::all(t0), L::all(t1), L::all(t2), L::all(t3), L::all(t4)])
    }

    /// The element whose value times 2^256 is in these words: 16 times them, cut into limbs of 52 bits.
    #[inline(always)]
    fn from_words([w0, w1, w2, w3]: [L; 4]) -> Self {
        let zero = L::all(0);
        Self([
            L::bits::<60>(zero, w0),
            L::bits::<48>(w0, w1),
            L::bits::<36>(w1, w2),
            L::bits::<24>(w2, w3),
            L::bits::<12>(w3, zero),
        ])
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        Self::carried(self.product(other))
    }

    #[inline(always)]
    fn square(self) -> Self {
        Self::carried(self.product_with_itself())
    }

    /// The product with limbs of up to 57 bits, as they may be in a difference.
    #[inline(always)]
    fn product(self, other: Self) -> [L; LIMBS] {
        Self::sum_of_products([(self, other)])
    }

    /// The sum of a·b over the pairs, at the price of one reduction.
    #[inline(always)]
    fn sum_of_products<const N: usize>(pairs: [(Self, Self); N]) -> [L; LIMBS] {
        let mut t = [L::all(0); 2 * LIMBS];
        for (a, b) in pairs {
            for i in 0..LIMBS {
                for j in 0..LIMBS {
                    t[i + j] = t[i + j].add_low_product(a.0[i], b.0[j]);
                    t[i + j + 1] = t[i + j + 1].add_high_product(a.0[i], b.0[j]);
                }
            }
        }
        Self::divided(t)
    }

    #[inline(always)]
    fn product_with_itself(self) -> [L; LIMBS] {
        let mut t = [L::all(0); 2 * LIMBS];
        for i in 0..LIMBS {
            for j in i + 1..LIMBS {
                t[i + j] = t[i + j].add_low_product(self.0[i], self.0[j]);
                t[i + j + 1] = t[i + j + 1].add_high_product(self.0[i], self.0[j]);
            }
        }
        for column in &mut t {
            *column = column.add(*column);
        }
        for i in 0..LIMBS {
            t[2 * i] = t[2 * i].add_low_product(self.0[i], self.0[i]);
            t[2 * i + 1] = t[2 * i + 1].add_high_product(self.0[i], self.0[i]);
        }
        Self::divided(t)
    }

    /// The number with these limbs, which may be more than 52 bits, divided by 2^260 modulo p.
    #[inline(always)]
    fn divided(mut t: [L; 2 * LIMBS]) -> [L; LIMBS] {
        // Adds m·p·2^(52 i), which makes limb i 0: as p = −1 modulo 2^52, m is the limb itself. The two lowest limbs of
        // p are 2^96 − 1, and the −1 takes away m, so that what limb i has above 52 bits remains
        let (p01, p3, p4) = (L::all(1 << 44), L::all(P3), L::all(P4));
        for i in 0..LIMBS {
            let m = t[i].factor();
            t[i + 1] = t[i + 1].add(t[i].high::<52>()).add_low_product(m, p01);
            t[i + 2] = t[i + 2].add_high_product(m, p01);
            t[i + 3] = t[i + 3].add_low_product(m, p3);
            t[i + 4] = t[i + 4].add_high_product(m, p3).add_low_product(m, p4);
            t[i + 5] = t[i + 5].add_high_product(m, p4);
        }
        [t[5], t[6], t[7], t[8], t[9]]
    }

    /// The number with these limbs, which may be negative and somewhat more than 52 bits, brought between 0 and about 2p.
    ///
    /// It subtracts (k − 1)·p, with the number's 2^256 as k. What remains is p and the lower 256 bits, short of k·2^224.
    #[inline(always)]
    fn reduced(t: [L; LIMBS]) -> Self {
        let k = t[4].high::<48>().subtract(L::all(1));
        // −k·p = −k·2^256 + k·2^224 − k·2^192 − k·2^96 + k, whose first is left out but for the −1
        Self::carried([
            t[0].add(k),
            t[1].subtract(k.shift_left::<44>()),
            t[2],
            t[3].subtract(k.shift_left::<36>()),
            t[4].low::<48>().add(L::all(1 << 48)).add(k.shift_left::<16>()),
        ])
    }

    #[inline(always)]
    fn rotate(mut self, by: usize) -> Self {
        for limb in &mut self.0 {
            *limb = limb.rotate(by);
        }
        self
    }

    /// The same number, which must be between 0 and 2^260, with limbs of 52 bits.
    #[inline(always)]
    fn carried(mut t: [L; LIMBS]) -> Self {
        for i in 0..LIMBS - 1 {
            t[i + 1] = t[i + 1].add(t[i].high::<52>());
            t[i] = t[i].low::<52>();
        }
        Self(t)
    }
}

#[inline(always)]
fn minus<L: Lanes>(mut a: [L; LIMBS], b: [L; LIMBS]) -> [L; LIMBS] {
    for i in 0..LIMBS {
        a[i] = a[i].subtract(b[i]);
    }
    a
}

#[inline(always)]
fn plus<L: Lanes>(mut a: [L; LIMBS], b: [L; LIMBS]) -> [L; LIMBS] {
    for i in 0..LIMBS {
        a[i] = a[i].add(b[i]);
    }
    a
}

/// The negative in lanes whose sign is below 0.
#[inline(always)]
fn negate<L: Lanes>(mut limbs: [L; LIMBS], signs: &[i64; 8]) -> [L; LIMBS] {
    for limb in &mut limbs {
        *limb = limb.negate(signs);
    }
    limbs
}
