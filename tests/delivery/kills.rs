//! `kill -9` at random moments, over files and SQLite: after the last resume the sinks equal the source exactly, and before it they hold
//! a beginning of it.

use std::{process::Stdio, thread, time::Duration};

use super::{ROWS, Random, command, everything_is_there, nothing_is_half_visible, runs, text};
use crate::binary::{folder, pipeline};

/// What came of it, for a report.
#[derive(Debug, Default)]
struct Figures {
    kills: u64,
    completed: u64,
    resumed: u64,
    checkpoints: u64,
}

/// Runs, kills and resumes until there were so many kills; every pipeline that is begun is brought to its end.
fn kill(kills: u64, longest: u64) -> Figures {
    let (mut random, mut figures) = (Random::seeded(), Figures::default());
    while figures.kills < kills || figures.resumed == 0 && figures.kills < 5 * kills {
        let here = folder();
        pipeline(&here, &text(ROWS, "20ms"));
        // However slow the machine is, some are killed early and some after checkpoints.
        let mut longest = longest * 1_000;
        loop {
            let spare = figures.kills >= kills;
            let mut command = command(here.path());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            if !spare {
                thread::sleep(Duration::from_micros(random.below(longest)));
                child.kill().unwrap();
            }
            let status = child.wait().unwrap();
            nothing_is_half_visible(here.path());
            match status.code() {
                Some(code) => {
                    assert_eq!(code, 0, "it ended by itself");
                    break;
                }
                None => figures.kills += 1,
            }
            longest += longest / 4;
        }
        everything_is_there(here.path(), ROWS);
        let runs = runs(here.path());
        assert_eq!(runs[0]["state"], "completed");
        // A kill that comes between the end of a run and that of its process comes too late: the next run begins anew.
        let known = |run: &serde_json::Value| run["state"] == "killed" || run["state"] == "completed";
        assert!(runs[1..].iter().all(known), "{runs:?}");
        figures.completed += 1;
        figures.resumed += runs.iter().filter(|run| !run["resumed"].is_null()).count() as u64;
        figures.checkpoints += runs.iter().map(|run| run["checkpoints"].as_u64().unwrap()).sum::<u64>();
    }
    println!("{figures:?}");
    figures
}

/// Protects every row of a source against being lost or loaded twice when the process ends at any moment.
#[test]
fn a_killed_run_goes_on_where_it_was() {
    let figures = kill(12, 700);
    assert!(figures.resumed > 0 && figures.checkpoints > figures.completed, "{figures:?}");
}

/// The same, 200 times: `cargo test --release --test parshall -- --ignored two_hundred_kills --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn two_hundred_kills() {
    kill(200, 900);
}
