//! Groups rows by the values of columns and computes counts, sums, means, extremes and quantiles for each group. The
//! groups come out when the inputs have ended, in the order in which they first appeared.
//!
//! `call` and `plan` read the configuration, `keys` numbers the groups, `accumulate` has one file for each function,
//! `aggregation` holds it all.

mod accumulate;
mod aggregation;
mod call;
mod column;
mod config;
mod keys;
mod numbers;
mod plan;
mod saved;
mod text;

use parshall_sdk::prelude::*;

use aggregation::Aggregation;
use config::Config;

struct Aggregate(Aggregation);

impl Transform for Aggregate {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Groups rows and computes counts, sums, means, extremes and quantiles").stateful();

    fn open(config: Config, inputs: &[Input], restore: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let plan = plan::plan(&config, &*same_schema(inputs)?)?;
        let ports = Port::out(plan.schema.clone());
        let aggregation = match restore {
            None => Aggregation::new(plan),
            Some(bytes) => Aggregation::restore(plan, &bytes)?,
        };
        Ok((Self(aggregation), ports))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        frame.read(self.0.reads())?;
        let columns = self.0.reads().iter().map(|&index| frame.data(index)).collect::<Result<_, _>>()?;
        self.0.take(frame.rows(), columns);
        Ok(Answer::nothing())
    }

    fn finish(&mut self) -> Result<Option<Answer>, StageError> {
        Ok(self.0.give()?.map(|(rows, columns)| Output::fresh(rows, columns).into()))
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, StageError> {
        Ok(self.0.save())
    }
}

export_transform!(Aggregate);
