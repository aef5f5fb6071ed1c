//! The fuzz targets on their seeds and on simple changes of them: what `make fuzz` starts from, without libFuzzer.
#![forbid(unsafe_code)]

// The library of fuzz/, compiled as a part of this test: that crate itself brings libFuzzer
#[path = "../../fuzz/src/lib.rs"]
pub mod fuzz;

use std::panic::catch_unwind;

#[test]
fn tokens() {
    replay("token");
}

#[test]
fn claims() {
    replay("claims");
}

#[test]
fn key_sets() {
    replay("key_set");
}

#[test]
fn options() {
    replay("options");
}

#[test]
fn pems() {
    replay("pem");
}

#[test]
fn signatures() {
    replay("es256");
}

fn replay(name: &str) {
    let target = fuzz::TARGETS.iter().find(|target| target.name == name).expect(name);
    let seeds = (target.seeds)();
    assert!(seeds.len() >= 50, "{name} has {} seeds: fuzz/src/seeds.rs no longer finds them in the cases", seeds.len());
    for seed in &seeds {
        for input in changes(seed) {
            let outcome = catch_unwind(|| (target.run)(&input));
            assert!(outcome.is_ok(), "the target {name} failed on: {}", input.escape_ascii());
        }
    }
}

/// The seed itself and what little damage makes of it, in the middle and at a third, where a token has its claims.
fn changes(seed: &[u8]) -> Vec<Vec<u8>> {
    let mut changes = vec![seed.to_vec(), [seed, seed].concat()];
    for at in [seed.len() / 3, seed.len() / 2] {
        let (begin, end) = seed.split_at(at);
        changes.push(begin.to_vec());
        changes.push([begin, &b"\""[..], end].concat());
        if let Some((first, rest)) = end.split_first() {
            changes.push([begin, rest].concat());
            changes.push([begin, &[first ^ 1], rest].concat());
        }
    }
    changes
}
