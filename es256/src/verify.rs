//! ECDSA verification (FIPS 186-5, section 6.4.2).

use p256::ecdsa::Signature;

use crate::{
    field::{FieldElement, P},
    limbs,
    point::{AffinePoint, Point},
    scalar::{self, Digits, N},
    table::{Table, WINDOWS, generator},
    way::Way,
};
#[cfg(target_arch = "x86_64")]
use crate::{ifma, lanes::Points};

/// Whether the 64 bytes r ‖ s are a signature of the hash under the key with this table.
pub(crate) fn verify(way: Way, key: &Table, hash: &[u8; 32], signature: &[u8]) -> bool {
    // Exactly 64 bytes, r and s from 1 to n − 1
    let Ok(signature) = Signature::from_slice(signature) else {
        return false;
    };
    let (r, s) = signature.split_scalars();
    let (u1, u2) = scalar::multipliers(hash, &r, &s);
    let (u1, u2) = (Digits::new(u1), Digits::new(u2));
    let in_lanes = if way == Way::Ifma { sum_in_lanes(&u1, key, &u2) } else { None };
    let sum = in_lanes.unwrap_or_else(|| sum(&u1, key, &u2).into());
    sum.is(scalar::to_limbs(&r))
}

/// u1·G + u2·Q
fn sum(u1: &Digits, key: &Table, u2: &Digits) -> Point {
    // All are read before the first addition: the reads wait for memory together, and not each in turn
    let mut points = [[AffinePoint::ZERO; WINDOWS]; 2];
    generator().select(u1, &mut points[0]);
    key.select(u2, &mut points[1]);
    let first = Point::from(points[0][0]);
    points.as_flattened()[1..].iter().fold(first, |sum, point| sum.add(point))
}

/// The same in eight lanes. Nothing if the processor cannot, and nothing if an addition met points of equal x: that such
/// a sum is valid or invalid is not for these formulas to say, and all that is known of it is forgotten.
fn sum_in_lanes(u1: &Digits, key: &Table, u2: &Digits) -> Option<X> {
    #[cfg(target_arch = "x86_64")]
    {
        let sum = ifma::sum(&Points::read([(generator(), u1), (key, u2)]))?;
        // Both lack the factor 2^256 of Montgomery form, which makes no difference to X/ZZ
        let [x, zz] = sum.map(|limbs| FieldElement::from_montgomery_limbs(limbs::from_limbs_of_52_bits(limbs)));
        let sum = X { x, zz };
        (!sum.zz.is_zero()).then_some(sum)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = (u1, key, u2);
        None
    }
}

/// The x of a point as X/ZZ; infinity has ZZ = 0.
struct X {
    x: FieldElement,
    zz: FieldElement,
}

impl X {
    /// Whether the point is not infinity and its x, reduced modulo n, is r: without a division, r·ZZ = X.
    ///
    /// As n < p < 2n, x is r or, if that is below p, r + n.
    fn is(&self, r: limbs::Limbs) -> bool {
        if self.zz.is_zero() {
            return false;
        }
        let is_x = |x| FieldElement::new(x).multiply(self.zz) == self.x;
        if is_x(r) {
            return true;
        }
        let (r_plus_n, carry) = limbs::add(r, N);
        let below_p = !carry && limbs::subtract(r_plus_n, P).1;
        below_p && is_x(r_plus_n)
    }
}

impl From<Point> for X {
    fn from(Point { x, zz, .. }: Point) -> Self {
        Self { x, zz }
    }
}

