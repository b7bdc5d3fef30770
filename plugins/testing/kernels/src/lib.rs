//! The work of a normal stage with nothing around it: a comparison, a sum, both by Arrow's kernels. For the benchmarks.

use arrow_arith::{arity::unary, numeric::add};
use arrow_array::{Float64Array, Int64Array, cast::AsArray, types::Int64Type};
use arrow_ord::cmp::gt;
use parshall_sdk::prelude::*;

/// Which of the two is done.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Work {
    Filter,
    Derive,
    Both,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    work: Work,
    /// The int64 column that is compared, and the first summand.
    #[serde(default = "first")]
    column: String,
    /// The second summand.
    #[serde(default = "second")]
    other: String,
    /// What must be exceeded.
    #[serde(default)]
    threshold: i64,
}

fn first() -> String {
    "c0".into()
}

fn second() -> String {
    "c1".into()
}

struct Kernels {
    work: Work,
    column: usize,
    other: usize,
    threshold: arrow_array::Scalar<Int64Array>,
    columns: usize,
}

impl Transform for Kernels {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Compares a column with a constant, or adds two, or both");

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        let (column, other) = (
            column_index(&schema, &config.column, "/column")?,
            column_index(&schema, &config.other, "/other")?,
        );
        let mut fields = schema.fields().to_vec();
        if config.work != Work::Filter {
            fields.push(Field::new("sum", DataType::Float64, true).into());
        }
        let threshold = Int64Array::new_scalar(config.threshold);
        let columns = schema.fields().len();
        Ok((
            Self {
                work: config.work,
                column,
                other,
                threshold,
                columns,
            },
            Port::out(Schema::new(fields)),
        ))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        if self.work == Work::Filter {
            return Ok(Answer::keep(&gt(&frame.column(self.column)?, &self.threshold)?));
        }
        frame.read(&[self.column, self.other])?;
        let left = frame.column(self.column)?;
        let (as_float, of) = (
            |value: i64| value as f64,
            |array: &ArrayRef| array.as_primitive::<Int64Type>().clone(),
        );
        let sum = add(
            &unary::<_, _, arrow_array::types::Float64Type>(&of(&left), as_float),
            &unary::<_, _, arrow_array::types::Float64Type>(&of(&frame.column(self.other)?), as_float),
        )?;
        let kept = (0..self.columns).map(Column::input);
        if self.work == Work::Derive {
            return Ok(Output::of(Rows::All).columns(kept.chain([Column::Made(sum)])).into());
        }
        let mask = gt(&left, &self.threshold)?;
        let sum = sum.as_primitive::<arrow_array::types::Float64Type>();
        let survivors: Float64Array = mask
            .iter()
            .zip(sum)
            .filter(|(keep, _)| *keep == Some(true))
            .map(|(_, value)| value)
            .collect();
        Ok(Output::keep(&mask).columns(kept.chain([survivors.into()])).into())
    }
}

export_transform!(Kernels);
