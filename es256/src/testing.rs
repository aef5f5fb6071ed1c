//! What the tests of several modules need: the library `p256` as the reference, and numbers worth a test.

use p256::{
    ProjectivePoint, Scalar,
    elliptic_curve::{PrimeField as _, point::AffineCoordinates as _},
};

use crate::{
    field::{FieldElement, P},
    limbs::{self, Limbs},
    point::{AffinePoint, Point},
    scalar::N,
};

/// Numbers at which carries, borrows and reductions change: around 0, p, n and 2^256.
pub(crate) const EDGES: [Limbs; 14] = [
    [0; 4],
    [1, 0, 0, 0],
    [2, 0, 0, 0],
    [0, 0, 0, 1 << 63],
    [P[0] - 1, P[1], P[2], P[3]],
    P,
    [0, P[1] + 1, P[2], P[3]],
    [1, P[1] + 1, P[2], P[3]],
    [N[0] - 1, N[1], N[2], N[3]],
    N,
    [N[0] + 1, N[1], N[2], N[3]],
    [u64::MAX - 1, u64::MAX, u64::MAX, u64::MAX],
    [u64::MAX; 4],
    [u64::MAX, 0, u64::MAX, 0],
];

pub(crate) fn scalar(value: u64) -> Scalar {
    Scalar::from(value)
}

/// 0, 1, n − 1, the powers of 2^8 and their neighbours, and numbers with the highest or the lowest digits everywhere.
pub(crate) fn edge_scalars() -> Vec<Scalar> {
    let mut scalars = vec![scalar(0), scalar(1), scalar(2), scalar(127), scalar(255), scalar(257)];
    for i in [1, 2, 3, 15, 30, 31] {
        scalars.push((0..i).fold(scalar(1), |power, _| power * scalar(256)));
    }
    for bytes in [[0x7f; 32], [0x80; 32], [0xfe; 32], [0x01; 32]] {
        scalars.extend(Option::<Scalar>::from(Scalar::from_repr(bytes.into())));
    }
    scalars.push(scalars[10] - scalar(1));
    scalars.push(scalars[11] + scalar(1));
    scalars.iter().flat_map(|scalar| [*scalar, -scalar]).collect()
}

pub(crate) fn affine(point: ProjectivePoint) -> AffinePoint {
    let point = point.to_affine();
    assert!(!bool::from(point.is_identity()), "infinity has no coordinates");
    let coordinate = |bytes: [u8; 32]| FieldElement::new(limbs::from_be_bytes(&bytes));
    AffinePoint { x: coordinate(point.x().into()), y: coordinate(point.y().into()) }
}

/// Whether the point is the same as that of the reference.
pub(crate) fn is(point: &Point, reference: ProjectivePoint) -> bool {
    if reference == ProjectivePoint::IDENTITY || point.is_infinity() {
        return reference == ProjectivePoint::IDENTITY && point.is_infinity();
    }
    let AffinePoint { x, y } = affine(reference);
    x.multiply(point.zz) == point.x && y.multiply(point.zzz) == point.y
}
