//! The measurements.

use std::{
    error::Error,
    fs,
    hint::black_box,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use pomerium_jwt_es256::Key;

use crate::{pool::Pool, subjects::Subject};

/// What the processor's caches hold when a verification begins.
#[derive(Clone, Copy)]
pub enum Conditions {
    /// What the verifications before it left there.
    Warm,
    /// 96 MB of something else.
    Cold,
}

/// The median time of one verification for each subject, measured in rounds in which every subject has a turn.
///
/// Each verification is timed by itself: of a longer span, a slower library would lose more to other processes.
pub fn in_turns(subjects: &[Subject], conditions: Conditions) -> Vec<Duration> {
    let rounds = match conditions {
        Conditions::Warm => 40,
        Conditions::Cold => 200,
    };
    let mut other_data = vec![0; 96 * 1024 * 1024 / size_of::<u64>()];
    let mut times = vec![Vec::new(); subjects.len()];
    for round in 0..rounds {
        for (subject, times) in subjects.iter().zip(&mut times) {
            match conditions {
                Conditions::Warm => {
                    subject.pass(0..256);
                    times.extend((0..128).map(|number| time(|| subject.pass(number..number + 1))));
                }
                Conditions::Cold => {
                    stream(&mut other_data);
                    times.push(time(|| subject.pass(round..round + 1)));
                }
            }
        }
    }
    times.into_iter().map(median).collect()
}

/// Reads and writes all of it, so that the caches hold nothing else.
fn stream(data: &mut [u64]) {
    for word in data.iter_mut() {
        *word = word.wrapping_add(1);
    }
    black_box(data);
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The median time of one verification while several threads verify under the same keys.
pub fn in_threads(subject: &Subject, threads: usize) -> Duration {
    let verify = || (0..20_000).map(|number| time(|| subject.pass(number..number + 1))).collect::<Vec<_>>();
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(verify)).collect();
        median(running.into_iter().flat_map(|thread| thread.join().expect("verified")).collect())
    })
}

/// The median time to build a key, and the kilobytes of memory that one takes.
pub fn keys() -> Result<(Duration, f64), Box<dyn Error>> {
    let pools: Vec<Pool> = (1..=128).map(Pool::new).collect();
    let (mut keys, mut times) = (Vec::new(), Vec::new());
    let before = resident_kilobytes()?;
    for pool in &pools {
        times.push(time(|| keys.push(Key::new(&pool.x, &pool.y))));
    }
    let kilobytes = resident_kilobytes()?.saturating_sub(before);
    Ok((median(times), kilobytes as f64 / keys.len() as f64))
}

fn resident_kilobytes() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS in /proc/self/status")?;
    Ok(number.parse()?)
}

/// Instructions of one verification, counted by callgrind, which noise does not touch.
pub fn instructions() -> Result<u64, Box<dyn Error>> {
    const COUNT: u64 = 100;
    Ok((instructions_of_passes(COUNT + 1)? - instructions_of_passes(1)?) / COUNT)
}

fn instructions_of_passes(count: u64) -> Result<u64, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--verify", &count.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let number = text.lines().find_map(|line| line.split_once("Collected : ")?.1.parse().ok());
    Ok(number.ok_or_else(|| format!("callgrind counted nothing: {text}"))?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
