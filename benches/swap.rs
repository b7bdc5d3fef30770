//! What a swap costs the data path.
//!
//! Cost model: a stage that remembers nothing is held up for two moves of a pointer, because its new instance is open before; one that
//! remembers for `snapshot`, instantiation and `open` of the new one. Compiling and loading are on the thread of whoever asks, and cost
//! the data path only a share of the processor. So there are two questions: the pause, told by the records of 200 swaps, and the rows of
//! a minute of a pipeline that is swapped every second, against a minute without. The minutes are cut into blocks that take turns, and
//! there is one more without: how far those two are apart is what this machine does by itself.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use parshall::{
    catalog::Catalog,
    measure::{Comparison, Interval, Rounds},
    pipeline::{
        plan::{ComponentRef, Plan},
        run::Run,
        spec::Spec,
        swap::{Outcome, Request, SwapSettings, Swaps, Trigger},
    },
    tables::NativeTables,
    wasm::{Cache, Runtime},
};

/// Swaps whose pauses are told.
const SWAPS: usize = 200;
/// Seconds of each arm.
const MINUTE: usize = 60;

/// A pipeline without an end: rows, one stage, a load that counts.
struct Live {
    run: Run,
    swaps: Swaps,
    versions: [PathBuf; 2],
    folder: tempfile::TempDir,
}

fn component(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../plugins/dist/testing/{name}.wasm"))
}

/// The component with another digest: one more custom section, which nobody reads.
fn copy(folder: &Path, name: &str, number: u8) -> PathBuf {
    let mut bytes = std::fs::read(component(name)).expect("a built component");
    bytes.extend([0, 3, 1, b'v', number]);
    let path = folder.join(format!("{name}-{number}.wasm"));
    std::fs::write(&path, bytes).expect("a copy");
    path
}

impl Live {
    fn start(stage: &str, port: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let versions = [copy(folder.path(), stage, 1), copy(folder.path(), stage, 2)];
        let text = format!(
            "[extract.numbers]\ncomponent = \"{}\"\nconfig = {{ rows = 1000000000000 }}\n\
             [transform.stage]\ncomponent = \"{}\"\ninputs = [\"numbers\"]\n\
             [load.sink]\ncomponent = \"{}\"\ninputs = [\"stage{port}\"]\n",
            component("generate").display(),
            versions[0].display(),
            component("collect").display(),
        );
        let spec = Spec::parse("swap.toml", folder.path(), &text, &|_| None).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
        let cache = Cache::at(std::env::temp_dir().join("parshall-bench-components"));
        let catalog = Arc::new(Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).expect("an engine")));
        let plan = Plan::make(&spec, &*catalog).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
        let run = Run::start(plan).unwrap_or_else(|failure| panic!("{failure}"));
        let swaps = Swaps::new(Arc::clone(run.graph()), spec, catalog);
        Live { run, swaps, versions, folder }
    }

    /// Swaps to the version of this number; answers how long the data path was held up.
    fn swap(&self, number: usize) -> Duration {
        let component = ComponentRef::Path(self.versions[(number + 1) % 2].clone());
        let request = Request { stage: "stage".into(), component, settings: SwapSettings::default(), trigger: Trigger::Program };
        let record = self.swaps.swap(&request).expect("it fits").expect("it is another version");
        assert_eq!(record.outcome, Outcome::Swapped, "{record:?}");
        Duration::from_secs_f64(record.pause_seconds)
    }

    fn rows(&self) -> u64 {
        self.run.stages()[1].rows().rows_in
    }

    fn stop(self) {
        self.run.stopper().abort();
        self.run.wait();
        drop(self.folder);
    }
}

fn pause(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pause");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    for (what, stage, port) in [("forgets", "noop", ""), ("remembers", "running", ".out")] {
        let live = Live::start(stage, port);
        let mut number = 0;
        let mut next = || {
            number += 1;
            live.swap(number - 1)
        };
        let mut pauses: Vec<Duration> = (0..SWAPS).map(|_| next()).collect();
        pauses.sort();
        let at = |share: f64| pauses[((SWAPS - 1) as f64 * share).round() as usize];
        println!("pause of a stage that {what}, {SWAPS} swaps: p50 {:?}, p99 {:?}, most {:?}", at(0.5), at(0.99), at(1.0));
        group.bench_function(what, |bencher| bencher.iter_custom(|iterations| (0..iterations).map(|_| next()).sum()));
        live.stop();
    }
    group.finish();
}

/// Rows of a minute with a swap every second, relative to a minute of none, and of one more minute of none.
fn throughput(_: &mut Criterion) {
    for (what, stage, port) in [("forgets", "noop", ""), ("remembers", "running", ".out")] {
        let live = Live::start(stage, port);
        live.swap(0);
        let mut swaps = 0;
        let mut second = |arm: usize| -> Result<f64, Infallible> {
            let (began, rows) = (Instant::now(), live.rows());
            if arm == SWAPPED {
                swaps += 1;
                live.swap(swaps);
            }
            thread::sleep(Duration::from_secs(1).saturating_sub(began.elapsed()));
            Ok((live.rows() - rows) as f64 / began.elapsed().as_secs_f64())
        };
        // Warm, and not counted.
        let (Ok(_), Ok(_)) = (second(NONE), second(SWAPPED));
        let Ok(rounds) = Rounds::take(3, |round| round < MINUTE, second);
        let minute = |arm| rounds.arm(arm).iter().sum::<f64>();
        let of_none = |arm| {
            let Interval { median, low, high } = Comparison::new(&rounds, NONE, arm, 0.0, 1).ratio.interval();
            format!("{:.3} of none, by second {median:.3} ({low:.3}–{high:.3})", minute(arm) / minute(NONE))
        };
        println!("rows of a minute with a swap every second, of a stage that {what}: {}; none again: {}", of_none(SWAPPED), of_none(AGAIN));
        live.stop();
    }
}

const NONE: usize = 0;
const AGAIN: usize = 1;
const SWAPPED: usize = 2;

criterion_group!(benches, pause, throughput);
criterion_main!(benches);
