//! `std:read` with `follow` through the sandbox: files that grow while they are read, and a resume in the middle of them.

use std::{
    fs,
    io::Write as _,
    path::Path,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use arrow::{array::AsArray as _, datatypes::Int64Type};
use parshall::{
    tables::NativeTables,
    wasm::{Cache, Runtime, WasmComponent},
    words::{
        grants::{Grants, Place},
        stage::{Component as _, Extract, Opening},
    },
};
use serde_json::{Value, json};

use crate::{
    binary::{folder, pipeline, run},
    components,
};

fn component() -> WasmComponent {
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let runtime = Runtime::new(cache, Arc::new(NativeTables::default())).unwrap();
    runtime.load(&fs::read(components::path("read")).unwrap()).unwrap()
}

fn open(component: &WasmComponent, folder: &Path, config: &Value, restore: Option<Vec<u8>>) -> Box<dyn Extract> {
    let grants = Grants { read: vec![Place::Path(folder.into())], base: folder.into(), ..Grants::default() };
    let opening = Opening { restore, grants, ..components::opening(config.clone(), &[]) };
    component.open_extract(&opening).outcome.unwrap_or_else(|error| panic!("{error}")).0
}

/// Protects against rows lost or repeated where a writer, a reader and the reader's successors work at the same time: a
/// reader is dropped after every few batches, and another goes on from its position.
#[test]
fn readers_that_take_over_from_each_other_miss_nothing_of_a_writer() {
    const ROWS: i64 = 20_000;
    let here = folder();
    let root = here.path().canonicalize().unwrap();
    fs::write(root.join("0.csv"), "id,text\n").unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writer = thread::spawn({
        let (root, done) = (root.clone(), done.clone());
        move || {
            let mut file = fs::OpenOptions::new().append(true).open(root.join("0.csv")).unwrap();
            for id in 0..ROWS {
                // Every thousand rows another file; every row in two pieces.
                if id > 0 && id % 1000 == 0 {
                    file = fs::File::create(root.join(format!("{}.csv", id / 1000))).unwrap();
                    file.write_all(b"id,text\n").unwrap();
                }
                let line = format!("{id},\"größe\n{id}\"\n");
                let (first, rest) = line.as_bytes().split_at(id as usize % line.len());
                file.write_all(first).unwrap();
                file.write_all(rest).unwrap();
            }
            done.store(true, Ordering::Release);
        }
    });
    let config = json!({ "path": "*.csv", "follow": true, "batch_rows": 100, "schema": { "id": "int64", "text": "utf8" } });
    let (component, began) = (component(), Instant::now());
    let (mut ids, mut position) = (Vec::new(), None);
    while ids.len() < ROWS as usize || !done.load(Ordering::Acquire) {
        let mut stage = open(&component, &root, &config, position.clone());
        for _ in 0..20 {
            let extracted = stage.next().outcome.unwrap_or_else(|error| panic!("{error}")).expect("it does not end");
            ids.extend_from_slice(extracted.batch["id"].as_primitive::<Int64Type>().values());
            position = Some(extracted.position);
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{} rows", ids.len());
    }
    writer.join().unwrap();
    // Files may be read in turns; within each, rows are in order.
    for file in 0..ROWS / 1000 {
        let of_file = ids.iter().copied().filter(|id| id / 1000 == file);
        assert!(of_file.eq(file * 1000..(file + 1) * 1000), "file {file}: every row once and in order");
    }
    assert_eq!(ids.len(), ROWS as usize);
}

/// Protects against a call that costs as much where nothing is new as where something is, and against rows that cross.
#[test]
fn nothing_new_is_cheap() {
    let here = folder();
    let root = here.path().canonicalize().unwrap();
    let line = "x".repeat(99) + "\n";
    fs::write(root.join("a.log"), line.repeat(500_000)).unwrap();
    let mut stage = open(&component(), &root, &json!({ "path": "a.log", "follow": true, "batch_rows": 100_000 }), None);
    let mut next = || {
        let began = Instant::now();
        let call = stage.next();
        assert_eq!(call.usage.bytes_read + call.usage.bytes_made, 0);
        (call.outcome.unwrap().unwrap().batch.num_rows(), began.elapsed())
    };
    let read = (0..5).map(|_| next().0).sum::<usize>();
    assert_eq!((read, next().0), (500_000, 0));
    let idle = (0..200).map(|_| next()).map(|(rows, took)| if rows == 0 { took } else { panic!("{rows} rows") });
    let mut idle = idle.collect::<Vec<_>>();
    idle.sort_unstable();
    println!("nothing new: {:?} in the middle", idle[100]);
    assert!(idle[100] < Duration::from_millis(5), "{:?} where nothing is new", idle[100]);
}

/// Protects against a pipeline that follows what it must not, and a mistake that is told without its place.
#[test]
fn what_cannot_be_followed_is_told_when_the_pipeline_is_checked() {
    let here = folder();
    fs::create_dir(here.path().join("in")).unwrap();
    let check = |config: &str| {
        pipeline(
            &here,
            &format!(
                "[extract.rows]\ncomponent = \"std:read\"\ngrants = {{ read = [\".\"] }}\nconfig = {{ {config} }}\n\
                 [load.out]\ninputs = [\"rows\"]\ncomponent = \"std:write\"\nconfig = {{ to = \"out.csv\" }}\ngrants = {{ write = [\".\"] }}\n"
            ),
        );
        run(here.path(), &["check", "pipeline.toml"])
    };
    let told = check("path = \"in/*.csv\", follow = true").fails(2);
    assert!(
        told.contains("pipeline.toml:4:") && told.contains("nothing yet to tell the columns from") && told.contains("schema"),
        "{told}"
    );
    let told = check("path = \"gone.log\", follow = true").fails(2);
    assert!(told.contains("gone.log") && told.contains("must exist"), "{told}");
    check("path = \"in/*.csv\", follow = true, schema = { id = \"int64\" }").ok();
    check("path = \"in\", format = \"parquet\", follow = true, schema = { id = \"int64\" }").ok();
}
