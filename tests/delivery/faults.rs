//! A disk that is full and folders that may not be written, at every write: nothing is half-visible, the error is clear, and the run goes
//! on once there is room.

use std::{
    fs,
    os::unix::{fs::MetadataExt as _, fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
};

use tempfile::TempDir;

use super::{Random, command, everything_is_there, nothing_is_half_visible, ran, text};
use crate::binary::{Ran, folder, pipeline};

const ROWS: i64 = 60_000;

/// A run whose files cannot grow beyond so many KiB: a write that would is refused, as it is by a disk that is full.
fn limited(here: &Path, kibibytes: u64) -> Ran {
    let whole = command(here);
    let mut shell = Command::new("bash");
    shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &kibibytes.to_string()]).arg(whole.get_program());
    ran(as_of(shell, &whole, here))
}

/// With the arguments and the environment of another command, in this folder.
pub fn as_of(mut command: Command, whole: &Command, here: &Path) -> Command {
    command.current_dir(here).args(whole.get_args());
    whole.get_envs().for_each(|(name, value)| match value {
        Some(value) => drop(command.env(name, value)),
        None => drop(command.env_remove(name)),
    });
    command
}

/// Protects every write against an error that is taken for a success, or that leaves half of something: in the state, a part, the table.
#[test]
fn a_full_disk_at_any_write_is_told_and_the_run_goes_on_afterwards() {
    let (mut random, mut failed) = (Random::seeded(), 0);
    for round in 0..3 {
        let here = folder();
        pipeline(&here, &text(ROWS, "20ms"));
        for step in 0..8 {
            // From what not even the state fits into to what nearly everything fits into.
            let most = 40 << step;
            let ended = limited(here.path(), most / 2 + random.below(most / 2));
            nothing_is_half_visible(here.path());
            if ended.code() == 0 {
                break;
            }
            failed += 1;
            let err = ended.err();
            // 2: not even the memory of the stages finds room.
            assert!([1, 2].contains(&ended.code()), "round {round}, step {step}: {err}");
            assert!(!err.contains("trapped"), "no component is to blame: {err}");
            assert!(err.contains("error: ") && !err.contains("panicked"), "round {round}, step {step}: {err}");
        }
        ran(command(here.path())).json();
        everything_is_there(here.path(), ROWS);
    }
    assert!(failed > 5, "{failed} runs failed");
}

/// A run by somebody who is not root, whom permissions mean nothing to.
pub fn by_anybody(here: &Path) -> Ran {
    let whole = command(here);
    if !fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        return ran(whole);
    }
    // Who is nobody may not even reach the program and the components where root has them.
    let program = here.join("parshall");
    if !program.exists() {
        fs::copy(whole.get_program(), &program).unwrap();
    }
    let mut copied = as_of(Command::new(program), &whole, here);
    copied.uid(65_534).gid(65_534).env("PARSHALL_CACHE", "off").env_remove("PARSHALL_DIST");
    ran(copied)
}

/// Sets who may do what with a file or a folder.
pub fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A pipeline, and all the folders that it writes to, where everybody may write.
pub fn open_to_anybody() -> TempDir {
    let here = folder();
    mode(here.path(), 0o777);
    pipeline(&here, &text(ROWS, "20ms"));
    mode(&here.path().join("pipeline.toml"), 0o644);
    for name in ["out", "out/parts", "out/sum", "state"] {
        let path = here.path().join(name);
        fs::create_dir(&path).unwrap();
        mode(&path, 0o777);
    }
    here
}

/// Protects against a folder that may not be written being noticed too late, or not told.
#[test]
fn a_folder_that_may_not_be_written_is_told_and_the_run_goes_on_afterwards() {
    let here = open_to_anybody();
    for name in ["state", "out", "out/parts", "out/sum"] {
        mode(&here.path().join(name), 0o555);
        let err = by_anybody(here.path()).fails(1);
        mode(&here.path().join(name), 0o777);
        assert!(err.contains("ermission denied") || err.contains("unable to open database file"), "{name}: {err}");
        nothing_is_half_visible(here.path());
    }
    let ended = by_anybody(here.path());
    assert_eq!(ended.code(), 0, "{}", ended.err());
    everything_is_there(here.path(), ROWS);
}

/// Protects against a state that was read-only for a while: what is beside it (SQLite's log) must not stay as it was then.
#[test]
fn a_state_that_may_not_be_written_is_told_and_the_run_goes_on_afterwards() {
    let here = open_to_anybody();
    assert_eq!(by_anybody(here.path()).code(), 0);
    mode(&here.path().join("state/state.sqlite"), 0o444);
    let err = by_anybody(here.path()).fails(1);
    assert!(err.contains("the state in") && err.contains("ermission denied"), "{err}");
    everything_is_there(here.path(), ROWS);
    mode(&here.path().join("state/state.sqlite"), 0o644);
    let ended = by_anybody(here.path());
    assert_eq!(ended.code(), 0, "{}", ended.err());
    everything_is_there(here.path(), ROWS);
}
