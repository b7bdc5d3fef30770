//! `std:validate`: rejects the rows that break rules about single columns, each with one reason. Only the columns that
//! have rules are read.
//!
//! `config` is what is written, `plan` checks it against the schema, `form` says what a column's values are and how they
//! are written, `check` finds the rows that fail, `seen` and `saved` remember what must not repeat.

mod check;
mod config;
mod form;
mod plan;
mod saved;
mod seen;
#[cfg(test)]
mod tests;
mod validation;

use parshall_sdk::prelude::*;

use config::Config;
use validation::Validation;

struct Validate(Validation);

impl Transform for Validate {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Rejects the rows that break rules about single columns, each with a reason").stateful();

    fn open(config: Config, inputs: &[Input], restore: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        let mut validation = Validation::new(plan::plan(config, &schema)?);
        if let Some(bytes) = restore {
            validation.restore(&bytes)?;
        }
        Ok((Self(validation), Port::out(schema)))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        if frame.rows() == 0 {
            return Ok(Answer::all());
        }
        frame.read(self.0.reads())?;
        let data = self.0.reads().iter().map(|&index| frame.data(index)).collect::<Result<_, _>>()?;
        let verdict = self.0.judge(frame.rows(), data)?;
        // Always one output, even of no rows: the host takes a stage that answers none to hold them back.
        Ok(match verdict.kept {
            None => Answer::all(),
            Some(kept) => Answer::from(Output::of(Rows::Keep(kept))).rejecting(verdict.rejections),
        })
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, StageError> {
        Ok(self.0.save())
    }
}

export_transform!(Validate);
