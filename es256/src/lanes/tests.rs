//! No lane overflows; the formulas are right in every lane; the instructions do what the formulas say.

use p256::{ProjectivePoint, Scalar};
use proptest::prelude::*;

use super::{Element, LIMBS, Lanes, P4, Points, interval::Interval, minus, model::Model, negate, plus, sum};
use crate::{
    field::FieldElement,
    limbs::{Limbs, from_limbs_of_52_bits},
    testing::{EDGES, affine, scalar},
};

const G: ProjectivePoint = ProjectivePoint::GENERATOR;

/// Points of which nothing is known: numbers from 0 to 2^256 − 1 that need not be on the curve, either sign.
fn any_points(words: impl Fn(usize) -> u64) -> Points {
    let entries = std::array::from_fn(|step| {
        std::array::from_fn(|lane| std::array::from_fn(|word| words(64 * step + 8 * lane + word)))
    });
    let signs = std::array::from_fn(|step| std::array::from_fn(|lane| words(step + 8 * lane) as i64 >> 63 | 1));
    Points { entries, signs }
}

/// X and ZZ by the checked model; by the instructions too, if they are here, and then with the same limbs.
fn sum_by_all(points: &Points) -> [FieldElement; 2] {
    let model = sum::<Model>(points).map(|limbs| {
        assert!(limbs.iter().all(|limb| limb.0 == [limb.0[0]; 8]), "the lanes have joined: {limbs:x?}");
        limbs.map(|limb| limb.0[0] as u64)
    });
    #[cfg(target_arch = "x86_64")]
    if let Some(by_instructions) = crate::ifma::sum(points) {
        assert_eq!(by_instructions, model);
    }
    model.map(|limbs| FieldElement::from_montgomery_limbs(from_limbs_of_52_bits(limbs)))
}

/// The proof: the sum runs on intervals, which panic if a lane may overflow or a limb may have more than 52 bits.
#[test]
fn no_lane_overflows_for_any_input() {
    for limbs in sum::<Interval>(&any_points(|_| 0)) {
        assert!(limbs[..4].iter().all(|limb| limb.0 >= 0 && limb.1 < 1 << 52));
        assert!(limbs[4].0 >= 0 && limbs[4].1 < 1 << 48, "the result has 256 bits: {limbs:x?}");
    }
}

/// The bounds of the table in the module's documentation, in units of 2^208: p is a little more than `P4` of them. Each
/// kind is made of the largest that go into it.
#[test]
fn elements_are_as_large_as_the_documentation_says() {
    let limb = Interval(0, (1 << 52) - 1);
    let entry = Element([limb; LIMBS]);
    let top = |element: Element<Interval>| element.0[4].1;
    let p = i128::from(P4);
    let difference = Element::reduced(minus(entry.0, entry.0));
    let product = Element::carried(Element::sum_of_products([(difference, difference); 2]));
    let of_entry = entry.multiply(difference);
    // The longest difference, and the only one of more than two terms: X
    let x = minus(minus(plus(difference.product_with_itself(), product.0), of_entry.0), of_entry.0);
    assert!(top(difference) < 2 * p + (1 << 22));
    assert!(top(Element::reduced(x)) < 2 * p + (1 << 22));
    assert!(top(product) < 2 * p);
    assert!(top(of_entry) < 4 * p);
}

/// An interval holds what comes of any of its numbers: of the ends, and of numbers between them.
#[test]
fn intervals_hold_the_results_of_the_model() {
    let number = [0, 1, 2, 1 << 16, (1 << 44) + 12345, (1 << 48) - 1, 1 << 48, (1 << 52) - 2, (1 << 52) - 1];
    for first in number {
        for last in number.into_iter().filter(|last| *last >= first) {
            for other in number {
                let (a, b) = (Interval(first.into(), last.into()), Interval(other.into(), other.into()));
                for x in [first, last, first + (last - first) / 3] {
                    let (x, y) = (Model([x; 8]), Model([other; 8]));
                    for (interval, model) in [
                        (a.add(b), x.add(y)),
                        (a.subtract(b), x.subtract(y)),
                        (b.subtract(a), y.subtract(x)),
                        (b.add_low_product(a, b), y.add_low_product(x, y)),
                        (b.add_high_product(a, b), y.add_high_product(x, y)),
                        (a.subtract(b).low::<48>(), x.subtract(y).low::<48>()),
                        (a.subtract(b).high::<48>(), x.subtract(y).high::<48>()),
                        (a.high::<48>().shift_left::<44>(), x.high::<48>().shift_left::<44>()),
                        (a.negate(&[-1; 8]), x.negate(&[-1; 8])),
                        (a.negate(&[0; 8]), x),
                        (a.subtract(b).factor(), x.subtract(y).factor()),
                    ] {
                        let value = i128::from(model.0[0]);
                        assert!(interval.0 <= value && value <= interval.1, "{value:x} is not in {interval:x?}");
                    }
                }
            }
        }
    }
}

/// The number below 2^260, divided by 2^260 modulo p.
fn value(element: &Element<Model>, lane: usize) -> FieldElement {
    let out = element.multiply(Element::constant([1, 0, 0, 0, 0])).0;
    FieldElement::new(from_limbs_of_52_bits(out.map(|limb| limb.0[lane] as u64)))
}

