//! Swapping while data flows: what comes out is audited row by row, whatever the new versions do.

mod audit;
mod doubles;
mod extracts_and_loads;
mod graph;
mod graph_refusals;
mod rollback;
mod soak;
pub mod spans;
mod state;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parshall::{
    catalog::Catalog,
    pipeline::{
        plan::{ComponentError, ComponentRef, Components, Origin, Plan},
        run::{Report, Run, Span},
        spec::Spec,
        swap::{Outcome, Record, Refusal, Request, SwapSettings, Swaps, Trigger},
    },
    tables::NativeTables,
    telemetry::{Telemetry, health::Healths, metrics::Metrics},
    wasm::{Cache, Runtime},
    words::{limits::Loading, observe::Observer, stage::Component},
};
use tempfile::TempDir;

use self::{audit::Audit, doubles::Double};
use crate::components;

/// The catalog, and a load that audits what it is given instead of writing it.
struct Audited {
    catalog: Catalog,
    audit: Audit,
}

impl Components for Audited {
    fn load(&self, reference: &ComponentRef, origin: &Origin, limits: Loading) -> Result<Arc<dyn Component>, ComponentError> {
        match reference {
            ComponentRef::Std(name) if name == "audit" => Ok(audit::sink(&self.audit)),
            ComponentRef::Std(name) if name == "forgetful" => Ok(Arc::new(Double::forgetful(self.running()?))),
            ComponentRef::Std(name) if name == "once" => Ok(Arc::new(Double::once(self.running()?))),
            _ => self.catalog.load(reference, origin, limits),
        }
    }

    fn std_names(&self) -> Vec<String> {
        self.catalog.std_names()
    }
}

impl Audited {
    fn running(&self) -> Result<Arc<dyn Component>, ComponentError> {
        self.catalog.load(&ComponentRef::Path(components::path("testing/running")), &Origin::default(), Loading::default())
    }
}

/// A pipeline that runs, and can be changed.
struct Live {
    folder: TempDir,
    run: Run,
    swaps: Arc<Swaps>,
    audit: Audit,
    metrics: Metrics,
}

/// A version of a test component: the same code with other digits in its bytes.
fn stamped(folder: &Path, stamp: u32) -> PathBuf {
    let mut bytes = std::fs::read(components::path("testing/stamp")).unwrap();
    let marker = b"stamp-of-me=";
    let at = bytes.windows(marker.len()).position(|window| window == marker).expect("the component has its stamp");
    bytes[at + marker.len()..][..4].copy_from_slice(format!("{stamp:04}").as_bytes());
    let path = folder.join(format!("stamp-{stamp}.wasm"));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn text(folder: &Path, stages: &str) -> String {
    let mut text = stages.to_owned();
    for name in ["noop", "counter", "generate", "collect", "stamp", "running"] {
        text = text.replace(&format!("@{name}"), &components::path(&format!("testing/{name}")).display().to_string());
    }
    text.replace("@1", &stamped(folder, 1).display().to_string()).replace("@2", &stamped(folder, 2).display().to_string())
}

fn spec(folder: &Path, stages: &str) -> Spec {
    let text = text(folder, stages);
    Spec::parse("pipeline.toml", folder, &text, &|_| None).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)))
}

// === impl Live ===

impl Live {
    /// Starts a pipeline whose text may name test components by `@NAME`, and versions of `stamp` by `@1` and `@2`.
    fn start(stages: &str) -> Self {
        let metrics = Metrics::new(&Healths::default());
        Live { metrics: metrics.clone(), ..Live::observed(stages, &Telemetry { traces: None, metrics: Some(metrics) }) }
    }

    fn observed(stages: &str, observer: &dyn Observer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spec = spec(folder.path(), stages);
        let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
        let catalog = Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).unwrap());
        let audit = Audit::default();
        let components: Arc<Audited> = Arc::new(Audited { catalog, audit: audit.clone() });
        let plan = Plan::make(&spec, &*components).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
        let run = Run::observed(plan, observer).unwrap();
        let swaps = Arc::new(Swaps::new(Arc::clone(run.graph()), spec, components));
        Live { folder, run, swaps, audit, metrics: Metrics::new(&Healths::default()) }
    }

    fn request(&self, stage: &str, component: impl Into<PathBuf>, settings: SwapSettings) -> Request {
        Request { stage: stage.into(), component: ComponentRef::Path(component.into()), settings, trigger: Trigger::Program }
    }

    /// Swaps a stage's component.
    fn swap(&self, stage: &str, component: impl Into<PathBuf>, settings: SwapSettings) -> Record {
        self.try_swap(stage, component, settings).unwrap_or_else(|refusal| panic!("{}", said(&refusal))).expect("it is another component")
    }

    fn try_swap(&self, stage: &str, component: impl Into<PathBuf>, settings: SwapSettings) -> Result<Option<Record>, Refusal> {
        self.swaps.swap(&self.request(stage, component, settings))
    }

    /// Makes the pipeline into this one.
    fn change(&self, stages: &str, settings: SwapSettings) -> Result<Vec<Record>, Refusal> {
        self.swaps.change(spec(self.folder.path(), stages), Trigger::Program, settings)
    }

    /// Waits until the sink has seen so many rows more than now.
    fn flow(&self, rows: u64) {
        let (until, deadline) = (self.audit.rows() + rows, Instant::now() + Duration::from_secs(60));
        while self.audit.rows() < until {
            assert!(Instant::now() < deadline && !self.run.finished(), "rows do not flow: {} of {until}", self.audit.rows());
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// Lets what is in flight come to its end.
    fn stop(self) -> (Report, Audit) {
        self.run.stopper().stop();
        self.end()
    }

    /// Waits for the end of the source.
    fn end(self) -> (Report, Audit) {
        let report = self.run.wait();
        assert!(report.error.is_none(), "{:?}", report.error);
        (report, self.audit)
    }
}

/// A refusal with all that it has to say.
fn said(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Mistakes(mistakes) => mistakes.iter().map(|mistake| mistake.render(false)).collect(),
        other => other.to_string(),
    }
}

/// An endless source of small batches, and the audit.
const ENDLESS: &str = r#"
name = "live"
[extract.numbers]
component = "@generate"
config = { rows = 1000000000000, batch_rows = 50 }
[load.sink]
component = "std:audit"
inputs = ["stage"]
"#;

fn settings() -> SwapSettings {
    SwapSettings { patience: Duration::from_secs(30), ..SwapSettings::default() }
}

/// What the old version of a record answered for.
fn old(record: &Record) -> Span {
    record.old.as_ref().unwrap_or_else(|| panic!("{record:?}")).span
}

/// What the new version of a record answered for.
fn new(record: &Record) -> Span {
    record.new.as_ref().unwrap_or_else(|| panic!("{record:?}")).span
}

fn assert_swapped(record: &Record) {
    assert_eq!(record.outcome, Outcome::Swapped, "{record:?}");
}
