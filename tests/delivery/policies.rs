//! Checkpoints of a pipeline whose stages fail, remember and are replaced: rows at fault are set aside, all others are loaded once, and
//! what a stage remembers survives its instances and the process.

use std::{collections::BTreeSet, fs, path::Path, process::Stdio, thread, time::Duration};

use arrow::{array::AsArray as _, datatypes::Int64Type, ipc::reader::StreamReader};

use super::{Random, command, ran, runs, table};
use crate::{
    binary::{folder, pipeline},
    components,
};

const ROWS: i64 = 60_000;
/// One row in so many is at fault.
const EVERY: i64 = 5_000;
const AT: i64 = 5;

fn failing() -> String {
    format!(
        r#"
        [delivery]
        checkpoint = "20ms"
        [extract.numbers]
        component = "std:generate"
        config = {{ rows = {ROWS}, batch_rows = 100, columns = {{ n = "sequence" }} }}
        [transform.running]
        component = "{}"
        inputs = ["numbers"]
        config = {{ misbehave = "trap", every = {EVERY}, at = {AT}, leak = 200000 }}
        recycle = "8MiB"
        on_error = "dead-letter"
        [load.table]
        component = "std:write"
        inputs = ["running.out"]
        config = {{ to = "sqlite:out/all.db", table = "numbers" }}
        grants = {{ write = ["out/"] }}
        [load.total]
        component = "std:write"
        inputs = ["running.total"]
        config = {{ to = "out/total/", format = "csv" }}
        grants = {{ write = ["out/"] }}"#,
        components::path("testing/running").display(),
    )
}

/// The numbers in all files of dead letters. What was being written when the process was killed is cut off.
fn set_aside(folder: &Path) -> BTreeSet<i64> {
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        // Killed before it had a head.
        let Ok(reader) = StreamReader::try_new(fs::File::open(entry.unwrap().path()).unwrap(), None) else { continue };
        for batch in reader.map_while(Result::ok) {
            let rows = batch.column_by_name("row").unwrap().as_struct();
            numbers.extend(rows.column_by_name("n").unwrap().as_primitive::<Int64Type>().values());
        }
    }
    numbers
}

/// Protects rows and states where both a policy and a checkpoint have a say in them, also against a kill in between.
#[test]
fn rows_at_fault_are_set_aside_and_all_others_loaded_once_however_often_it_is_killed() {
    let (here, mut random) = (folder(), Random::seeded());
    pipeline(&here, &failing());
    for _ in 0..6 {
        let mut child = command(here.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(random.below(400)));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
    }
    let all = runs(here.path());
    if all[0]["state"] != "completed" {
        let ended = ran(command(here.path()));
        let (err, report) = (ended.err(), ended.json());
        assert_eq!(report["outcome"], "completed", "{err}");
    }
    let at_fault: Vec<i64> = (0..ROWS).filter(|number| number % EVERY == AT).collect();
    let good: Vec<i64> = (0..ROWS).filter(|number| number % EVERY != AT).collect();
    assert_eq!(table(&here.path().join("out/all.db")), good, "each once, in order");
    assert_eq!(set_aside(&here.path().join("dead-letters")).into_iter().collect::<Vec<_>>(), at_fault);
    let totals: Vec<_> = fs::read_dir(here.path().join("out/total")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [total] = totals.as_slice() else { panic!("one part: {totals:?}") };
    assert_eq!(fs::read_to_string(total).unwrap(), format!("rows,sum\n{},{}\n", good.len(), good.iter().sum::<i64>()));
}

/// The same without a kill: instances were replaced, for both reasons, while checkpoints were taken.
#[test]
fn checkpoints_are_taken_of_stages_whose_instances_are_replaced() {
    let here = folder();
    pipeline(&here, &failing());
    let ended = ran(command(here.path()));
    let (err, report) = (ended.err(), ended.json());
    assert_eq!(report["outcome"], "completed", "{err}");
    assert!(runs(here.path())[0]["checkpoints"].as_u64() > Some(1), "{:?}", runs(here.path()));
    let failures = &report["stages"][1]["failures"];
    assert_eq!(failures["dead_lettered"], ROWS / EVERY, "{failures:#}");
    let restarts = |why: &str| failures["restarts"][why].as_u64().unwrap_or(0);
    assert!(restarts("trap") > 0 && restarts("recycle") > 0, "{failures:#}");
    assert_eq!(table(&here.path().join("out/all.db")).len() as i64, ROWS - ROWS / EVERY);
}
