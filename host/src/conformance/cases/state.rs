//! What a stage remembers: across calls, across a snapshot, at the end.

use super::{Case, batches::opened, must};
use crate::{
    conformance::{
        calls::{self, Came},
        card::{Asked, Finding, does_not_apply, fails},
        subject::Subject,
    },
    words::{
        call::{CallError, StageError},
        stage::Transform,
    },
};

pub const CASES: &[Case] = &[
    must("`finish` ends, and stays ended", finish_repeatedly),
    must("`finish` without a batch", finish_at_once),
    must("a snapshot goes on where it was taken", restore),
    must("a snapshot changes nothing", snapshot_is_silent),
    must("a foreign snapshot is refused", foreign_snapshot),
];

fn finish_repeatedly(subject: &Subject) -> Asked {
    let mut transform = opened(subject)?;
    let came = calls::run(&mut *transform, &[subject.batch(100), subject.batch(8_192)])?;
    for _ in 0..3 {
        if !calls::finish(&mut *transform)?.outputs.is_empty() {
            return fails("`finish` answers nothing, and then something again");
        }
    }
    let answers = came.usage.len() - 3;
    Ok(if answers == 0 { "nothing held".into() } else { format!("after {answers} answers") })
}

fn finish_at_once(subject: &Subject) -> Asked {
    let came = calls::finish(&mut *opened(subject)?)?;
    let rows: usize = came.outputs.iter().map(|(_, batch)| batch.num_rows()).sum();
    Ok(format!("{rows} rows"))
}

fn snapshot(transform: &mut dyn Transform) -> Result<Vec<u8>, Finding> {
    transform.snapshot().outcome.map_err(|error| Finding::failed("`snapshot` fails", &error))
}

/// One instance through, and one that hands over to another after each batch.
fn restore(subject: &Subject) -> Asked {
    let batches = [subject.batch(100), subject.batch(1), subject.batch(1_000)];
    let through = calls::run(&mut *opened(subject)?, &batches)?;
    let mut relayed = Came::default();
    let mut transform = opened(subject)?;
    let mut bytes = 0;
    for batch in &batches {
        let came =
            calls::process(&mut *transform, std::slice::from_ref(batch)).map_err(|error| Finding::failed("`process` fails", &error))?;
        relayed.outputs.extend(came.outputs);
        relayed.rejections.extend(came.rejections);
        let state = snapshot(&mut *transform)?;
        bytes = state.len();
        if !subject.stateful() && bytes > 0 {
            return fails(format!("it says that it is stateless, and its snapshot has {bytes} bytes"));
        }
        let next = subject.open_with(subject.config(), &subject.schema(), Some(state));
        transform = next.map_err(|error| Finding::failed("opening with the snapshot", &error))?.0;
    }
    relayed.outputs.extend(calls::finish(&mut *transform)?.outputs);
    if !through.same_rows(&relayed) {
        return fails("what was handed over from instance to instance gives another answer than one instance");
    }
    if subject.stateful() { Ok(format!("3 times, {bytes} bytes at the end")) } else { Ok("empty, as it is stateless".into()) }
}

/// A checkpoint is no reason to change what comes out.
fn snapshot_is_silent(subject: &Subject) -> Asked {
    let batches = [subject.batch(100), subject.batch(1_000)];
    let without = calls::run(&mut *opened(subject)?, &batches)?;
    let mut transform = opened(subject)?;
    let mut with = Came::default();
    for batch in &batches {
        let (one, two) = (snapshot(&mut *transform)?, snapshot(&mut *transform)?);
        if one != two {
            return fails("two snapshots without a batch between them differ");
        }
        let came =
            calls::process(&mut *transform, std::slice::from_ref(batch)).map_err(|error| Finding::failed("`process` fails", &error))?;
        with.outputs.extend(came.outputs);
    }
    with.outputs.extend(calls::finish(&mut *transform)?.outputs);
    if without.same_rows(&with) {
        Ok("taken twice between batches".into())
    } else {
        fails("snapshots between batches change what comes out")
    }
}

/// Bytes that no snapshot of this stage can be: an error in words, or a stage without state that does not look.
fn foreign_snapshot(subject: &Subject) -> Asked {
    opened(subject)?;
    if !subject.stateful() {
        return does_not_apply("it remembers nothing");
    }
    for bytes in [vec![0xff; 3], vec![0x7f; 1000], b"{\"no\": \"snapshot\"}".to_vec()] {
        match subject.open_with(subject.config(), &subject.schema(), Some(bytes.clone())) {
            Err(CallError::Stage(StageError::Internal(_) | StageError::Data(_) | StageError::Config { .. })) => {}
            Err(error) => return Err(Finding::failed(format!("{} foreign bytes", bytes.len()), &error)),
            Ok(_) => return fails(format!("{} foreign bytes are taken for a snapshot", bytes.len())),
        }
    }
    Ok("in words, 3 of 3".into())
}
