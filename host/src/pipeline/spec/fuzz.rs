//! Pipeline files that were right, and wrong ones of which the message is golden, with pieces changed: an error has a place, and nothing panics.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::Spec;
use crate::{pipeline::diagnostic::render_all, words::entropy::Entropy};

fn corpus() -> Vec<Vec<u8>> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let examples = fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path().join("pipeline.toml"));
    let wrong = fs::read_dir(root.join("tests/golden/wrong")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = examples.chain(wrong).filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files.iter().filter_map(|path| fs::read(path).ok()).collect()
}

/// Parses mutations until it is enough; answers how many, and how many of them were right.
fn run(seed: u64, enough: impl Fn(u64) -> bool) -> (u64, u64) {
    let (corpus, seed) = (corpus(), seed.to_le_bytes());
    assert!(corpus.len() > 20);
    let (mut chance, mut executions, mut right) = (Entropy::of(&seed), 0, 0);
    while !enough(executions) {
        let mut text = corpus[(chance.bits() % corpus.len() as u64) as usize].clone();
        let mutation = chance.bits().to_le_bytes();
        let mut changes = Entropy::of(&mutation);
        // A byte chooses places in the first 256 only: the rest is the generator's.
        (0..8).for_each(|_| {
            changes.below(2);
        });
        changes.mutate(&mut text, 1 << 16);
        let text = String::from_utf8_lossy(&text);
        match Spec::parse("fuzz.toml", Path::new("/base"), &text, &|name| (name.len() < 6).then(|| name.repeat(3))) {
            Ok(_) => right += 1,
            Err(diagnostics) => assert!(render_all(&diagnostics, executions.is_multiple_of(2)).contains("fuzz.toml"), "no place: {text}"),
        }
        executions += 1;
    }
    (executions, right)
}

#[test]
fn pipeline_files_are_fuzzed() {
    let (executions, right) = run(1, |executions| executions >= 3_000);
    assert!(right > 100 && right < executions - 100, "{right} of {executions} are right");
}

#[test]
#[ignore = "runs for PARSHALL_FUZZ_SECONDS"]
fn fuzz_for() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (until, seed) = (Instant::now() + Duration::from_secs(number("PARSHALL_FUZZ_SECONDS", 60)), number("PARSHALL_FUZZ_SEED", 1));
    let (executions, right) = run(seed, |_| Instant::now() > until);
    println!("pipeline files: seed {seed}, {executions} executions, {right} right");
}
