//! What a call leaves behind.

use super::{Case, batches::opened, should};
use crate::conformance::{
    card::{Asked, Finding, fails},
    subject::Subject,
};

pub const CASES: &[Case] = &[should("1,000 calls leave no memory behind", leaks)];

/// So many calls may pass until a runtime has what it needs: a collector of garbage waits for some megabytes of it.
const WARMING_UP: usize = 1_000;
const CALLS: usize = 1_000;
const ROWS: usize = 1_024;
/// One page of linear memory in all the calls may be an accident of where an allocator stood.
const PAGE: u64 = 64 << 10;

fn leaks(subject: &Subject) -> Asked {
    let mut transform = opened(subject)?;
    let batch = subject.batch(ROWS);
    let mut before = 0;
    let mut after = 0;
    for call in 0..WARMING_UP + CALLS {
        let called = transform.process(0, &batch);
        called.outcome.map_err(|error| Finding::failed(format!("call {call}"), &error))?;
        after = called.usage.memory;
        if call + 1 == WARMING_UP {
            before = after;
        }
    }
    let grown = after - before;
    if grown > PAGE {
        let per_call = grown / CALLS as u64;
        return fails(format!("{per_call} bytes a call of {ROWS} rows; memory stands at {} KiB", after >> 10));
    }
    Ok(format!("memory stands at {} KiB", after >> 10))
}
