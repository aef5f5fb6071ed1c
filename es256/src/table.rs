//! The multiples of a point that make its multiplication a sum of 32 of them.

use once_cell::race::OnceBox;

use crate::{
    field::FieldElement,
    point::{AffinePoint, Point},
    scalar::Digits,
};

/// Digits of a multiplier.
pub(crate) const WINDOWS: usize = 32;
/// Multiples for each: of all odd digits below 256, the positive ones.
const MULTIPLES: usize = 128;

static GENERATOR: OnceBox<Table> = OnceBox::new();

/// The generator's table, which the first key of the process builds: half a millisecond once, instead of 256 kB in every
/// binary of every language.
///
/// Threads that begin at the same time all build it, and one table stays. As no thread waits for another, a process
/// forked meanwhile does not wait for a thread that it does not have.
pub(crate) fn generator() -> &'static Table {
    GENERATOR.get_or_init(|| {
        let x = [0xf4a1_3945_d898_c296, 0x7703_7d81_2deb_33a0, 0xf8bc_e6e5_63a4_40f2, 0x6b17_d1f2_e12c_4247];
        let y = [0xcbb6_4068_37bf_51f5, 0x2bce_3357_6b31_5ece, 0x8ee7_eb4a_7c0f_9e16, 0x4fe3_42e2_fe1a_7f9b];
        Box::new(Table::new(&AffinePoint { x: FieldElement::new(x), y: FieldElement::new(y) }))
    })
}

/// The multiple (2j + 1)·256^i of a point in row i at j, canonical: 256 kB, on the heap from the start.
pub(crate) struct Table(Vec<Row>);

type Row = [AffinePoint; MULTIPLES];

impl Table {
    /// Builds the table of a point, in the time of about 45 verifications.
    pub(crate) fn new(point: &AffinePoint) -> Self {
        let powers = doublings(point);
        let mut rows: Vec<Row> = powers.iter().step_by(8).map(|first| [*first; MULTIPLES]).collect();
        // With j·Q for the odd j below 2^k, the sums j·Q + 2^k·Q are those for the odd j up to 2^(k + 1)
        for k in 1..8 {
            add_to_rows(&mut rows, 1 << (k - 1), powers.iter().skip(k).step_by(8));
        }
        Self(rows)
    }

    /// Fills `points` with the multiples whose sum is the point times the multiplier.
    #[inline]
    pub(crate) fn select(&self, digits: &Digits, points: &mut [AffinePoint; WINDOWS]) {
        for ((multiple, negative), point) in self.multiples(digits).zip(points) {
            *point = AffinePoint { x: multiple.x, y: multiple.y.negate_if(negative) };
        }
    }

    /// The multiples whose sum is the point times the multiplier, each with whether its negative is meant.
    #[inline(always)]
    pub(crate) fn multiples(&self, digits: &Digits) -> impl Iterator<Item = (&AffinePoint, bool)> {
        self.0.iter().zip(digits.0).map(|(row, digit)| {
            // The byte 128 + j is the digit 2j + 1, the byte 127 − j its negative
            let negative = digit < 128;
            let j = if negative { 127 - digit } else { digit - 128 };
            (&row[usize::from(j)], negative)
        })
    }
}

/// 2^k·Q for k from 0 to 255.
fn doublings(point: &AffinePoint) -> Vec<AffinePoint> {
    let points: Vec<Point> =
        std::iter::successors(Some(Point::from(*point)), |point| Some(point.double())).take(256).collect();
    let mut inverses: Vec<FieldElement> = points.iter().map(|point| point.zzz).collect();
    invert_all(&mut inverses);
    let to_affine = |(point, inverse): (&Point, &FieldElement)| {
        // ZZ / ZZZ = 1 / Z and 1 / ZZ = (1 / Z)²
        let x = point.x.multiply(inverse.multiply(point.zz).square());
        AffinePoint { x: x.canonical(), y: point.y.multiply(*inverse).canonical() }
    };
    points.iter().zip(&inverses).map(to_affine).collect()
}

/// Appends to the first `count` points of each row their sums with the row's addend.
///
/// The sums are those of different multiples of one point, all below its order: no addend meets its equal or negative.
fn add_to_rows<'a>(rows: &mut [Row], count: usize, addends: impl Iterator<Item = &'a AffinePoint> + Clone) {
    let mut inverses = Vec::with_capacity(WINDOWS * count);
    for (row, addend) in rows.iter().zip(addends.clone()) {
        inverses.extend(row[..count].iter().map(|point| addend.x.subtract(point.x)));
    }
    invert_all(&mut inverses);
    for ((row, addend), inverses) in rows.iter_mut().zip(addends).zip(inverses.chunks_exact(count)) {
        for (j, inverse) in inverses.iter().enumerate() {
            row[count + j] = add_affine(&row[j], addend, *inverse);
        }
    }
}

/// The sum of two points of different x, given the inverse of the difference of their x.
fn add_affine(a: &AffinePoint, b: &AffinePoint, inverse: FieldElement) -> AffinePoint {
    let slope = b.y.subtract(a.y).multiply(inverse);
    let x = slope.square().subtract(a.x).subtract(b.x);
    let y = slope.multiply(a.x.subtract(x)).subtract(a.y);
    AffinePoint { x: x.canonical(), y: y.canonical() }
}

/// Replaces every element, none of which may be 0, by its inverse, at three multiplications each and one inversion.
fn invert_all(elements: &mut [FieldElement]) {
    let mut product = FieldElement::ONE;
    let mut products_before = Vec::with_capacity(elements.len());
    for element in elements.iter() {
        products_before.push(product);
        product = product.multiply(*element);
    }
    let mut inverse = product.invert();
    for (element, product_before) in elements.iter_mut().zip(products_before).rev() {
        let own = inverse.multiply(product_before);
        inverse = inverse.multiply(*element);
        *element = own;
    }
}

#[cfg(test)]
mod tests {
    use p256::ProjectivePoint;

    use super::*;
    use crate::{
        scalar,
        testing::{affine, edge_scalars, is, scalar},
    };

    #[test]
    fn every_multiple_of_the_generator() {
        let mut base = ProjectivePoint::GENERATOR;
        for (i, row) in generator().0.iter().enumerate() {
            let mut multiple = base;
            for (j, point) in row.iter().enumerate() {
                assert!(is(&Point::from(*point), multiple), "window {i}, multiple {j}");
                multiple += base + base;
            }
            base *= scalar(256);
        }
    }

    #[test]
    fn selected_multiples_sum_up_to_the_product() {
        let point = ProjectivePoint::GENERATOR * scalar(0xc0ffee);
        let table = Table::new(&affine(point));
        for k in edge_scalars() {
            let mut multiples = [AffinePoint::ZERO; WINDOWS];
            table.select(&Digits::new(scalar::to_limbs(&k)), &mut multiples);
            let sum = multiples.iter().fold(Point::INFINITY, |sum, multiple| sum.add(multiple));
            assert!(is(&sum, point * k), "{k:?}");
        }
    }

    #[test]
    fn a_table_takes_256_kilobytes() {
        assert_eq!(size_of_val(&*generator().0), 256 * 1024);
    }
}
