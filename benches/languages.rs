//! What a stage costs in each language: the reference stage `scale`, built by `plugins/languages/run`, over the same rows.
//!
//! Cost model of one call, by which to read the numbers:
//!
//! ```text
//! call = enter + one read (2 reallocs, one copy in) + rows × language + one array out (copy, validate)
//! ```
//!
//! `enter` and the reallocs show at 1 row; at 8,192 rows what the language takes for a value is nearly everything: a
//! nanosecond where a compiler has made a loop of it, a hundred where an interpreter takes value after value.
//!
//! `cargo bench --bench languages` prints the table of plugins/languages/README.md, of those components that are there;
//! `cargo bench --bench languages -- starlingmonkey` prints the lines of these languages only.

#[path = "work.rs"]
mod work;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::{
    array::{Int64Array, RecordBatch},
    datatypes::{DataType, Field, Schema},
};
use parshall::{
    tables::NativeTables,
    wasm::{Cache, Runtime, WasmComponent},
    words::stage::{Component as _, Transform},
};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LANGUAGES: [&str; 12] =
    ["c", "cpp", "zig", "d", "swift", "rust", "assemblyscript", "go", "javascript", "typescript", "starlingmonkey", "python"];
const ROWS: usize = 8_192;
/// Each figure is the median of what fits into this.
const MEASURING: Duration = Duration::from_millis(1_500);

fn main() {
    // `cargo test --benches` asks benches whether they run, not what they measure.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!(
        "| language | component | imports | cold start | warm start | call, 1 row | call, {ROWS} rows | per row | fuel per row | memory |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let unknown = wanted.iter().find(|wanted| !LANGUAGES.contains(&wanted.as_str()));
    assert!(unknown.is_none(), "there is no language {unknown:?}: {}", LANGUAGES.join(", "));
    for language in LANGUAGES.into_iter().filter(|language| wanted.is_empty() || wanted.iter().any(|wanted| wanted == language)) {
        match built(language) {
            Some(file) => println!("{}", row(language, &file)),
            None => eprintln!("{language}: not built; plugins/languages/run {language} builds it"),
        }
    }
}

/// What was built last, or what is committed.
fn built(language: &str) -> Option<PathBuf> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let fresh = plugins.join("languages").join(language).join("scale/build/scale.wasm");
    let committed = plugins.join("dist/languages").join(language).join("scale.wasm");
    [fresh, committed].into_iter().find(|file| file.is_file())
}

fn row(language: &str, file: &Path) -> String {
    let bytes = std::fs::read(file).expect("a component that is there");
    let cache = tempfile::tempdir().expect("a folder for the cache");
    let runtime = || Runtime::new(Cache::at(cache.path()), Arc::new(NativeTables::default())).expect("an engine");
    let cold = start(&runtime(), &bytes);
    let warm: Vec<_> = (0..5).map(|_| start(&runtime(), &bytes)).collect();
    let component = runtime().load(&bytes).expect("a component");
    let imports = component.imports().iter().filter(|import| !import.contains("/frames@")).count();
    let (small, large) = (measured(&component, 1), measured(&component, ROWS));
    let per_row = |of_large: f64, of_small: f64| (of_large - of_small) / (ROWS - 1) as f64;
    format!(
        "| {language} | {} | {} | {} | {} | {:.1} µs | {} | {:.1} ns | {:.1} | {:.1} MiB |",
        size(bytes.len()),
        if imports == 0 { "frames".to_owned() } else { format!("frames and {imports} more") },
        milliseconds(cold),
        milliseconds(median(warm)),
        small.call * 1e6,
        if large.call < 1e-3 { format!("{:.0} µs", large.call * 1e6) } else { format!("{:.1} ms", large.call * 1e3) },
        per_row(large.call, small.call) * 1e9,
        per_row(large.fuel, small.fuel),
        large.memory as f64 / (1 << 20) as f64,
    )
}

fn size(bytes: usize) -> String {
    if bytes < 1_000_000 { format!("{} KB", bytes / 1_000) } else { format!("{:.1} MB", bytes as f64 / 1e6) }
}

fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    if milliseconds < 100.0 { format!("{milliseconds:.1} ms") } else { format!("{:.1} s", milliseconds / 1e3) }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// From bytes to the answer to a first batch of one row.
fn start(runtime: &Runtime, bytes: &[u8]) -> Duration {
    let began = Instant::now();
    let component = runtime.load(bytes).expect("a component");
    let mut transform = open(&component);
    transform.process(0, &batch(1)).outcome.expect("it answers");
    began.elapsed()
}

fn open(component: &WasmComponent) -> Box<dyn Transform> {
    work::open(component, json!({ "column": "value", "factor": 3 }), &batch(0).schema())
}

/// A column that is read and one that stays.
fn batch(rows: usize) -> Arc<RecordBatch> {
    let schema = Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("value", DataType::Int64, false)]);
    let column = || Arc::new((0..rows as i64).collect::<Int64Array>());
    Arc::new(RecordBatch::try_new(Arc::new(schema), vec![column(), column()]).expect("two columns"))
}

struct Measured {
    /// Seconds, units, bytes.
    call: f64,
    fuel: f64,
    memory: u64,
}

fn measured(component: &WasmComponent, rows: usize) -> Measured {
    let (mut transform, batch) = (open(component), batch(rows));
    let (mut times, mut fuel, mut memory) = (Vec::new(), 0, 0);
    let began = Instant::now();
    while began.elapsed() < MEASURING {
        let called = Instant::now();
        let call = transform.process(0, &batch);
        times.push(called.elapsed());
        call.outcome.expect("it answers");
        (fuel, memory) = (call.usage.fuel, call.usage.memory);
    }
    Measured { call: median(times).as_secs_f64(), fuel: fuel as f64, memory }
}
