//! Hostile guests under every policy: the stages beside them get every row, and what the guests took is given back.

use std::{fs, process::Command};

use parshall::pipeline::run::Outcome;

use super::run;

/// A hostile stage beside one that passes on: three batches, each of nothing but rows at fault.
fn beside(mode: &str, policy: &str) -> String {
    format!(
        r#"
name = "beside"
[extract.numbers]
component = "@generate"
config = {{ rows = 60, batch_rows = 20 }}
[transform.hostile]
component = "@hostile"
inputs = ["numbers"]
config = {{ mode = "{mode}" }}
on_error = {policy}
limits = {{ timeout = "200ms", memory = "32MiB", output_bytes = "8MiB", output_rows = 1_000_000 }}
[load.nothing]
component = "@collect"
inputs = ["hostile"]
[transform.good]
component = "@noop"
inputs = ["numbers"]
[load.sink]
component = "std:keep"
inputs = ["good"]
"#
    )
}

/// Runs every misbehaviour under every policy that lets a run go on.
fn all() {
    let policies = [
        "{ retry = 1, backoff = \"1ms\", then = \"skip\", bisect = 1, circuit = 9 }",
        "{ then = \"dead-letter\", bisect = 1, circuit = 9 }",
    ];
    for mode in crate::hostile::in_calls() {
        for policy in policies {
            let ended = run(&beside(mode, policy));
            assert_eq!(ended.report.outcome, Outcome::Completed, "{mode} under {policy}: {:?}", ended.report.error);
            ended.assert_balanced();
            assert!(ended.rows.iter().copied().eq(0..60), "{mode} under {policy}: the stage beside it gets every row");
            let stage = ended.stage("hostile");
            assert_eq!(stage.rows.failed, 60, "{mode} under {policy}");
            assert_eq!(stage.failures.dead_lettered + stage.failures.skipped, 60, "{mode} under {policy}");
        }
    }
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Mappings of memory: every instance has some.
fn mappings() -> usize {
    fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// Protects the host and its other stages: whatever a guest does, its policy is carried out, and memory, threads and file descriptors are
/// given back. In a process of its own, because other tests have such things, too.
#[test]
fn hostile_guests_leave_the_others_serving() {
    let alone = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "policy::hostile::alone", "--ignored", "--test-threads", "1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&alone.stdout).into_owned() + &String::from_utf8_lossy(&alone.stderr);
    assert!(alone.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn alone() {
    // Caches and lazily started threads are there after the first round.
    all();
    let before = (descriptors(), threads());
    let mapped = mappings();
    all();
    // Threads of the runtime leave when they have slept long enough.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while (descriptors() > before.0 || threads() > before.1) && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(descriptors() <= before.0 && threads() <= before.1, "{before:?} before, {:?} after", (descriptors(), threads()));
    // The allocator keeps some; a hundred runs that each left an instance behind would be seen.
    assert!(mappings() < mapped + 60, "{mapped} mappings before, {} after", mappings());
}
