//! The work of a normal stage with nothing around it: a comparison, a sum, both by Arrow's kernels. For the benchmarks.

use arrow_arith::{arity::unary, numeric::add};
use arrow_array::{Float64Array, Int64Array};
use arrow_ord::cmp::gt;
use arrow_select::filter::filter;
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
        let (column, other) = (column_index(&schema, &config.column, "/column")?, column_index(&schema, &config.other, "/other")?);
        let mut fields = schema.fields().to_vec();
        if config.work != Work::Filter {
            fields.push(Field::new("sum", DataType::Float64, true).into());
        }
        let threshold = Int64Array::new_scalar(config.threshold);
        let columns = schema.fields().len();
        Ok((Self { work: config.work, column, other, threshold, columns }, Port::out(Schema::new(fields))))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        if self.work == Work::Filter {
            return Ok(Answer::keep(&gt(&frame.typed::<Int64Array>(self.column)?, &self.threshold)?));
        }
        frame.read(&[self.column, self.other])?;
        let left: Int64Array = frame.typed(self.column)?;
        let right: Int64Array = frame.typed(self.other)?;
        let sum = add(&as_float(&left), &as_float(&right))?;
        let kept = (0..self.columns).map(Column::input);
        if self.work == Work::Derive {
            return Ok(Output::of(Rows::All).columns(kept.chain([Column::made(&sum)])).into());
        }
        let mask = gt(&left, &self.threshold)?;
        let survivors = filter(&sum, &mask)?;
        Ok(Output::keep(&mask).columns(kept.chain([Column::made(&survivors)])).into())
    }
}

fn as_float(array: &Int64Array) -> Float64Array {
    unary(array, |value| value as f64)
}

export_transform!(Kernels);
