//! NumericDate against exact arithmetic: a JSON number is a double (RFC 8259 section 6), rounded to the nearest and to
//! even between two; then its fraction is cut.

use proptest::prelude::*;

use super::no_rules;
use crate::{
    claims::{MAX_TIME, Payload},
    code::ErrorCode,
    json,
};

/// A number as written: its sign, its digits without a dot, and their power of ten.
#[derive(Debug, Clone)]
struct Written {
    negative: bool,
    whole: String,
    fraction: String,
    exponent: Option<(char, &'static str, i32)>,
}

impl Written {
    fn text(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let dot = if self.fraction.is_empty() { "" } else { "." };
        let exponent = self.exponent.map(|(letter, sign, power)| format!("{letter}{sign}{power}")).unwrap_or_default();
        format!("{sign}{}{dot}{}{exponent}", self.whole, self.fraction)
    }

    /// The time it says, if it says one. All in integers: `digits * 10^power`.
    fn time(&self) -> Option<i64> {
        let digits: u128 = format!("{}{}", self.whole, self.fraction).parse().expect("at most 30 digits");
        if digits == 0 {
            return Some(0); // of either sign
        }
        let power = self.exponent.map_or(0, |(_, sign, power)| if sign == "-" { -power } else { power });
        let power = power - i32::try_from(self.fraction.len()).expect("few digits");
        let whole = match u32::try_from(power) {
            Ok(power) => 10_u128.checked_pow(power).and_then(|scale| digits.checked_mul(scale))?,
            Err(_) => cut(digits, power.unsigned_abs()),
        };
        let time = i64::try_from(whole).ok().filter(|time| (0..=MAX_TIME).contains(time));
        time.filter(|_| !self.negative)
    }
}

/// The integer part of the double nearest to `digits / 10^places`.
fn cut(digits: u128, places: u32) -> u128 {
    let Some(scale) = 10_u128.checked_pow(places) else { return 0 }; // less than 10^30 / 10^39
    let (whole, rest) = (digits / scale, digits % scale);
    if rest == 0 || whole >= 1 << 53 {
        return whole;
    }
    // Between 2^n and 2^(n+1) doubles are 2^(n-52) apart; below 1 the last step up to it is 2^-53
    let steps_per_unit = match whole {
        0 => 1_u128 << 53,
        _ => 1 << (52 - whole.ilog2()),
    };
    // Up to the next integer it is (scale - rest) / scale, and that is less than half a step, or half a step and even
    let (distance, half_step) = ((scale - rest).saturating_mul(2 * steps_per_unit), scale);
    let next_is_even = steps_per_unit > 1 || whole % 2 == 1;
    if distance < half_step || (distance == half_step && next_is_even) { whole + 1 } else { whole }
}

fn written() -> impl Strategy<Value = Written> {
    let limit = "9007199254740991";
    let whole = prop_oneof![
        2 => "[1-9][0-9]{0,15}",
        1 => Just("0".to_owned()),
        1 => Just("1800000000".to_owned()),
        1 => prop::sample::select(vec!["9007199254740990", limit, "9007199254740992", "4503599627370495"]).prop_map(str::to_owned),
    ];
    let nines = (0_usize..13).prop_map(|length| "9".repeat(length));
    let half = prop::sample::select(vec!["", "0", "5", "25", "50", "4999999", "5000001", "49999999999", "50000000001"]);
    let fraction = prop_oneof!["[0-9]{0,13}", nines, half.prop_map(str::to_owned)];
    let exponent = (prop::sample::select(vec!['e', 'E']), prop::sample::select(vec!["", "+", "-"]), 0..25);
    let negative = prop::bool::weighted(0.1);
    (negative, whole, fraction, prop::option::of(exponent)).prop_map(|(negative, whole, fraction, exponent)| Written {
        negative,
        whole,
        fraction,
        exponent,
    })
}

fn read(number: &str) -> Result<i64, ErrorCode> {
    let claims = format!("{{\"exp\":{number}}}");
    let claims = json::parse(&claims).expect("a JSON number");
    Payload::read(&claims, &no_rules()).map(|payload| payload.expires_at).map_err(|error| error.code())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_numeric_date_is_what_exact_arithmetic_says(written in written()) {
        let text = written.text();
        prop_assert_eq!(read(&text), written.time().ok_or(ErrorCode::ClaimsMalformed), "{}", text);
    }
}

#[test]
fn exact_arithmetic_rounds_as_a_double_does() {
    let table = [
        ("1", "79534994", 1),
        ("0", "99999999999999999999", 1),
        ("9007199254740991", "5", 9_007_199_254_740_992),
        ("9007199254740991", "4", 9_007_199_254_740_991),
        ("4503599627370495", "75", 4_503_599_627_370_496),
        ("4503599627370495", "7", 4_503_599_627_370_495),
    ];
    for (whole, fraction, expected) in table {
        let digits = format!("{whole}{fraction}").parse().expect("few digits");
        let places = u32::try_from(fraction.len()).expect("few digits");
        assert_eq!(cut(digits, places), expected, "{whole}.{fraction}");
    }
    assert_eq!(cut(1, 39), 0);
}