#[cfg(test)]
mod tests {
    use p256::{
        AffinePoint as Reference, ProjectivePoint, Scalar,
        ecdsa::{VerifyingKey, signature::hazmat::PrehashVerifier as _},
        elliptic_curve::{
            Field as _, PrimeField as _,
            point::{AffineCoordinates as _, DecompressPoint as _},
        },
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{
        point::exceptional_additions,
        scalar::reduced,
        testing::{EDGES, affine, edge_scalars, is, scalar},
    };

    const G: ProjectivePoint = ProjectivePoint::GENERATOR;

    fn table(point: ProjectivePoint) -> Table {
        Table::new(&affine(point))
    }

    /// What both this crate and `p256` say of a signature; they must agree.
    fn verify_by_both(key: ProjectivePoint, hash: &[u8; 32], r: [u8; 32], s: [u8; 32]) -> bool {
        let signature = [r, s].concat();
        let reference = VerifyingKey::from_affine(key.to_affine()).unwrap();
        let expected = Signature::from_slice(&signature).is_ok_and(|s| reference.verify_prehash(hash, &s).is_ok());
        for way in Way::all() {
            let ours = verify(*way, &table(key), hash, &signature);
            assert_eq!(ours, expected, "{way} against p256: {hash:x?} {signature:x?}");
        }
        expected
    }

    /// A key, a hash, r and s for which u1, u2 and R come out as given (R = u1·G + u2·Q).
    fn signature_of(u1: Scalar, u2: Scalar, r_point: Reference) -> (ProjectivePoint, Scalar, Scalar, Scalar) {
        let key = (ProjectivePoint::from(r_point) - G * u1) * u2.invert().unwrap();
        let r = reduced(&r_point.x().into());
        let s = r * u2.invert().unwrap();
        (key, u1 * s, r, s)
    }

    #[test]
    fn sums_of_chosen_multiples() {
        let scalars: Vec<(Scalar, ProjectivePoint)> = edge_scalars().into_iter().map(|u| (u, G * u)).collect();
        let mut in_lanes = 0;
        for k in [1, 2, 3, 4, 5, 256, 257, 65536] {
            for k in [scalar(k), -scalar(k)] {
                let key = table(G * k);
                for (u2, u2_g) in &scalars {
                    let u2_q = u2_g * &k;
                    for (u1, u1_g) in &scalars {
                        let [digits1, digits2] = [u1, u2].map(|u| Digits::new(scalar::to_limbs(u)));
                        let one_by_one = sum(&digits1, &key, &digits2);
                        assert!(is(&one_by_one, u1_g + &u2_q), "{u1:?} G + {u2:?} · {k:?} G");
                        if let Some(X { x, zz }) = sum_in_lanes(&digits1, &key, &digits2) {
                            assert!(!one_by_one.is_infinity(), "{u1:?} G + {u2:?} · {k:?} G");
                            assert!(
                                x.multiply(one_by_one.zz) == one_by_one.x.multiply(zz),
                                "{u1:?} G + {u2:?} · {k:?} G"
                            );
                            in_lanes += 1;
                        }
                    }
                }
            }
        }
        println!("{in_lanes} of these sums were formed in lanes too");
        assert!(in_lanes > 0 || !Way::all().contains(&Way::Ifma));
    }

    /// Signatures whose sum meets an equal or an opposite point in one of the lanes, which then give up: whether they are
    /// valid is decided all the same.
    #[test]
    fn exceptional_points_in_lanes_are_decided() {
        let (u1, u2) = (scalar(0x1234_5678).invert().unwrap(), scalar(0x9abc_def1).invert().unwrap());
        let digits = [u1, u2].map(|u| Digits::new(scalar::to_limbs(&u)));
        let values = digits.each_ref().map(|digits| {
            let powers = std::iter::successors(Some(Scalar::ONE), |power| Some(power * &scalar(256)));
            let values =
                powers.zip(digits.0).map(|(power, digit)| power * (scalar(2 * u64::from(digit)) - scalar(255)));
            values.collect::<Vec<_>>()
        });
        for window in 0..WINDOWS {
            // A lane adds every eighth point: first those of G, then those of Q = k·G up to this one
            let lane = |window: &usize| (*window).is_multiple_of(8);
            let of_g: Scalar = (0..WINDOWS).filter(|i| lane(&i.abs_diff(window))).map(|i| values[0][i]).sum();
            let of_q: Scalar = (0..window).filter(|i| lane(&(window - i))).map(|i| values[1][i]).sum();
            for target in [values[1][window], -values[1][window]] {
                let k = of_g * (target - of_q).invert().unwrap();
                let key = G * k;
                if cfg!(target_arch = "x86_64") {
                    assert!(sum_in_lanes(&digits[0], &table(key), &digits[1]).is_none(), "window {window}");
                }
                let r = reduced(&(G * (u1 + u2 * k)).to_affine().x().into());
                for (r, valid) in [(r, true), (r + Scalar::ONE, false)] {
                    let s = r * u2.invert().unwrap();
                    let [hash, r, s] = [u1 * s, r, s].map(|number| number.to_repr().into());
                    assert_eq!(verify_by_both(key, &hash, r, s), valid, "window {window}");
                }
            }
        }
    }

    /// The one sum of exceptional points that somebody without a key can force, for every key: with u1 = u2 = this number
    /// the even windows and the odd ones differ by n, in G and in Q alike, so the last joining adds equal points.
    #[test]
    fn a_joining_of_equal_points_is_decided() {
        let u: [u8; 32] = [
            0x01, 0xfe, 0x01, 0xfd, 0xfe, 0x01, 0xfe, 0x02, 0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfd, 0xff, 0xcd,
            0xff, 0x5a, 0x00, 0x2d, 0xff, 0x0a, 0x01, 0x71, 0xff, 0x85, 0xfe, 0xc6, 0x00, 0xa2,
        ];
        let u = reduced(&u);
        for k in [scalar(0x1234_5678), scalar(0x9abc_def1).invert().unwrap()] {
            let key = G * k;
            let digits = Digits::new(scalar::to_limbs(&u));
            if cfg!(target_arch = "x86_64") {
                assert!(sum_in_lanes(&digits, &table(key), &digits).is_none(), "{k:?}");
            }
            let r = reduced(&((G + key) * u).to_affine().x().into());
            let s = r * u.invert().unwrap();
            for (r_sent, valid) in [(r, true), (r + Scalar::ONE, false)] {
                let [hash, r, s] = [r, r_sent, s].map(|number| number.to_repr().into());
                assert_eq!(verify_by_both(key, &hash, r, s), valid, "{k:?}");
            }
        }
    }

    /// Every addition of a multiple of the key meets an equal and an opposite partial sum once: Q = k·G is chosen so.
    ///
    /// Among the multiples of the generator it is possible in the last addition alone, as the sum of the others is
    /// nearer to 0 than any multiple of the next window: there u1 = 0, and the sum infinity.
    #[test]
    fn equal_and_opposite_points_at_every_step() {
        let (u1, u2) = (scalar(0x1234_5678), scalar(0x9abc_def1).invert().unwrap());
        let digits = Digits::new(scalar::to_limbs(&u2));
        let (mut before, mut base) = (Scalar::ZERO, Scalar::ONE);
        for digit in digits.0 {
            let value = base * (scalar(2 * u64::from(digit)) - scalar(255));
            for target in [value, -value] {
                // u1 + before·k = target·k
                let k = u1 * (target - before).invert().unwrap();
                let exceptional_before = exceptional_additions();
                let sum = sum(&Digits::new(scalar::to_limbs(&u1)), &table(G * k), &digits);
                assert!(is(&sum, G * (u1 + u2 * k)), "digit {digit}");
                assert!(exceptional_additions() > exceptional_before, "the case was not met at digit {digit}");
            }
            before += value;
            base *= scalar(256);
        }
    }

    /// Prints what an exceptional addition adds to a sum: next to nothing, so that nothing is gained by forcing them.
    #[test]
    fn the_cost_of_exceptional_additions() {
        let u1 = scalar(0x1234_5678_9abc_def1);
        let u2 = scalar(1) - u1;
        let digits = [u1, u2].map(|u| Digits::new(scalar::to_limbs(&u)));
        let first_digit = scalar(2 * u64::from(digits[1].0[0])) - scalar(255);
        let ratio = u1 * first_digit.invert().unwrap();
        for (name, k, exceptional) in
            [("no", scalar(7), 0), ("an equal point", ratio, 1), ("an opposite point", -ratio, 2)]
        {
            let key = table(G * k);
            let before = exceptional_additions();
            let mut times: Vec<_> = (0..1000)
                .map(|_| {
                    let start = std::time::Instant::now();
                    std::hint::black_box(sum(&digits[0], &key, &digits[1]));
                    start.elapsed()
                })
                .collect();
            assert_eq!(
                exceptional_additions() - before,
                1000 * exceptional,
                "{name}: additions to or of infinity count"
            );
            times.sort();
            println!("a sum that meets {name}: {:?}", times[500]);
        }
    }

    /// R = infinity is refused, though r·ZZ = X holds there for every r (both are 0).
    #[test]
    fn infinity_is_no_signature() {
        for k in [scalar(1), scalar(2), -scalar(3), scalar(65537)] {
            for u2 in edge_scalars().into_iter().filter(|u2| !bool::from(u2.is_zero())) {
                let u1 = -u2 * k;
                let s = scalar(7);
                let (hash, r) = (u1 * s, u2 * s);
                assert!(!verify_by_both(G * k, &hash.to_repr().into(), r.to_repr().into(), s.to_repr().into()));
            }
        }
    }

    #[test]
    fn x_of_n_and_more_is_found_by_r_plus_n() {
        let mut found = 0;
        let mut x = N;
        while found < 4 {
            x = limbs::add(x, [1, 0, 0, 0]).0;
            let bytes = limbs::to_be_bytes(x).into();
            let Some(point) = Option::<Reference>::from(Reference::decompress(&bytes, 0.into())) else { continue };
            let (key, hash, r, s) = signature_of(scalar(3), scalar(5), point);
            assert!(verify_by_both(key, &hash.to_repr().into(), r.to_repr().into(), s.to_repr().into()));
            found += 1;
        }
    }

    #[test]
    fn r_plus_n_of_p_and_more_is_no_x() {
        // r + n − p is the x of R, but r is not
        let p_minus_n = limbs::subtract(P, N).0;
        let mut found = 0;
        let mut x = [0; 4];
        while found < 4 {
            x = limbs::add(x, [1, 0, 0, 0]).0;
            let bytes = limbs::to_be_bytes(x).into();
            let Some(point) = Option::<Reference>::from(Reference::decompress(&bytes, 0.into())) else { continue };
            let (u1, u2) = (scalar(3), scalar(5));
            let key = (ProjectivePoint::from(point) - G * u1) * u2.invert().unwrap();
            let r = limbs::to_be_bytes(limbs::add(x, p_minus_n).0);
            let s = Scalar::from_repr(r.into()).unwrap() * u2.invert().unwrap();
            assert!(!verify_by_both(key, &(u1 * s).to_repr().into(), r, s.to_repr().into()));
            found += 1;
        }
    }

    #[test]
    fn hashes_of_zero_and_of_n_and_more() {
        for hash in [[0; 4], N, limbs::add(N, [1, 0, 0, 0]).0, [u64::MAX; 4]] {
            let bytes = limbs::to_be_bytes(hash);
            let (d, k) = (scalar(0xdead_beef), scalar(0xfeed));
            let r = reduced(&(G * k).to_affine().x().into());
            let s = k.invert().unwrap() * (reduced(&bytes) + r * d);
            assert!(verify_by_both(G * d, &bytes, r.to_repr().into(), s.to_repr().into()), "{hash:x?}");
        }
    }

    #[test]
    fn r_and_s_outside_of_1_to_n_minus_1() {
        let n = |offset| limbs::to_be_bytes(limbs::add(N, [offset, 0, 0, 0]).0);
        let good = scalar(9).to_repr().into();
        for bad in [[0; 32], n(0), n(1), [0xff; 32]] {
            assert!(!verify_by_both(G, &[1; 32], bad, good));
            assert!(!verify_by_both(G, &[1; 32], good, bad));
            assert!(!verify_by_both(G, &[1; 32], bad, bad));
        }
    }

    #[test]
    fn edges_as_r_s_and_hash() {
        for hash in EDGES {
            for r in EDGES {
                for s in EDGES {
                    verify_by_both(
                        G * scalar(3),
                        &limbs::to_be_bytes(hash),
                        limbs::to_be_bytes(r),
                        limbs::to_be_bytes(s),
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn valid_for_random_multipliers(u1: [u8; 32], u2: [u8; 32], k in 1u64..) {
            let (u1, u2) = (reduced(&u1), reduced(&u2));
            let (key, hash, r, s) = signature_of(u1, u2, (G * scalar(k)).to_affine());
            prop_assert!(verify_by_both(key, &hash.to_repr().into(), r.to_repr().into(), s.to_repr().into()));
        }
    }
}
