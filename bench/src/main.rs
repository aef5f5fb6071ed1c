//! Times pomerium-jwt next to the libraries that a Rust program would otherwise use, in one process.
//!
//! The libraries take turns in short rounds and the medians are printed, so that a change of the machine's speed meets
//! all of them: read the ratios. The table goes to `bench/rust.json` in Cargo's target directory too.
//!
//! `--verify N` verifies N signatures and prints nothing: what callgrind counts.

mod measure;
mod pool;
mod report;
mod subjects;

use std::error::Error;

use crate::{measure::Conditions, pool::Pool};

fn main() -> Result<(), Box<dyn Error>> {
    let one_key = subjects::all(vec![Pool::new(1)]);
    if let [_, flag, count] = std::env::args().collect::<Vec<_>>().as_slice()
        && flag == "--verify"
    {
        one_key[0].pass(0..count.parse()?);
        return Ok(());
    }
    let eight_keys = subjects::all((1..=8).map(Pool::new).collect());
    let rows = [
        report::rows("", &one_key, &measure::in_turns(&one_key, Conditions::Warm)),
        report::rows(", eight keys", &eight_keys, &measure::in_turns(&eight_keys, Conditions::Warm)),
        report::rows(", cold caches", &one_key, &measure::in_turns(&one_key, Conditions::Cold)),
    ]
    .concat();
    report::print(&rows);
    println!("\nAlso in {}.\n", report::write(&rows)?.display());

    // the whole token, with fetched keys: a lock on that way would show
    for subject in one_key.iter().filter(|subject| subject.library == "pomerium-jwt") {
        let [one, two] = [1, 2].map(|threads| measure::in_threads(subject, threads).as_secs_f64() * 1e6);
        println!("{} takes {one:.1} µs on one thread, {two:.1} µs on each of two.", subject.name());
    }
    let (time, kilobytes) = measure::keys()?;
    println!("A key takes {} µs to build and {kilobytes:.0} kB of memory.", time.as_micros());
    match measure::instructions() {
        Ok(count) => {
            println!("A verification takes {count} instructions (SHA-256 in software: valgrind knows no other).")
        }
        Err(error) => println!("Instructions are not counted: {error}"),
    }
    println!("{}", report::machine());
    Ok(())
}
