#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pomerium_jwt_fuzz::es256(input));
