//! What a child of `fork()` finds.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::*;

/// The exit code of a child that does this, none if it hangs.
fn in_a_child(work: impl FnOnce() -> i32) -> Option<i32> {
    let child = match fork::fork().expect("fork") {
        // the test harness must not continue in here: in every case the child ends
        fork::Fork::Child => process::exit(work()),
        fork::Fork::Parent(child) => child,
    };
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if let Some(status) = fork::waitpid_nohang(child).expect("a child of ours") {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(1));
    }
    let process = fork::ProcessId::new(child).expect("a process");
    let _ = fork::signal_process(process, fork::Signal::KILL);
    None
}

#[test]
fn a_lock_that_is_held_in_the_parent_holds_no_child() {
    let processes = Processes::new(State::default());
    let parent = processes.current();
    let held = parent.lock();
    let status = in_a_child(|| {
        let process = processes.current();
        drop(process.lock());
        i32::from(process.id != process::id())
    });
    drop(held);
    assert_eq!(status, Some(0), "none: the child hung");
    assert!(Arc::ptr_eq(&parent, &processes.current()), "the parent keeps its own");
}

#[test]
fn children_draw_different_numbers() {
    let now = Now { monotonic: 1, unix: 1 };
    random(now); // this thread's keys are made, and go to every child
    let draw = || in_a_child(|| i32::from(random(now) > 0.5)).expect("it does not hang");
    let draws: Vec<i32> = (0..64).map(|_| draw()).collect();
    assert!(draws.iter().any(|draw| *draw != draws[0]), "64 children agree: {draws:?}");
}
