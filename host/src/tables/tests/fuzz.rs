//! Files that were whole, with bytes changed: readers answer rows or an error, and never panic or ask for more memory than there is.

use super::{Bench, people};
use crate::words::{entropy::Entropy, tables::TableError};

#[test]
fn damaged_files_are_fuzzed() {
    let bench = Bench::new();
    for name in ["a.csv", "a.jsonl", "a.arrow", "a.parquet"] {
        let (path, mut errors, mut rows) = (format!("data/{name}"), 0, 0);
        bench.write(&path, &[people(0, 50), people(50, 30)], "{}").unwrap();
        let whole = std::fs::read(bench.path(&path)).unwrap();
        for seed in 0..300_u64 {
            let (seed, mut bytes) = (seed.to_le_bytes(), whole.clone());
            let mut chance = Entropy::of(&seed);
            (0..8).for_each(|_| {
                chance.below(2);
            });
            chance.mutate(&mut bytes, whole.len() * 2);
            bench.put(&path, &bytes);
            let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bench.read_all(&path)));
            match read.unwrap_or_else(|_| panic!("a panic on {name}, seed {seed:?}")) {
                Ok(_) => rows += 1,
                Err(TableError::Denied(why)) => panic!("{why}"),
                Err(_) => errors += 1,
            }
        }
        assert!(errors > 10 && rows > 0, "{name}: {rows} read, {errors} refused");
    }
}
