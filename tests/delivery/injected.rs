//! Errors of the system put into single calls: the n-th write, fsync, rename, deletion of every thread fails once, by `strace`. Nothing is
//! half-visible, the error is clear, and the run goes on.

use std::{fs, path::Path, process::Command};

use super::{Random, command, everything_is_there, nothing_is_half_visible, ran, text};
use crate::binary::{Ran, folder, pipeline};

const ROWS: i64 = 60_000;

/// What fails, how, and about how often a thread does it in a run.
const FAULTS: [(&str, &str, u64); 7] = [
    ("pwrite64", "ENOSPC", 300),
    ("write", "ENOSPC", 24),
    ("fsync,fdatasync", "EIO", 24),
    ("rename,renameat,renameat2", "EACCES", 6),
    ("unlink,unlinkat", "EACCES", 5),
    ("ftruncate", "EIO", 4),
    ("mkdir,mkdirat", "EROFS", 4),
];

/// What came of it, for a report.
#[derive(Debug, Default)]
struct Figures {
    runs: u64,
    hit: u64,
    failed: u64,
}

/// Whether `strace` is there and may trace.
fn traceable() -> bool {
    let there = Command::new("strace").args(["-o", "/dev/null", "true"]).output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("not run: strace is not there, or may not trace");
    }
    there
}

/// What was hit in a run.
struct Hit {
    files: bool,
    /// What wakes threads and is no file, so its failure says nothing of a disk.
    other: bool,
}

/// A run in which the calls fail once in every thread, at its `nth`.
fn failing(here: &Path, calls: &str, error: &str, nth: u64) -> (Ran, Hit) {
    let (whole, log) = (command(here), here.join("strace.log"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "--seccomp-bpf", "-qq", "-o"]).arg(&log).args(["-e", &format!("trace={calls}")]);
    strace.args(["-e", &format!("inject={calls}:error={error}:when={nth}")]).arg(whole.get_program());
    let ended = ran(super::faults::as_of(strace, &whole, here));
    let log = fs::read_to_string(log).unwrap();
    let (other, files): (Vec<_>, Vec<_>) =
        log.lines().filter(|line| line.contains("(INJECTED)")).partition(|line| line.contains("<anon_inode:"));
    (ended, Hit { files: !files.is_empty(), other: !other.is_empty() })
}

/// One pipeline, in whose first run this fails. Its second run has no faults.
fn fail(figures: &mut Figures, (calls, error): (&str, &str), nth: u64) {
    let here = folder();
    pipeline(&here, &text(ROWS, "10ms"));
    let (ended, hit) = failing(here.path(), calls, error, nth);
    let (what, err) = (format!("{calls}, the {nth}th of a thread: {error}"), ended.err());
    nothing_is_half_visible(here.path());
    let told = !err.contains("panicked") && !err.contains("trapped");
    assert!([0, 1, 2].contains(&ended.code()) && told || hit.other, "{what}: {}: {err}", ended.code());
    match ended.code() {
        0 => everything_is_there(here.path(), ROWS),
        // What cannot be written cannot be told either, if it is standard error that fails.
        _ => assert!(err.contains("error: ") || calls == "write", "{what}: {err}"),
    }
    ran(command(here.path())).json();
    everything_is_there(here.path(), ROWS);
    figures.runs += 1;
    figures.hit += u64::from(hit.files);
    figures.failed += u64::from(ended.code() != 0);
}

/// Protects every single write against an error that is taken for a success, and against one after which nobody can go on.
#[test]
fn any_call_may_fail_and_the_run_goes_on_afterwards() {
    if !traceable() {
        return;
    }
    let (mut random, mut figures) = (Random::seeded(), Figures::default());
    for (calls, error, often) in FAULTS {
        for _ in 0..3 {
            fail(&mut figures, (calls, error), 1 + random.below(often));
        }
    }
    assert!(figures.hit > 5 && figures.failed > 3, "{figures:?}");
}

/// Every call of the kinds, one after the other: `… -- --ignored every_call --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn every_call_may_fail_and_the_run_goes_on_afterwards() {
    if !traceable() {
        return;
    }
    for (calls, error, often) in FAULTS {
        let mut figures = Figures::default();
        for nth in 1..=often {
            fail(&mut figures, (calls, error), nth);
        }
        println!("{calls}: {figures:?}");
    }
}
