//! Six branches, one of whose sinks stalls: the source stops, and memory stays under its bound.

use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use parshall::{
    catalog::Catalog,
    pipeline::{
        plan::{ComponentError, ComponentRef, Components, Origin, Plan},
        run::{Outcome, Run, Stage},
        spec::Spec,
    },
    tables::NativeTables,
    telemetry::{
        Telemetry,
        health::Healths,
        metrics::{Metrics, exposition::Form},
    },
    wasm::{Cache, Runtime},
    words::{
        batch::RecordBatch,
        call::Call,
        delivery::{Checkpoint, Journal},
        limits::Loading,
        stage::{Component, Load, Receipt, Rejection},
    },
};

use super::delivering;
use crate::native::{self, done};

/// Bytes that may wait in front of each stage.
const QUEUE: u64 = 256 << 10;
/// Bytes of a batch, about: 1,000 rows of a number and 64 characters.
const BATCH: u64 = 160 << 10;

/// Whether sinks that mind it take anything.
#[derive(Default)]
struct Valve {
    open: Mutex<bool>,
    changed: Condvar,
}

// === impl Valve ===

impl Valve {
    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

struct Taking {
    valve: Option<Arc<Valve>>,
    rows: u64,
}

/// The standard stages, and two sinks: `free.wasm` and `stalled.wasm`.
struct WithSinks(Catalog, Arc<Valve>);

/// A sink in the host: it takes what comes, or waits at a valve first.
fn sink(valve: Option<Arc<Valve>>) -> Arc<dyn Component> {
    native::load("sink", move |_| done(Box::new(Taking { valve: valve.clone(), rows: 0 }), 0))
}

impl Load for Taking {
    fn write(&mut self, _: u32, batch: &Arc<RecordBatch>) -> Call<Vec<Rejection>> {
        if let Some(valve) = &self.valve {
            drop(valve.changed.wait_while(valve.open.lock().unwrap(), |open| !*open).unwrap());
        }
        self.rows += batch.num_rows() as u64;
        done(Vec::new(), batch.num_rows() as u64)
    }

    fn commit(&mut self, _: bool) -> Call<Receipt> {
        done(Receipt { rows: std::mem::take(&mut self.rows), location: "nowhere".into() }, 0)
    }

    fn snapshot(&mut self) -> Call<Vec<u8>> {
        done(Vec::new(), 0)
    }
}

impl Components for WithSinks {
    fn load(&self, reference: &ComponentRef, origin: &Origin, limits: Loading) -> Result<Arc<dyn Component>, ComponentError> {
        match reference {
            ComponentRef::Path(path) if path.ends_with("stalled.wasm") => Ok(sink(Some(Arc::clone(&self.1)))),
            ComponentRef::Path(path) if path.ends_with("free.wasm") => Ok(sink(None)),
            other => self.0.load(other, origin, limits),
        }
    }

    fn std_names(&self) -> Vec<String> {
        self.0.std_names()
    }
}

fn six_branches() -> String {
    let mut text = format!(
        "[defaults]\nqueue = {QUEUE}\n[extract.rows]\ncomponent = \"std:generate\"\n\
         config = {{ batch_rows = 1000, columns = {{ n = \"sequence\", text = {{ kind = \"string\", length = 64 }} }} }}\n"
    );
    for branch in 0..6 {
        let sink = if branch == 3 { "stalled" } else { "free" };
        text += &format!(
            "[transform.t{branch}]\ncomponent = \"std:filter\"\ninputs = [\"rows\"]\nconfig = {{ where = \"n % 7 <> {branch}\" }}\n\
             [load.l{branch}]\ncomponent = \"{sink}.wasm\"\ninputs = [\"t{branch}\"]\n"
        );
    }
    text
}

/// What this process holds, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
}

fn brought(stages: &[Arc<Stage>]) -> u64 {
    stages.iter().find(|stage| stage.name == "rows").unwrap().rows().rows_out
}

fn plan(valve: &Arc<Valve>) -> Plan {
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let catalog = Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).unwrap());
    let spec = Spec::parse("six.toml", Path::new("/"), &six_branches(), &|_| None).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    Plan::make(&spec, &WithSinks(catalog, Arc::clone(valve))).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

