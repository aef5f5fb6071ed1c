//! The table, and the same as JSON.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde::Serialize;

use crate::subjects::Subject;

/// A line of the table.
#[derive(Clone, Serialize)]
pub struct Row {
    /// Library, work, and conditions if they are not the usual ones: one key, warm caches.
    name: String,
    version: String,
    /// Microseconds of one verification, the median.
    us: f64,
    /// How many times as long as pomerium-jwt takes for the same work.
    ratio: f64,
    /// How many times as long as OpenSSL takes for the bare signature.
    #[serde(skip)]
    openssl_ratio: f64,
}

/// The rows of one measurement, compared among each other.
pub fn rows(conditions: &str, subjects: &[Subject], times: &[Duration]) -> Vec<Row> {
    let time_of = |library, work| {
        let position = subjects.iter().position(|subject| subject.library == library && subject.work == work);
        times[position.expect("a subject to compare with")].as_secs_f64()
    };
    let row = |(subject, time): (&Subject, &Duration)| Row {
        name: format!("{}{conditions}", subject.name()),
        version: subject.version.clone(),
        us: time.as_secs_f64() * 1e6,
        ratio: time.as_secs_f64() / time_of("pomerium-jwt", subject.work),
        openssl_ratio: time.as_secs_f64() / time_of("openssl", "es256"),
    };
    subjects.iter().zip(times).map(row).collect()
}

pub fn print(rows: &[Row]) {
    println!("{:36} {:10} {:>9} {:>9} {:>9}", "", "version", "µs", "to ours", "to OpenSSL");
    for Row { name, version, us, ratio, openssl_ratio } in rows {
        println!("{name:36} {version:10} {us:9.1} {ratio:9.2} {openssl_ratio:9.2}");
    }
}

/// Writes `bench/rust.json` in Cargo's target directory.
pub fn write(rows: &[Row]) -> Result<PathBuf, Box<dyn Error>> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(default, PathBuf::from).join("bench");
    fs::create_dir_all(&folder)?;
    let path = folder.join("rust.json");
    fs::write(&path, serde_json::to_string_pretty(rows)? + "\n")?;
    Ok(path)
}

/// What the figures depend on.
pub fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let version = |program| {
        let output = Command::new(program).arg("--version").output();
        output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    format!("{} · {} · {}", model.trim_start_matches([' ', '\t', ':']), version("rustc"), version("valgrind"))
}
