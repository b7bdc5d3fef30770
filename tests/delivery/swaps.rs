//! Swaps and checkpoints in one run: versions change while checkpoints are taken, and a run that is killed goes on with the version that the
//! file has then.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use super::{Random, command, everything_is_there, nothing_is_half_visible, runs, text};
use crate::binary::{folder, pipeline, signal};

const ROWS: i64 = 1_500_000;

/// The pipeline, whose stage that forgets is another version with every number, and so is the one that remembers.
fn version(number: u64) -> String {
    // So slow that there is time for all of it.
    let slow = text(ROWS, "15ms").replace("batch_rows = 500", "batch_rows = 500, rate = 300000");
    let aggregates = r#"total = "sum(n)" } }"#;
    slow.replace("n >= 0", &format!("n >= -{number}"))
        .replace(aggregates, &format!("{aggregates}\nlimits = {{ fuel = {} }}", 10_000_000_000 + number))
}

/// Begins a run; what it says goes to a file.
fn begin(here: &Path, number: u64) -> Child {
    let mut command = command(here);
    let err = File::options().create(true).append(true).open(here.join("said")).unwrap();
    fs::write(here.join("pipeline.toml"), version(number)).unwrap();
    command.env("PARSHALL_LOG", "info").stdout(Stdio::null()).stderr(err).spawn().unwrap()
}

/// Whether it has asked for the signal that would end it otherwise.
fn listens(child: &Child) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim);
    caught.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// How often one version has given way to another.
fn swapped(here: &Path) -> usize {
    fs::read_to_string(here.join("said")).unwrap_or_default().matches("gave way to").count()
}

/// Protects checkpoints against versions that come between, and swaps against positions and states of the version before: rows that are
/// lost, come twice or are counted twice by whoever remembers.
#[test]
fn stages_are_swapped_between_checkpoints_and_killed_in_between() {
    let (here, mut random, mut number) = (folder(), Random::seeded(), 0);
    pipeline(&here, &version(number));
    for _ in 0..4 {
        let mut child = begin(here.path(), number);
        while !listens(&child) && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        let before = swapped(here.path());
        for wanted in [before + 2, before + 4] {
            number += 1;
            fs::write(here.path().join("pipeline.toml"), version(number)).unwrap();
            signal(child.id(), "-HUP");
            while swapped(here.path()) < wanted && child.try_wait().unwrap().is_none() {
                thread::sleep(Duration::from_millis(1));
            }
        }
        thread::sleep(Duration::from_millis(random.below(40)));
        signal(child.id(), if random.below(2) == 0 { "-KILL" } else { "-INT" });
        child.wait().unwrap();
        nothing_is_half_visible(here.path());
    }
    assert!(begin(here.path(), number + 1).wait().unwrap().success(), "{}", fs::read_to_string(here.path().join("said")).unwrap());
    everything_is_there(here.path(), ROWS);
    let checkpoints: u64 = runs(here.path()).iter().map(|run| run["checkpoints"].as_u64().unwrap()).sum();
    let swaps = swapped(here.path());
    println!("{swaps} swaps, {checkpoints} checkpoints");
    assert!(swaps > 3 && checkpoints > 3, "{swaps} swaps, {checkpoints} checkpoints");
}
