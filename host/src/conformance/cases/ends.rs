//! The two ends of a pipeline: what brings data in and what takes it out.

use super::{Case, must};
use crate::{
    conformance::{
        card::{Asked, Finding, does_not_apply, fails},
        subject::Subject,
    },
    words::stage::{Extract, Extracted, Load},
};

pub const OF_AN_EXTRACT: &[Case] = &[must("batches come", batches_come), must("a position is where to go on", resumes)];

pub const OF_A_LOAD: &[Case] = &[must("takes batches of every size", takes), must("commits, also without a batch", commits)];

/// So many batches are looked at: a source may have no end.
const BATCHES: usize = 100;

fn extract(subject: &Subject) -> Result<Box<dyn Extract>, Finding> {
    subject.open_extract(None).or_else(|error| does_not_apply(format!("it does not open ({})", error.reason())))
}

fn load(subject: &Subject) -> Result<Box<dyn Load>, Finding> {
    subject.open_load().or_else(|error| does_not_apply(format!("it does not open ({})", error.reason())))
}

fn next(extract: &mut dyn Extract) -> Result<Option<Extracted>, Finding> {
    extract.next().outcome.map_err(|error| Finding::failed("`next` fails", &error))
}

fn batches_come(subject: &Subject) -> Asked {
    let mut extract = extract(subject)?;
    let (mut batches, mut rows) = (0, 0);
    while batches < BATCHES {
        match next(&mut *extract)? {
            Some(extracted) => {
                batches += 1;
                rows += extracted.batch.num_rows();
            }
            None => {
                if next(&mut *extract)?.is_some() {
                    return fails("`next` answers nothing, and then something again");
                }
                return Ok(format!("{batches}, {rows} rows, and stays ended"));
            }
        }
    }
    Ok(format!("{batches} and more, {rows} rows"))
}

/// What follows a batch is what an instance begins with that is opened with the batch's position.
fn resumes(subject: &Subject) -> Asked {
    let mut through = extract(subject)?;
    let Some(first) = next(&mut *through)? else { return does_not_apply("no batch comes") };
    if first.position.is_empty() {
        return does_not_apply("its batches say no position");
    }
    let second = next(&mut *through)?;
    let reopened = subject.open_extract(Some(first.position));
    let mut resumed = reopened.map_err(|error| Finding::failed("opening with a position", &error))?;
    let again = next(&mut *resumed)?;
    let batch = |extracted: Option<Extracted>| extracted.map(|extracted| (extracted.port, extracted.batch));
    if batch(second) == batch(again) { Ok("after the first batch".into()) } else { fails("another batch follows than in one go") }
}

fn takes(subject: &Subject) -> Asked {
    let mut load = load(subject)?;
    let mut rejected = 0;
    for rows in [0, 1, 100, 8_192, 65_536] {
        let outcome = load.write(0, &subject.batch(rows)).outcome;
        rejected += outcome.map_err(|error| Finding::failed(format!("{rows} rows"), &error))?.len();
    }
    let receipt = load.commit(true).outcome.map_err(|error| Finding::failed("`commit` fails", &error))?;
    Ok(format!("{} rows into {}, {rejected} rejected", receipt.rows, receipt.location))
}

fn commits(subject: &Subject) -> Asked {
    let mut load = load(subject)?;
    let receipt = load.commit(true).outcome.map_err(|error| Finding::failed("`commit` fails", &error))?;
    if receipt.rows > 0 { fails(format!("{} rows are told to be durable, and none came", receipt.rows)) } else { Ok("0 rows".into()) }
}
