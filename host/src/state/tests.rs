use std::{path::Path, sync::Arc};

use super::*;
use crate::words::delivery::{Checkpoint, Journal as _, Kept};

fn key(name: &str) -> Key {
    Key { pipeline: name.into(), file: format!("/{name}.toml").into() }
}

fn begun(name: &str, keep: u64) -> Begun {
    Begun { key: key(name), pid: 7, born: Some(9), resumed: None, keep }
}

fn checkpoint(number: u64, state: &[u8]) -> Checkpoint {
    let kept = |stage: &str, state: Option<&[u8]>, ended| Kept { stage: stage.into(), state: state.map(Into::into), ended };
    Checkpoint {
        number,
        stages: vec![kept("b", Some(state), false), kept("a", None, true)],
        footing: None,
        rows_in: number * 10,
        rows_out: number,
    }
}

fn ended(state: &'static str) -> Ended {
    Ended { state, rows_in: 5, rows_out: 4, error: None }
}

/// Protects a resume against a checkpoint that is not the last, or mixed with another: of its pipeline or of one beside it.
#[test]
fn the_last_checkpoint_is_read_as_it_was_decided() {
    let here = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&here.path().join("a/b"), true).unwrap());
    let run = store.begin(&begun("one", 10)).unwrap();
    let recorder =
        |name: &str, run| Recorder { store: Arc::clone(&store), key: key(name), run, lineage: "0a1b2c3d".into(), footing: "{}".into() };
    let (one, two) = (recorder("one", run), recorder("two", 99));
    assert_eq!(store.checkpoint(&key("one")).unwrap(), None);
    one.decide(&checkpoint(1, b"first")).unwrap();
    two.decide(&checkpoint(8, b"other")).unwrap();
    one.decide(&checkpoint(2, b"second")).unwrap();
    let saved = Store::look(&here.path().join("a/b")).unwrap().unwrap().checkpoint(&key("one")).unwrap().unwrap();
    assert_eq!((saved.number, saved.lineage.as_str(), saved.run), (2, "0a1b2c3d", run));
    assert_eq!(saved.stages, checkpoint(2, b"second").stages, "in their order");
    let row = &store.runs(None, 10).unwrap()[0];
    assert_eq!((row.state.as_str(), row.rows_in, row.rows_out, row.checkpoints), ("running", 20, 2, 2));
    // Stopped, it stays; completed, it goes; the other's does neither.
    store.end(run, &key("one"), &ended("stopped")).unwrap();
    assert!(store.checkpoint(&key("one")).unwrap().is_some());
    store.end(run, &key("one"), &ended("completed")).unwrap();
    assert_eq!(store.checkpoint(&key("one")).unwrap(), None);
    assert_eq!(store.checkpoint(&key("two")).unwrap().unwrap().number, 8);
    // Begun anew, there is nothing of the lineage before but its name.
    two.begin(Some("ffffffff")).unwrap();
    let saved = store.checkpoint(&key("two")).unwrap().unwrap();
    assert_eq!((saved.number, saved.former.as_deref(), saved.stages.len()), (0, Some("ffffffff"), 0));
}

/// Protects the file against growing for ever.
#[test]
fn as_many_runs_are_kept_as_shall_be() {
    let here = tempfile::tempdir().unwrap();
    let store = Store::open(here.path(), false).unwrap();
    for expected in 1..=5 {
        assert_eq!(store.begin(&begun("one", 3)).unwrap(), expected);
    }
    store.begin(&begun("two", 3)).unwrap();
    let of = |file: Option<&str>| store.runs(file.map(Path::new), 10).unwrap().iter().map(|run| run.id).collect::<Vec<_>>();
    assert_eq!((of(Some("/one.toml")), of(None)), (vec![5, 4, 3], vec![6, 5, 4, 3]));
}

/// Protects a pipeline against two runs that go on from the same checkpoint.
#[test]
fn one_process_has_the_lock() {
    let here = tempfile::tempdir().unwrap();
    let store = Store::open(here.path(), true).unwrap();
    let held = store.lock(&key("one")).unwrap();
    let refused = store.lock(&key("one")).unwrap_err().to_string();
    assert!(refused.contains(&format!("process {} runs `one`", std::process::id())), "{refused}");
    store.lock(&key("two")).unwrap();
    drop(held);
    store.lock(&key("one")).unwrap();
}

/// Protects a newer state against an older program.
#[test]
fn a_newer_form_is_refused() {
    let here = tempfile::tempdir().unwrap();
    Store::open(here.path(), true).unwrap().connection().execute_batch("PRAGMA user_version = 2").unwrap();
    let refused = Store::open(here.path(), true).map(drop).unwrap_err().to_string();
    assert!(refused.contains("a newer parshall"), "{refused}");
}
