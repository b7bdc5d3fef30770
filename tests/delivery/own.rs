//! Extracts and loads that are not the host's: at least once for whoever can only commit, and a clear word to whoever has no position.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arrow::{
    array::{ArrayRef, AsArray as _, Int64Array},
    datatypes::{DataType, Field, Int64Type, Schema},
};
use parshall::{
    pipeline::{
        plan::{ComponentError, ComponentRef, Components, Origin, Plan},
        run::{Outcome, Report, Run},
        spec::Spec,
    },
    telemetry::{
        Telemetry,
        health::Healths,
        metrics::{Metrics, exposition::Form},
    },
    words::{
        batch::RecordBatch,
        call::Call,
        delivery::{Checkpoint, Journal, Kept},
        limits::Loading,
        stage::{Component, Extract, Extracted, Load, Port, Receipt, Rejection},
    },
};

use super::delivering;
use crate::native::{self, done};

const BATCH: i64 = 100;
const BATCHES: i64 = 200;

/// What outlives the process: what the load has committed, and what is recorded.
#[derive(Clone, Default)]
struct World {
    committed: Arc<Mutex<Vec<i64>>>,
    recorded: Arc<Mutex<Vec<Kept>>>,
    decided: Arc<AtomicU64>,
    /// The checkpoint that cannot be recorded, as if the process had ended there.
    ends_at: Arc<AtomicU64>,
}

/// Brings numbers, and says where it is or not.
struct Numbers {
    next: i64,
    says_where: bool,
}

/// Takes numbers, and has them when they are committed.
struct Committing {
    world: World,
    taken: Vec<i64>,
}

fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

impl Extract for Numbers {
    fn next(&mut self) -> Call<Option<Extracted>> {
        if self.next >= BATCH * BATCHES {
            return done(None, 0);
        }
        // Slow enough for checkpoints to come between.
        std::thread::sleep(Duration::from_millis(1));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(self.next..self.next + BATCH));
        self.next += BATCH;
        let batch = Arc::new(RecordBatch::try_new(schema(), vec![numbers]).unwrap());
        let position = if self.says_where { self.next.to_le_bytes().to_vec() } else { Vec::new() };
        done(Some(Extracted { port: 0, batch, position }), BATCH as u64)
    }
}

impl Load for Committing {
    fn write(&mut self, _: u32, batch: &Arc<RecordBatch>) -> Call<Vec<Rejection>> {
        self.taken.extend_from_slice(batch.column(0).as_primitive::<Int64Type>().values());
        done(Vec::new(), batch.num_rows() as u64)
    }

    fn commit(&mut self, _: bool) -> Call<Receipt> {
        let rows = self.taken.len() as u64;
        self.world.committed.lock().unwrap().append(&mut self.taken);
        done(Receipt { rows, location: "the world".into() }, 0)
    }

    fn snapshot(&mut self) -> Call<Vec<u8>> {
        done(Vec::new(), 0)
    }
}

impl Journal for World {
    fn decide(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        if checkpoint.number == self.ends_at.load(Relaxed) {
            return Err("the light went out".into());
        }
        *self.recorded.lock().unwrap() = checkpoint.stages.clone();
        self.decided.store(checkpoint.number, Relaxed);
        Ok(())
    }
}

impl Components for World {
    fn load(&self, reference: &ComponentRef, _: &Origin, _: Loading) -> Result<Arc<dyn Component>, ComponentError> {
        let ComponentRef::Path(path) = reference else { unreachable!("{reference:?}") };
        let says_where = path.ends_with("numbers.wasm");
        Ok(match path.ends_with("committing.wasm") {
            true => {
                let world = self.clone();
                native::load("committing", move |_| done(Box::new(Committing { world: world.clone(), taken: Vec::new() }), 0))
            }
            false => native::extract("numbers", move |opening| {
                let next = opening.restore.as_ref().map_or(0, |at| i64::from_le_bytes(at[..].try_into().unwrap()));
                done((Box::new(Numbers { next, says_where }), vec![Port { name: "out".into(), schema: schema() }]), 0)
            }),
        })
    }

    fn std_names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl World {
    /// Runs it from where it was recorded; checkpoints that ended so, by what the metrics say.
    fn run(&self, extract: &str) -> (Report, String) {
        let text = format!(
            "[extract.numbers]\ncomponent = \"{extract}.wasm\"\n[load.all]\ncomponent = \"committing.wasm\"\ninputs = [\"numbers\"]\n"
        );
        let spec = Spec::parse("own.toml", Path::new("/"), &text, &|_| None).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let plan = Plan::resumed(&spec, self, &self.recorded.lock().unwrap()).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let delivering = delivering(self.decided.load(Relaxed), Arc::new(self.clone()));
        let metrics = Metrics::new(&Healths::default());
        let run = Run::delivered(plan, &Telemetry { traces: None, metrics: Some(metrics.clone()) }, Some(delivering)).unwrap();
        let report = run.wait();
        (report, metrics.gather().text(Form::Prometheus))
    }
}

/// Protects a load that can only commit: what it committed for a checkpoint that then was none comes again, and nothing else does.
#[test]
fn a_load_of_ones_own_has_every_row_at_least_once() {
    let world = World::default();
    world.ends_at.store(4, Relaxed);
    let (report, metrics) = world.run("numbers");
    let error = report.error.unwrap();
    assert_eq!((report.outcome, error.stage.as_str()), (Outcome::Failed, ""));
    assert!(error.message.contains("checkpoint 4: the light went out"), "{}", error.message);
    assert!(metrics.contains(r#"etl_checkpoints_total{outcome="taken"} 3"#) && metrics.contains(r#"outcome="failed"} 1"#), "{metrics}");
    let at = i64::from_le_bytes(world.recorded.lock().unwrap()[0].state.as_deref().unwrap().try_into().unwrap());
    let before = std::mem::take(&mut *world.committed.lock().unwrap());
    super::is_a_beginning(&before, "what was committed");
    assert!(at > 0 && before.len() as i64 > at, "{} rows are committed, {at} of which are recorded", before.len());
    world.ends_at.store(0, Relaxed);
    let (report, _) = world.run("numbers");
    assert_eq!(report.outcome, Outcome::Completed, "{:?}", report.error);
    let after = world.committed.lock().unwrap().clone();
    assert_eq!(after, (at..BATCH * BATCHES).collect::<Vec<_>>(), "from where it was recorded, each row once");
}

/// Protects against a checkpoint that nobody could go on from.
#[test]
fn an_extract_without_a_position_is_refused_at_the_first_checkpoint() {
    let world = World::default();
    let (report, metrics) = world.run("placeless");
    let error = report.error.unwrap();
    assert_eq!((report.outcome, error.stage.as_str()), (Outcome::Failed, "numbers"));
    assert!(error.message.contains("gives no position") && error.message.contains("remove `checkpoint`"), "{}", error.message);
    assert!(metrics.contains(r#"etl_checkpoints_total{outcome="failed"} 1"#), "{metrics}");
    assert!(world.recorded.lock().unwrap().is_empty() && world.committed.lock().unwrap().is_empty());
}
