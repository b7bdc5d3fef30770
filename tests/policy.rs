//! Failure policies, from the pipeline file to the dead letters: which rows go on, which are set aside, and what it costs.

mod dead_letters;
mod exact;
mod extracts;
mod hostile;
mod large;
mod loads;
mod page;
mod recycle;
mod retries;
mod retry_command;
mod sink;
mod source;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use parshall::{
    catalog::Catalog,
    pipeline::{
        dead_letters::Reader,
        plan::{ComponentError, ComponentRef, Components, Origin, Plan},
        run::{Outcome, Report, Run, StageReport},
        spec::Spec,
    },
    tables::NativeTables,
    wasm::{Cache, Runtime},
    words::{limits::Loading, stage::Component},
};
use tempfile::TempDir;

use self::sink::Rows;
use crate::components;

/// The catalog, and a load that keeps the numbers of the rows that it is given.
struct Kept {
    catalog: Catalog,
    rows: Rows,
}

impl Components for Kept {
    fn load(&self, reference: &ComponentRef, origin: &Origin, limits: Loading) -> Result<Arc<dyn Component>, ComponentError> {
        match reference {
            ComponentRef::Std(name) if name == "keep" => Ok(sink::sink(&self.rows)),
            ComponentRef::Std(name) if name == "away" => Ok(source::away()),
            _ => self.catalog.load(reference, origin, limits),
        }
    }

    fn std_names(&self) -> Vec<String> {
        self.catalog.std_names()
    }
}

/// A run that has ended.
struct Ended {
    folder: TempDir,
    report: Report,
    /// The column `n` of what came to the load, in the order in which it came.
    rows: Vec<i64>,
}

/// A pipeline file with test components by `@NAME`.
fn text(stages: &str) -> String {
    ["stamp", "running", "generate", "hostile", "collect", "noop", "flood"].iter().fold(stages.to_owned(), |text, name| {
        text.replace(&format!("@{name}"), &components::path(&format!("testing/{name}")).display().to_string())
    })
}

/// Plans and runs it to its end. `std:keep` is the load that keeps.
fn run(stages: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec::parse("pipeline.toml", folder.path(), &text(stages), &|_| None);
    let spec = spec.unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let catalog = Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).unwrap());
    let kept = Kept { catalog, rows: Rows::default() };
    let plan = Plan::make(&spec, &kept).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let report = Run::start(plan).unwrap().wait();
    Ended { folder, report, rows: kept.rows.take() }
}

/// A source of numbers, a stage between, and the load that keeps.
fn pipeline(rows: u64, batch_rows: u64, stage: &str) -> String {
    format!(
        r#"
name = "policy"
[extract.numbers]
component = "@generate"
config = {{ rows = {rows}, batch_rows = {batch_rows} }}
[load.sink]
component = "std:keep"
inputs = ["stage"]
[transform.stage]
inputs = ["numbers"]
{stage}
"#
    )
}

// === impl Ended ===

impl Ended {
    fn stage(&self, name: &str) -> &StageReport {
        self.report.stages.iter().find(|stage| stage.name == name).expect("a stage of this name")
    }

    #[track_caller]
    fn assert_completed(&self) {
        assert_eq!((self.report.outcome, &self.report.error.as_ref().map(|error| &error.message)), (Outcome::Completed, &None));
    }

    /// The message of a run that failed.
    #[track_caller]
    fn message(&self) -> &str {
        assert_eq!(self.report.outcome, Outcome::Failed);
        &self.report.error.as_ref().expect("a failed run says why").message
    }

    /// For every stage that takes rows: what went in is what came out and what did not.
    #[track_caller]
    fn assert_balanced(&self) {
        for stage in self.report.stages.iter().filter(|stage| stage.queue.is_some()) {
            let rows = &stage.rows;
            // `running` puts out a row of its own at the end.
            let own = u64::from(stage.ports.iter().any(|port| port.name == "total"));
            assert_eq!(rows.r#in + own, rows.out + rows.filtered + rows.rejected + rows.failed, "{}: {rows:?}", stage.name);
        }
    }

    /// Files of dead letters.
    fn letter_files(&self) -> Vec<PathBuf> {
        files(&self.folder.path().join("dead-letters"))
    }

    /// Every dead letter: `n`, and why.
    fn letters(&self) -> BTreeMap<i64, Letter> {
        self.letter_files().iter().flat_map(|path| letters(path)).collect()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.collect()
}

/// What a dead letter says.
#[derive(Debug, PartialEq)]
struct Letter {
    error: String,
    alone: bool,
    batch: u64,
}

fn letters(path: &Path) -> Vec<(i64, Letter)> {
    use arrow::{
        array::AsArray as _,
        datatypes::{Int64Type, UInt64Type},
    };
    let file = fs::File::open(path).unwrap();
    let reader = arrow::ipc::reader::StreamReader::try_new(file, None).unwrap();
    let mut found = Vec::new();
    for batch in reader.map(Result::unwrap) {
        let column = |name: &str| batch.column_by_name(name).unwrap_or_else(|| panic!("a column `{name}`"));
        let numbers = column("row").as_struct().column_by_name("n").expect("the original row").as_primitive::<Int64Type>().clone();
        let errors = column("error_type").as_string::<i32>();
        let (alone, batches) = (column("alone").as_boolean(), column("batch").as_primitive::<UInt64Type>());
        for row in 0..batch.num_rows() {
            let letter = Letter { error: errors.value(row).to_owned(), alone: alone.value(row), batch: batches.value(row) };
            found.push((numbers.value(row), letter));
        }
    }
    found
}

/// Rows of a file, read as `parshall retry` reads it.
fn fed_rows(path: &Path) -> usize {
    let mut reader = Reader::open(path).unwrap();
    let mut rows = 0;
    while let Some(read) = reader.read().unwrap() {
        rows += read.batch.num_rows();
    }
    rows
}

/// Numbers below `rows` that leave `at` when divided by `every`.
fn poison(rows: i64, every: i64, at: i64) -> Vec<i64> {
    (0..rows).filter(|number| number % every == at).collect()
}
