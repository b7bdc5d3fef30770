//! Fuel as golden numbers: what each reference stage costs on known rows, to the unit. A guest's code that takes more of it, or a
//! contract that has it do more, shows here on the noisiest machine. `UPDATE_GOLDEN=1` writes them anew; read the change.

use std::fs;

use parshall::wasm::Accounting;
use serde_json::{Value, json};

use crate::{
    binary,
    work::{self, Work},
};

/// Rows of the batches: the call alone, and an ordinary batch.
const ROWS: [usize; 2] = [1, 8_192];
/// Calls of one instance.
const CALLS: usize = 16;
const GOLDEN: &str = "tests/golden/fuel.txt";

/// Stages, beside those of the benches, and what they do.
fn others() -> Vec<(&'static str, Value)> {
    vec![
        ("select", json!({ "columns": ["c0", "c1"] })),
        ("validate", json!({ "rules": [{ "column": "c0", "min": 0 }] })),
        ("testing/kernels", json!({ "work": "both" })),
        ("languages/c/scale", json!({ "column": "c0", "factor": 2 })),
        ("languages/cpp/scale", json!({ "column": "c0", "factor": 2 })),
        ("languages/zig/scale", json!({ "column": "c0", "factor": 2 })),
        ("languages/rust/scale", json!({ "column": "c0", "factor": 2 })),
    ]
}

/// A line for each stage and size: the fuel of so many calls.
fn measured() -> String {
    let runtime = work::runtime(Accounting::default());
    let benches = Work::ALL.map(|work| (work.component(), work.config()));
    let mut lines = String::new();
    for (name, config) in benches.into_iter().chain(others()) {
        let component = work::load(&runtime, name);
        for rows in ROWS {
            let batch = work::batch(rows);
            // An allocator remembers what it gave: many calls, as they come, and an instance that is asked the same costs the same.
            let [fuel, again] = [(); 2].map(|()| {
                let mut stage = work::open(&component, config.clone(), &batch.schema());
                let calls = (0..CALLS).map(|_| stage.process(0, &batch));
                calls.map(|call| call.outcome.map(|_| call.usage.fuel).unwrap_or_else(|error| panic!("{name}: {error}"))).sum::<u64>()
            });
            assert_eq!(fuel, again, "{name}: two instances that are asked the same cost the same");
            lines += &format!("{name} {config} rows={rows}: {fuel}\n");
        }
    }
    lines
}

/// Protects against a stage, an SDK or a contract that makes guests work more, unseen.
#[test]
fn fuel_is_what_it_was() {
    if std::env::var_os("PARSHALL_DIST").is_some() {
        println!("skipped: fuel is pinned for the components of plugins/dist, and PARSHALL_DIST names others");
        return;
    }
    let (path, measured) = (binary::project(GOLDEN), measured());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &measured).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{GOLDEN}: {error}; UPDATE_GOLDEN=1 writes it"));
    let changed: Vec<String> = golden.lines().zip(measured.lines()).filter(|(was, is)| was != is).map(|(was, is)| told(was, is)).collect();
    assert!(
        changed.is_empty() && golden.lines().count() == measured.lines().count(),
        "fuel is not what it was:\n  {}\nUPDATE_GOLDEN=1 writes {GOLDEN} anew",
        changed.join("\n  ")
    );
}

/// A line that changed, and by how much.
fn told(was: &str, is: &str) -> String {
    let number = |line: &str| line.rsplit(' ').next().and_then(|number| number.parse::<f64>().ok());
    match (number(was), number(is)) {
        (Some(before), Some(after)) => format!("{is}, was {before} ({:+.2} %)", 100.0 * (after / before - 1.0)),
        _ => format!("{is}, was: {was}"),
    }
}