/// Every operation against the 64-bit field, whose own oracle is `fiat-crypto`.
fn check_pair(a: Limbs, b: Limbs) {
    let words = |limbs: Limbs| Element::<Model>::from_words(limbs.map(|word| Model([word as i64; 8])));
    let (x, y) = (words(a), words(b));
    let (a, b) = (FieldElement::from_montgomery_limbs(a), FieldElement::from_montgomery_limbs(b));
    let difference = Element::reduced(minus(x.0, y.0));
    let opposite = Element::reduced(minus(y.0, x.0));
    for (ours, expected) in [
        (x, a),
        (difference, a.subtract(b)),
        (x.multiply(difference), a.multiply(a.subtract(b))),
        (difference.square(), a.subtract(b).square()),
        (difference.multiply(x.multiply(difference)), a.subtract(b).square().multiply(a)),
        (
            Element::carried(Element::sum_of_products([(x, difference), (difference, opposite)])),
            b.multiply(a.subtract(b)),
        ),
        (Element::reduced(negate(y.0, &[-1; 8])), FieldElement::ZERO.subtract(b)),
    ] {
        assert!(value(&ours, 0) == expected, "{a:x?} {b:x?}: {ours:x?}");
    }
}

#[test]
fn operations_at_the_edges() {
    const WORDS: [u64; 6] = [0, 1, 0xffff_ffff, 1 << 32, 0xffff_ffff_0000_0001, u64::MAX];
    let numbers: Vec<Limbs> =
        (0..6usize.pow(4)).map(|i| std::array::from_fn(|word| WORDS[i / 6usize.pow(word as u32) % 6])).collect();
    for a in EDGES.iter().chain(&numbers) {
        for b in EDGES.iter().chain(numbers.iter().step_by(199)) {
            check_pair(*a, *b);
        }
    }
}

/// Numbers at which limbs are as small or as large as they can be, in all places at once.
#[test]
fn sums_of_extreme_numbers() {
    for extreme in [0, 1, u64::MAX, 1 << 63, 0xffff_ffff_0000_0001, 0xffff_ffff, 0x0fff_ffff_ffff_ffff] {
        for other in [0, u64::MAX, 0x5555_5555_5555_5555] {
            for period in [1, 2, 3, 4, 5, 8, 64] {
                sum_by_all(&any_points(|i| if i % period == 0 { extreme } else { other }));
            }
        }
    }
}

/// 64 points, of which the multiples of G are known.
struct Chosen([Scalar; 64]);

impl Chosen {
    fn new() -> Self {
        let mut power = Scalar::ONE;
        Self(std::array::from_fn(|_| {
            power *= scalar(0x9e37_79b9_7f4a_7c15);
            power
        }))
    }

    /// What the lanes in `lanes` add in the steps in `steps`.
    fn partial(&self, lanes: impl Iterator<Item = usize> + Clone, steps: std::ops::Range<usize>) -> Scalar {
        steps.flat_map(|step| lanes.clone().map(move |lane| 8 * step + lane)).map(|place| self.0[place]).sum()
    }

    fn points(&self) -> Points {
        let mut points = any_points(|i| if i % 3 == 0 { u64::MAX } else { 0 });
        for (i, scalar) in self.0.iter().enumerate() {
            let negative = points.signs[i / 8][i % 8] < 0;
            points.entries[i / 8][i % 8] = affine(G * if negative { -scalar } else { *scalar }).words();
        }
        points
    }
}

#[test]
fn sum_of_chosen_points() {
    let chosen = Chosen::new();
    let [x, zz] = sum_by_all(&chosen.points());
    assert!(!zz.is_zero());
    assert!(affine(G * chosen.partial(0..8, 0..8)).x.multiply(zz) == x);
}

/// A sum that met equal or opposite points has ZZ = 0 at its end, wherever that was, and no other sum has.
#[test]
fn equal_and_opposite_points_in_every_lane_and_every_joining() {
    let mut met = 0;
    let mut meet = |place: usize, chosen: &Chosen, equal: Scalar| {
        for target in [equal, -equal] {
            let mut scalars = chosen.0;
            // The sum of what is there and the new scalar is the target
            scalars[place] += target;
            assert!(sum_by_all(&Chosen(scalars).points())[1].is_zero(), "place {place}");
            scalars[place] += Scalar::ONE;
            assert!(!sum_by_all(&Chosen(scalars).points())[1].is_zero(), "next to it at place {place}");
            met += 1;
        }
    };
    let chosen = Chosen::new();
    for lane in 0..8 {
        for step in 1..8 {
            let mut without = Chosen(chosen.0);
            without.0[8 * step + lane] = Scalar::ZERO;
            meet(8 * step + lane, &without, chosen.partial(lane..lane + 1, 0..step));
        }
    }
    for distance in [4, 2, 1] {
        for lane in 0..distance {
            // Joined are the lanes whose number is `lane`, and those whose number is `lane + distance`, modulo this
            let of = |first: usize| (first..8).step_by(2 * distance);
            let (place, mut without) = (8 * 7 + lane + distance, Chosen(chosen.0));
            without.0[place] -= chosen.partial(of(lane + distance), 0..8);
            meet(place, &without, chosen.partial(of(lane), 0..8));
        }
    }
    assert_eq!(met, 2 * (8 * 7 + 4 + 2 + 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn operations_on_random_numbers(a: Limbs, b: Limbs) {
        check_pair(a, b);
    }

    #[test]
    fn sums_of_random_numbers(words in prop::collection::vec(any::<u64>(), 512)) {
        sum_by_all(&any_points(|i| words[i]));
    }

    #[test]
    fn words_and_limbs(words: Limbs) {
        let entry = Element::<Model>::from_words(words.map(|word| Model([word as i64; 8])));
        // The entry is 16 times the number
        let mut sixteenth = entry.0.map(|limb| limb.0[0] as u64);
        for i in 0..LIMBS {
            let above = if i < 4 { sixteenth[i + 1] & 15 } else { 0 };
            prop_assert!(i > 0 || sixteenth[0] & 15 == 0);
            sixteenth[i] = sixteenth[i] >> 4 | above << 48;
        }
        prop_assert_eq!(from_limbs_of_52_bits(sixteenth), words);
    }
}
