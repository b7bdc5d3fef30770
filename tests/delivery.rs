//! Nothing lost and nothing twice: checkpoints, and runs that go on from them, through the command.

mod faults;
mod foreign;
mod injected;
mod kills;
mod own;
mod policies;
pub mod resume;
mod stalled;
mod swaps;

use std::{fs, path::Path, process::Command, sync::Arc, time::Duration};

use arrow::{array::AsArray as _, datatypes::Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parshall::{
    pipeline::run::Delivering,
    words::delivery::{Delivery, Journal},
};
use serde_json::Value;

use crate::binary::{Ran, parshall};

/// Rows of the source.
const ROWS: i64 = 300_000;

/// One source, three sinks: a folder of parts, an SQLite table, and a stage that holds all it knows until the end.
fn text(rows: i64, checkpoint: &str) -> String {
    format!(
        r#"
        [delivery]
        checkpoint = "{checkpoint}"
        [extract.numbers]
        component = "std:generate"
        config = {{ rows = {rows}, batch_rows = 500, columns = {{ n = "sequence", of = {{ kind = "choice", values = ["a", "b"] }} }} }}
        [transform.kept]
        component = "std:filter"
        inputs = ["numbers"]
        config = {{ where = "n >= 0" }}
        instances = 2
        [transform.counted]
        component = "std:aggregate"
        inputs = ["kept"]
        config = {{ aggregates = {{ rows = "count()", total = "sum(n)" }} }}
        [load.files]
        component = "std:write"
        inputs = ["kept"]
        config = {{ to = "out/parts/", format = "parquet" }}
        grants = {{ write = ["out/"] }}
        [load.table]
        component = "std:write"
        inputs = ["kept"]
        config = {{ to = "sqlite:out/all.db", table = "numbers" }}
        grants = {{ write = ["out/"] }}
        [load.sum]
        component = "std:write"
        inputs = ["counted"]
        config = {{ to = "out/sum/", format = "csv" }}
        grants = {{ write = ["out/"] }}"#
    )
}

/// `parshall run` in a folder, with its state beside it.
fn command(here: &Path) -> Command {
    let mut command = parshall();
    command.current_dir(here).env("PARSHALL_STATE_DIR", here.join("state"));
    command.args(["run", "pipeline.toml", "--report", "json", "--progress", "never"]);
    command
}

fn ran(mut command: Command) -> Ran {
    Ran(command.output().expect("parshall starts"))
}

/// The runs that are remembered, the newest first.
fn runs(here: &Path) -> Vec<Value> {
    let mut command = parshall();
    command.current_dir(here).env("PARSHALL_STATE_DIR", here.join("state")).args(["runs", "--json"]);
    ran(command).json()["runs"].as_array().unwrap().clone()
}

/// What is visible in a folder of parts: of every part the numbers, in the order of the checkpoints.
fn parts(folder: &Path) -> Vec<i64> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    paths.sort_unstable();
    let mut numbers = Vec::new();
    for path in paths {
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&path).unwrap());
        let reader = reader.unwrap_or_else(|error| panic!("{} is not whole: {error}", path.display()));
        for batch in reader.build().unwrap().map(Result::unwrap) {
            numbers.extend(batch.column(0).as_primitive::<Int64Type>().values());
        }
    }
    numbers
}

/// What is visible in the table.
fn table(database: &Path) -> Vec<i64> {
    if !database.exists() {
        return Vec::new();
    }
    let connection = rusqlite::Connection::open(database).unwrap();
    let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'numbers'";
    if connection.query_row(there, [], |row| row.get::<_, i64>(0)).unwrap() == 0 {
        return Vec::new();
    }
    let mut statement = connection.prepare("SELECT n FROM numbers ORDER BY rowid").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Whatever has happened, what is visible is the beginning of the source, each row once.
fn is_a_beginning(numbers: &[i64], what: &str) {
    let wrong = numbers.iter().enumerate().find(|(at, number)| *at as i64 != **number);
    assert_eq!(wrong, None, "{what}: {} rows, of which this is not the one that belongs there", numbers.len());
}

/// All sinks hold a beginning of the source.
fn nothing_is_half_visible(here: &Path) {
    is_a_beginning(&parts(&here.join("out/parts")), "parts");
    is_a_beginning(&table(&here.join("out/all.db")), "table");
}

/// All sinks hold exactly the source.
fn everything_is_there(here: &Path, rows: i64) {
    nothing_is_half_visible(here);
    assert_eq!((parts(&here.join("out/parts")).len() as i64, table(&here.join("out/all.db")).len() as i64), (rows, rows));
    let sums: Vec<_> = fs::read_dir(here.join("out/sum")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [sum] = sums.as_slice() else { panic!("one part: {sums:?}") };
    assert_eq!(fs::read_to_string(sum).unwrap(), format!("rows,total\n{rows},{}\n", rows * (rows - 1) / 2));
    nothing_is_left_aside(here);
}

/// No file and no table that only a checkpoint needs.
fn nothing_is_left_aside(here: &Path) {
    for folder in ["out", "out/parts", "out/sum"] {
        let names = fs::read_dir(here.join(folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let hidden: Vec<_> = names.filter(|name| name.starts_with('.')).collect();
        assert!(hidden.is_empty(), "{folder}: {hidden:?}");
    }
    let connection = rusqlite::Connection::open(here.join("out/all.db")).unwrap();
    let aside = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'parshall_aside%'";
    assert_eq!(connection.query_row(aside, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// A checkpoint every few milliseconds, after so many.
fn delivering(decided: u64, journal: Arc<dyn Journal>) -> Delivering {
    let delivery = Arc::new(Delivery::new("00000000".into(), decided, None));
    Delivering { every: Duration::from_millis(5), snapshot_bytes: 1 << 20, delivery, journal, ended: Vec::new() }
}

/// Numbers that look random, from a seed that a failing test tells.
struct Random(u64);

impl Random {
    /// From `PARSHALL_SEED`, or from the clock.
    fn seeded() -> Self {
        let clock = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = std::env::var("PARSHALL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(clock);
        println!("PARSHALL_SEED={seed}");
        Random(seed | 1)
    }

    /// From 0 to below this.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
