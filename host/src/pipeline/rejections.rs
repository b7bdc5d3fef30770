//! Rejected rows as batches: what leaves a stage by its implicit port `rejected`.
//!
//! A rejected row keeps all its columns, so that it can be repaired and fed in again, and gains two: which stage
//! refused it and why.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, StringArray, UInt32Array},
    datatypes::{DataType, Field},
    error::ArrowError,
};

use crate::words::{
    batch::{RecordBatch, Schema},
    rows,
    stage::Rejection,
};

/// Name of the implicit port of every transform and load.
pub const PORT: &str = "rejected";
/// Column that names the stage that refused the row: utf8, not null.
pub const BY: &str = "rejected_by";
/// Column that says why: utf8, not null.
pub const REASON: &str = "rejected_reason";

/// Why the rows that a stage rejects cannot leave as batches.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRejections {
    /// The input has a column that the host would add.
    #[error("the input already has a column `{0}`, which rejected rows would get")]
    ColumnTaken(&'static str),
    /// The stage's inputs have different schemas, so that its rejected rows have no common one.
    #[error("the inputs `{0}` and `{1}` have different columns, so that rejected rows have no common schema")]
    InputsDiffer(String, String),
}

/// The schema of the rows of `input` that a stage rejects.
pub fn schema(input: &Schema) -> Result<Schema, NoRejections> {
    if let Some(taken) = [BY, REASON].into_iter().find(|name| input.column_with_name(name).is_some()) {
        return Err(NoRejections::ColumnTaken(taken));
    }
    let added = [BY, REASON].map(|name| Arc::new(Field::new(name, DataType::Utf8, false)));
    let fields: Vec<_> = input.fields().iter().cloned().chain(added).collect();
    Ok(Schema::new_with_metadata(fields, input.metadata().clone()))
}

/// The rejected rows of a batch that was given to `stage`, in the order of `rejections`.
///
/// Fails when the batch has a column of an added name, or when a rejection names a row that the batch does not have.
pub fn batch(given: &RecordBatch, stage: &str, rejections: &[Rejection]) -> Result<RecordBatch, ArrowError> {
    let schema = schema(given.schema_ref()).map_err(|error| ArrowError::SchemaError(error.to_string()))?;
    if let Some(beyond) = rejections.iter().find(|rejection| rejection.row as usize >= given.num_rows()) {
        let message = format!("row {} was rejected from a batch of {} rows", beyond.row, given.num_rows());
        return Err(ArrowError::InvalidArgumentError(message));
    }
    let rows = UInt32Array::from_iter_values(rejections.iter().map(|rejection| rejection.row));
    let taken = |column| rows::taken(column, &rows).map_err(ArrowError::ComputeError);
    let mut columns = given.columns().iter().map(taken).collect::<Result<Vec<ArrayRef>, _>>()?;
    columns.push(Arc::new(StringArray::from_iter_values(rejections.iter().map(|_| stage))));
    columns.push(Arc::new(StringArray::from_iter_values(rejections.iter().map(|rejection| &rejection.reason))));
    RecordBatch::try_new(Arc::new(schema), columns)
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray as _, Int64Array};

    use super::*;

    fn numbers(name: &str) -> RecordBatch {
        let schema = Schema::new(vec![Field::new(name, DataType::Int64, true)]);
        let values = Int64Array::from(vec![Some(10), None, Some(30)]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(values)]).unwrap()
    }

    fn rejected(row: u32) -> Rejection {
        Rejection { row, reason: format!("reason {row}") }
    }

    #[test]
    fn a_rejected_row_keeps_its_columns_and_gains_who_and_why() {
        let batch = batch(&numbers("n"), "check", &[rejected(1), rejected(2)]).unwrap();
        assert_eq!(batch.schema_ref().as_ref(), &schema(numbers("n").schema_ref()).unwrap());
        assert_eq!(batch.num_rows(), 2);
        assert_eq!(batch.column(0).as_ref(), &Int64Array::from(vec![None, Some(30)]));
        assert_eq!(batch.column(1).as_string::<i32>().value(0), "check");
        assert_eq!(batch.column(2).as_string::<i32>().value(1), "reason 2");
    }

    #[test]
    fn a_batch_without_columns_still_counts_its_rejected_rows() {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(3));
        let empty = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
        assert_eq!(batch(&empty, "check", &[rejected(0)]).unwrap().num_rows(), 1);
    }

    #[test]
    fn a_column_of_an_added_name_is_refused() {
        assert_eq!(schema(numbers(BY).schema_ref()), Err(NoRejections::ColumnTaken(BY)));
        assert!(batch(&numbers(REASON), "check", &[rejected(0)]).is_err());
    }

    #[test]
    fn a_row_beyond_the_batch_is_an_error_and_no_panic() {
        assert!(batch(&numbers("n"), "check", &[rejected(3)]).is_err());
    }
}
