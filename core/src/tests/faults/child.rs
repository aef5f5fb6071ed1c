//! Tests in a process of their own: because of their environment, because they fork, or because they count what the
//! whole process has.
//!
//! Such a test runs itself again: in the parent it starts the child, in the child it does its work.

use std::{
    env,
    io::Read,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{Options, Verifier};

/// Holds what the child is to do. Not set: this is the parent.
const ASSIGNMENT: &str = "POMERIUM_JWT_TEST_CHILD";
/// Longer than any of them takes, so that only a hang is found.
const PATIENCE: Duration = Duration::from_secs(150);

/// Runs the work in a process of its own. To be the whole of a test.
pub(crate) fn alone(work: impl FnOnce()) {
    if assignment().is_some() {
        println!(); // the harness has begun a line
        return work();
    }
    println!("{}", quoted(&run(name_of(&work), "work", &[])));
}

/// What a child printed, indented: a line of its own would be counted as a test of this process.
fn quoted(printed: &str) -> String {
    printed.lines().filter(|line| !line.is_empty()).map(|line| format!("| {line}\n")).collect()
}

/// What this process is to do, if it is a child.
pub(super) fn assignment() -> Option<String> {
    env::var(ASSIGNMENT).ok()
}

/// What a fetch in a child came to.
pub(super) struct Fetch {
    /// As JSON: the child's verifier is gone.
    pub(super) status: Value,
    pub(super) seconds: f64,
}

impl Fetch {
    pub(super) fn error(&self) -> (&str, &str) {
        let text = |name: &str| self.status["last_error"][name].as_str().unwrap_or_default();
        (text("code"), text("message"))
    }
}

/// In the parent: one fetch with these options in a child with this environment. `test` begins with [`is_fetching`].
pub(super) fn fetch(test: &str, options: &Options, environment: &[(&str, &str)]) -> Fetch {
    let printed = run(test, &options.to_json(), environment);
    let report = printed.lines().find_map(|line| line.split_once("FETCHED ")).expect("the child's report").1;
    let (seconds, status) = report.split_once(' ').expect("seconds and status");
    let status = serde_json::from_str(status).expect("status");
    Fetch { status, seconds: seconds.parse().expect("seconds") }
}

/// In the child: the fetch, and `true`.
pub(super) fn is_fetching() -> bool {
    let Some(options) = assignment() else { return false };
    let verifier = Verifier::from_json(options).expect("options");
    let start = Instant::now();
    let _ = verifier.refresh(true);
    let seconds = start.elapsed().as_secs_f64();
    let status = super::finished(&verifier);
    println!("\nFETCHED {seconds} {}", serde_json::to_string(&status).expect("status"));
    true
}

/// The path of the test that a closure in it belongs to.
pub(super) fn name_of<T>(_: &T) -> &'static str {
    let path = std::any::type_name::<T>();
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    path.split("::{{closure}}").next().unwrap_or(path)
}

/// Runs the test in a child, with these environment variables and none that would lead its fetches elsewhere. Gives
/// what it printed.
pub(super) fn run(test: &str, assignment: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().expect("the path of this test binary"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    command.env(ASSIGNMENT, assignment).envs(environment.iter().copied());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("child");
    let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let read = thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.read_to_string(&mut text);
        text
    });
    let read_errors = thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            break Some(status);
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let (printed, errors) = (read.join().unwrap_or_default(), read_errors.join().unwrap_or_default());
    let passed = status.is_some_and(|status| status.success()) && printed.contains("test result: ok. 1 passed");
    assert!(passed, "{test} as a child ended with {status:?}:\n{}{}", quoted(&printed), quoted(&errors));
    printed
}
