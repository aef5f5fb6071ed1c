//! Points of P-256, y² = x³ − 3x + b, and their addition. Formulas: <https://hyperelliptic.org/EFD/g1p/auto-shortw-xyzz.html>.

use crate::field::FieldElement;

/// A point other than infinity by its coordinates, in one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct AffinePoint {
    pub(crate) x: FieldElement,
    pub(crate) y: FieldElement,
}

impl AffinePoint {
    /// No point: it only fills a buffer.
    pub(crate) const ZERO: Self = Self { x: FieldElement::ZERO, y: FieldElement::ZERO };

    /// The limbs of x and of y, each times 2^256: what other formulas read a table's entry as.
    #[cfg(any(target_arch = "x86_64", test))]
    #[inline(always)]
    pub(crate) fn words(&self) -> [u64; 8] {
        let ([x0, x1, x2, x3], [y0, y1, y2, y3]) = (self.x.montgomery_limbs(), self.y.montgomery_limbs());
        [x0, x1, x2, x3, y0, y1, y2, y3]
    }
}

/// A point as x = X/ZZ, y = Y/ZZZ with ZZ³ = ZZZ²: mixed addition takes 10 multiplications, one less than in Jacobian
/// coordinates. Infinity is all zeros.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) x: FieldElement,
    pub(crate) y: FieldElement,
    pub(crate) zz: FieldElement,
    pub(crate) zzz: FieldElement,
}

impl Point {
    pub(crate) const INFINITY: Self =
        Self { x: FieldElement::ZERO, y: FieldElement::ZERO, zz: FieldElement::ZERO, zzz: FieldElement::ZERO };

    pub(crate) fn is_infinity(&self) -> bool {
        self.zz.is_zero()
    }

    /// The sum of any two points (madd-2008-s and its exceptions).
    ///
    /// The exceptions are answered here, at the addition that meets them, and not by a second verification at the end:
    /// no sum formed this way costs more than any other, for any multipliers that a signature's maker chose.
    #[inline(always)]
    pub(crate) fn add(&self, other: &AffinePoint) -> Self {
        let p = other.x.multiply(self.zz).subtract(self.x);
        let r = other.y.multiply(self.zzz).subtract(self.y);
        // Equal x, or infinity: next to never, so that the test costs one comparison, always predicted
        if p.is_zero() {
            return self.add_exceptional(other, r);
        }
        let pp = p.square();
        let ppp = p.multiply(pp);
        let q = self.x.multiply(pp);
        let x = r.square().subtract(ppp).subtract(q).subtract(q);
        let y = r.multiply(q.subtract(x)).subtract(self.y.multiply(ppp));
        Self { x, y, zz: self.zz.multiply(pp), zzz: self.zzz.multiply(ppp) }
    }

    #[cold]
    #[inline(never)]
    fn add_exceptional(&self, other: &AffinePoint, difference_of_y: FieldElement) -> Self {
        #[cfg(test)]
        EXCEPTIONAL_ADDITIONS.with(|count| count.set(count.get() + 1));
        if self.is_infinity() {
            return Self::from(*other);
        }
        if difference_of_y.is_zero() { self.double() } else { Self::INFINITY }
    }

    /// Twice the point (dbl-2008-s-1 with a = −3). No point of P-256 has y = 0, as the order is odd.
    pub(crate) fn double(&self) -> Self {
        let u = self.y.add(self.y);
        let v = u.square();
        let w = u.multiply(v);
        let s = self.x.multiply(v);
        let m = self.x.subtract(self.zz).multiply(self.x.add(self.zz));
        let m = m.add(m).add(m);
        let x = m.square().subtract(s).subtract(s);
        let y = m.multiply(s.subtract(x)).subtract(w.multiply(self.y));
        Self { x, y, zz: v.multiply(self.zz), zzz: w.multiply(self.zzz) }
    }
}

impl From<AffinePoint> for Point {
    fn from(AffinePoint { x, y }: AffinePoint) -> Self {
        Self { x, y, zz: FieldElement::ONE, zzz: FieldElement::ONE }
    }
}

#[cfg(test)]
thread_local! {
    static EXCEPTIONAL_ADDITIONS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How many exceptional additions this thread has made: a test that means to force one looks whether it came about.
#[cfg(test)]
pub(crate) fn exceptional_additions() -> u64 {
    EXCEPTIONAL_ADDITIONS.get()
}

#[cfg(test)]
mod tests {
    use p256::ProjectivePoint;

    use super::*;
    use crate::testing::{affine, is, scalar};

    const G: ProjectivePoint = ProjectivePoint::GENERATOR;

    /// a·G in coordinates with ZZ other than 1, as in the middle of a sum.
    fn in_mid_sum(a: i64) -> (Point, ProjectivePoint) {
        let point = Point::from(affine(G * scalar(1000))).add(&affine(-(G * scalar(1000)) + signed(a)));
        (point, signed(a))
    }

    fn signed(a: i64) -> ProjectivePoint {
        let point = G * scalar(a.unsigned_abs());
        if a < 0 { -point } else { point }
    }

    #[test]
    fn sums_of_small_multiples() {
        for a in -9..10 {
            for b in (-9..10).filter(|b| *b != 0) {
                let (point, reference) = in_mid_sum(a);
                assert!(is(&point, reference), "{a}");
                let before = exceptional_additions();
                let sum = point.add(&affine(signed(b)));
                assert!(is(&sum, reference + signed(b)), "{a} + {b}");
                let exceptional = a == 0 || a == b || a == -b;
                assert_eq!(exceptional_additions() - before, u64::from(exceptional), "{a} + {b}");
            }
        }
    }

    #[test]
    fn infinity_is_left_again() {
        let five = affine(G * scalar(5));
        let sum = Point::INFINITY.add(&five).add(&affine(-(G * scalar(5))));
        assert!(sum.is_infinity());
        assert!(is(&sum.add(&five).add(&five).add(&five), G * scalar(15)));
    }

    #[test]
    fn doubling() {
        let mut point = Point::from(affine(G));
        let mut reference = G;
        for _ in 0..300 {
            point = point.double();
            reference += reference;
            assert!(is(&point, reference));
        }
        assert!(Point::INFINITY.double().is_infinity());
    }
}
