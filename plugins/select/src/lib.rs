//! `std:select`: keeps, renames, reorders, casts and drops columns. Only what is cast is read; the others, whatever they
//! are called afterwards, never enter the sandbox.

mod cast;
mod config;
mod plan;
#[cfg(test)]
mod tests;

use arrow_buffer::BooleanBuffer;
use parshall_sdk::prelude::*;

use cast::{Cast, Done};
use config::Config;
use plan::Source;

struct Select {
    projection: Projection,
    /// What is made, as indices of casts.
    made: Vec<usize>,
    casts: Vec<Cast>,
    /// What the casts read, of the input.
    reads: Vec<usize>,
}

impl Transform for Select {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Keeps, renames, reorders, casts and drops columns");

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        let plan = plan::plan(&config, &schema)?;
        let reads = plan.casts.iter().map(|cast| cast.index).collect();
        let ports = Port::out(Schema::new_with_metadata(plan.fields, schema.metadata().clone()));
        let source = |source: &Source| match source {
            Source::Input(index) => (Some(*index), None),
            Source::Cast(index) => (None, Some(*index)),
        };
        let (passed, made): (Vec<_>, Vec<_>) = plan.columns.iter().map(source).unzip();
        let made = made.into_iter().flatten().collect();
        Ok((Self { projection: Projection::new(passed), made, casts: plan.casts, reads }, ports))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        frame.read(&self.reads)?;
        let done = self.casts.iter().map(|cast| cast.column(frame.data(cast.index)?)).collect::<Result<Vec<_>, _>>()?;
        let rejections = refused(&done, frame.rows());
        if rejections.is_empty() {
            return Ok(self.output(Rows::All, |index| done[index].data()).into());
        }
        let mut keep = vec![true; frame.rows()];
        rejections.iter().for_each(|rejection| keep[rejection.row as usize] = false);
        let places: Vec<_> = (0..frame.rows()).filter(|row| keep[*row]).map(Some).collect();
        let output = self.output(Rows::Keep(BooleanBuffer::from(keep)), |index| self.casts[index].survivors(&done[index], &places));
        Ok(Answer::from(output).rejecting(rejections))
    }
}

// === impl Select ===

impl Select {
    fn output(&self, rows: Rows, cast: impl Fn(usize) -> ArrayData) -> Output {
        Output::of(rows).projected(&self.projection, self.made.iter().map(|index| cast(*index)))
    }
}

/// Every row that some cast could not take, ascending and once, for the first of its reasons.
fn refused(done: &[Done], rows: usize) -> Vec<Rejection> {
    if done.iter().all(|done| done.failed.is_empty()) {
        return Vec::new();
    }
    let mut reasons = vec![None; rows];
    for (row, reason) in done.iter().flat_map(|done| &done.failed) {
        reasons[*row].get_or_insert(reason);
    }
    let reasons = reasons.into_iter().enumerate();
    reasons.filter_map(|(row, reason)| Some(Rejection { row: row as u32, reason: reason?.clone() })).collect()
}

export_transform!(Select);