/// Waits until the source has brought nothing for a whole second. Answers what it has brought.
fn until_the_source_stops(stages: &[Arc<Stage>]) -> u64 {
    let (mut before, mut since) = (0, Instant::now());
    while since.elapsed() < Duration::from_secs(1) {
        let now = brought(stages);
        if now != before || now == 0 {
            (before, since) = (now, Instant::now());
        }
        thread::sleep(Duration::from_millis(5));
    }
    before
}

/// Stalls one sink so long. Answers the most bytes that waited in all queues together, and by how much the process grew meanwhile.
fn stall(lasting: Duration) -> (u64, u64) {
    let valve = Arc::new(Valve::default());
    let run = Run::start(plan(&valve)).unwrap();
    let stages = run.stages();
    let before = until_the_source_stops(&stages);
    let (began, at_first) = (Instant::now(), resident());
    let (mut most, mut peak) = (0, at_first);
    while began.elapsed() < lasting {
        most = most.max(stages.iter().filter_map(|stage| stage.level()).map(|level| level.bytes).sum());
        peak = peak.max(resident());
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(brought(&stages), before, "a stalled sink stops the source");
    for level in stages.iter().filter_map(|stage| stage.level()) {
        assert!(level.peak <= QUEUE.max(BATCH * 2), "{level:?}");
    }
    valve.open();
    while brought(&stages) < before + 100_000 {
        thread::sleep(Duration::from_millis(5));
    }
    run.stopper().stop();
    let report = run.wait();
    assert_eq!(report.outcome, Outcome::Stopped);
    let all = report.stages.iter().find(|stage| stage.name == "rows").unwrap().rows.out;
    for branch in 0..6 {
        let stage = report.stages.iter().find(|stage| stage.name == format!("t{branch}")).unwrap();
        assert_eq!(stage.rows.r#in, all, "t{branch} has taken everything");
    }
    (most, peak.saturating_sub(at_first))
}

/// The bound: what may wait in front of twelve stages.
fn is_bounded(most: u64) {
    assert!(most <= 12 * QUEUE, "{most} bytes wait in front of twelve stages, each of which may have {QUEUE}");
}

/// Protects memory against a sink that does not take anything for a while.
#[test]
fn a_stalled_sink_stops_the_source_and_memory_stays_under_its_bound() {
    is_bounded(stall(Duration::from_secs(2)).0);
}

/// Takes everything for recorded.
struct Recorded;

impl Journal for Recorded {
    fn decide(&self, _: &Checkpoint) -> Result<(), String> {
        Ok(())
    }
}

/// Protects a checkpoint against being taken of half a batch, and whoever waits for a sink that takes nothing: the checkpoint waits as the
/// source does, and is told of also if nothing comes of it.
#[test]
fn a_checkpoint_waits_for_a_sink_that_is_stalled() {
    for given_up in [false, true] {
        let (valve, metrics) = (Arc::new(Valve::default()), Metrics::new(&Healths::default()));
        let delivering = delivering(0, Arc::new(Recorded));
        let observer = Telemetry { traces: None, metrics: Some(metrics.clone()) };
        let run = Run::delivered(plan(&valve), &observer, Some(delivering)).unwrap();
        let (stages, stopper) = (run.stages(), run.stopper());
        let before = until_the_source_stops(&stages);
        let told = || metrics.gather().text(Form::Prometheus);
        assert!(!told().contains("etl_checkpoints_total{"), "none is over");
        if given_up {
            stopper.abort();
            valve.open();
        } else {
            valve.open();
            while brought(&stages) < before + 10_000 {
                thread::sleep(Duration::from_millis(5));
            }
            stopper.stop();
        }
        let (report, told) = (run.wait(), told());
        if given_up {
            assert_eq!(report.outcome, Outcome::Aborted);
            assert!(told.contains(r#"etl_checkpoints_total{outcome="given_up"} 1"#), "{told}");
        } else {
            assert_eq!(report.outcome, Outcome::Stopped);
            assert!(!told.contains(r#"etl_checkpoints_total{outcome="taken"} 0"#), "{told}");
            assert!(told.contains(r#"etl_checkpoints_total{outcome="given_up"} 0"#), "{told}");
        }
    }
}

/// The same for minutes, alone in its process: `… -- --ignored stalled_for_minutes --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn a_sink_that_is_stalled_for_minutes() {
    let (most, grown) = stall(Duration::from_secs(180));
    println!("at most {most} bytes in all queues; the process grew by {grown} bytes in three minutes");
    is_bounded(most);
    assert!(grown < 8 << 20, "{grown} bytes more after three minutes");
}
