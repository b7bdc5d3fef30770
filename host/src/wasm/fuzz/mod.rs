//! Whatever a guest may answer, made up: schemas, arrays and recipes that are nearly right. The host may refuse or accept them; it may not
//! panic, and what it accepts, Arrow's full validation accepts too.
//!
//! The ordinary tests run for a moment. `PARSHALL_FUZZ_SECONDS=600 cargo test --release -p parshall --lib -- --ignored fuzz_for` runs for
//! long, from `PARSHALL_FUZZ_SEED` on; with `PARSHALL_FUZZ_KEEP=1` inputs whose outcome is new join `tests/fuzz/corpus/answers`.

mod answers;
mod schemas;

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::words::entropy::Entropy;

/// Bytes of an input; what lies beyond is the generator's.
const LONGEST: usize = 96;
/// Inputs that are kept to be mutated.
const KEPT: usize = 4_096;

fn corpus() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/corpus/answers"))
}

/// What came of it: how often, by what was said, digits and names left out.
#[derive(Default)]
struct Found {
    executions: u64,
    accepted: u64,
    outcomes: BTreeMap<String, u64>,
}

/// Runs inputs of the corpus, then mutations of what has been kept, until it is enough.
fn run(seed: u64, enough: impl Fn(u64) -> bool, case: impl Fn(&mut Entropy) -> Result<(), String>) -> Found {
    let mut kept: Vec<Vec<u8>> = fs::read_dir(corpus()).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    kept.sort();
    let given = kept.len() as u64;
    let (seed, mut found) = (seed.to_le_bytes(), Found::default());
    let mut chance = Entropy::of(&seed);
    let mut input = Vec::new();
    while !enough(found.executions) {
        match found.executions < given {
            true => input.clone_from(&kept[found.executions as usize]),
            false => {
                let at = (chance.bits() % kept.len().max(1) as u64) as usize;
                input.clear();
                input.extend(kept.get(at).into_iter().flatten());
                let mutation = chance.bits().to_le_bytes();
                Entropy::of(&mutation).mutate(&mut input, LONGEST);
                if input.is_empty() || chance.bits().is_multiple_of(4) {
                    input = chance.bits().to_le_bytes().to_vec();
                }
            }
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| case(&mut Entropy::of(&input))));
        let outcome = outcome.unwrap_or_else(|_| panic!("a panic on the input {input:02x?}"));
        found.executions += 1;
        found.accepted += u64::from(outcome.is_ok());
        let said: String = outcome.err().unwrap_or_default().chars().filter(|c| !c.is_ascii_digit()).take(160).collect();
        let count = found.outcomes.entry(said).or_default();
        *count += 1;
        if *count == 1 && kept.len() < KEPT {
            if std::env::var_os("PARSHALL_FUZZ_KEEP").is_some() {
                let name: String = input.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
                fs::write(corpus().join(name), &input).unwrap();
            }
            kept.push(input.clone());
        }
    }
    found
}

fn assert_sense(found: &Found) {
    assert!(found.accepted > found.executions / 50, "{} of {} are accepted", found.accepted, found.executions);
    assert!(found.outcomes.len() > 8, "refused in {} ways only", found.outcomes.len());
    assert!(!found.outcomes.keys().any(|said| said.contains("gave up on it")), "Arrow's validation panics: {:?}", found.outcomes.keys());
}

#[test]
fn answers_are_fuzzed() {
    assert_sense(&run(1, |executions| executions >= 20_000, answers::case));
}

#[test]
fn schemas_are_fuzzed() {
    let found = run(2, |executions| executions >= 20_000, schemas::case);
    assert!(found.accepted > 100 && found.outcomes.len() > 8, "{} accepted, {} outcomes", found.accepted, found.outcomes.len());
}

#[test]
#[ignore = "runs for PARSHALL_FUZZ_SECONDS"]
fn fuzz_for() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (seconds, seed) = (number("PARSHALL_FUZZ_SECONDS", 60), number("PARSHALL_FUZZ_SEED", 1));
    for (what, share, case) in [("answers", 9, answers::case as fn(&mut Entropy) -> Result<(), String>), ("schemas", 1, schemas::case)] {
        let until = Instant::now() + Duration::from_secs(seconds) * share / 10;
        let found = run(seed, |executions| executions.is_multiple_of(1_024) && Instant::now() > until, case);
        println!("{what}: seed {seed}, {} executions, {} accepted, {} outcomes", found.executions, found.accepted, found.outcomes.len());
        for said in found.outcomes.keys().filter(|said| said.contains("gave up on it")) {
            println!("{what}: Arrow's validation panicked, which was contained: {said}");
        }
    }
}
