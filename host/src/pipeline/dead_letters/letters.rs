//! The columns of a file of dead letters.

use std::{collections::HashMap, ops::Range, path::Path, sync::Arc, time::SystemTime};

use arrow::{
    array::{ArrayRef, BooleanArray, StringArray, StructArray, TimestampMicrosecondArray, UInt32Array, UInt64Array, new_null_array},
    compute::concat_batches,
    datatypes::{DataType, Field, Fields, SchemaRef, TimeUnit},
    error::ArrowError,
};

use super::{FORMAT, ROW, meta};
use crate::words::{
    batch::{RecordBatch, Schema},
    call::CallError,
    digest::Digest,
    stage::Input,
    trace::SpanContext,
};

/// Rows of a batch that could not be taken, and why.
pub struct Letter<'a> {
    /// Which rows.
    pub rows: Range<usize>,
    /// Why.
    pub error: &'a CallError,
    /// The call that failed on them.
    pub call: SpanContext,
}

/// A batch of which rows are set aside, and who could not take them.
#[derive(Clone, Copy)]
pub struct Addressed<'a> {
    /// Index of the input.
    pub input: u32,
    /// The batch.
    pub batch: &'a RecordBatch,
    /// Its number in the run.
    pub sequence: u64,
    /// As the pipeline file refers to the component.
    pub component: &'a str,
    /// Its digest.
    pub digest: Digest,
    /// Generation of the version.
    pub generation: u32,
}

const UTC: &str = "UTC";

/// The name of the column with the rows of an input.
fn row(input: usize, inputs: usize) -> String {
    if inputs == 1 { ROW.to_owned() } else { format!("{ROW}_{input}") }
}

/// The columns that every file has.
fn envelope() -> Vec<Field> {
    let text = |name| Field::new(name, DataType::Utf8, false);
    vec![
        text("stage"),
        text("input"),
        text("error_type"),
        text("message"),
        text("blame"),
        Field::new("alone", DataType::Boolean, false),
        text("trace_id"),
        text("span_id"),
        text("component"),
        text("component_digest"),
        Field::new("generation", DataType::UInt32, false),
        Field::new("batch", DataType::UInt64, false),
        Field::new("row_in_batch", DataType::UInt64, false),
        Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())), false),
    ]
}

/// The schema of the file of a stage.
pub fn schema(pipeline: &str, file: &Path, stage: &str, inputs: &[Input]) -> SchemaRef {
    let mut fields = envelope();
    for (at, input) in inputs.iter().enumerate() {
        let mut metadata = input.schema.metadata().clone();
        metadata.insert(meta::INPUT.to_owned(), input.name.clone());
        let rows = Field::new(row(at, inputs.len()), DataType::Struct(input.schema.fields().clone()), true);
        fields.push(rows.with_metadata(metadata));
    }
    let entries = [(meta::FORMAT, FORMAT), (meta::PIPELINE, pipeline), (meta::STAGE, stage)];
    let mut metadata: HashMap<String, String> = entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    metadata.insert(meta::FILE.to_owned(), file.display().to_string());
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// These letters under that schema.
pub fn batch(schema: &SchemaRef, stage: &str, of: &Addressed<'_>, letters: &[Letter<'_>]) -> Result<RecordBatch, ArrowError> {
    let slices: Vec<RecordBatch> = letters.iter().map(|letter| of.batch.slice(letter.rows.start, letter.rows.len())).collect();
    let rows = concat_batches(of.batch.schema_ref(), &slices)?;
    let count = rows.num_rows();
    // One value for each row of each letter.
    let each = |value: &dyn Fn(&Letter<'_>) -> String| -> ArrayRef {
        let values = letters.iter().flat_map(|letter| std::iter::repeat_n(value(letter), letter.rows.len()));
        Arc::new(StringArray::from(values.collect::<Vec<_>>()))
    };
    let same = |value: &str| each(&|_| value.to_owned());
    let inputs = schema.fields().iter().skip(envelope().len());
    let input = inputs.clone().nth(of.input as usize).and_then(|field| field.metadata().get(meta::INPUT)).cloned().unwrap_or_default();
    let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros() as i64);
    let alone = letters.iter().flat_map(|letter| std::iter::repeat_n(Some(letter.rows.len() == 1), letter.rows.len()));
    let mut columns: Vec<ArrayRef> = vec![
        same(stage),
        same(&input),
        each(&|letter| letter.error.reason().to_owned()),
        each(&|letter| letter.error.to_string()),
        each(&|letter| letter.error.blame().to_string()),
        Arc::new(alone.collect::<BooleanArray>()),
        each(&|letter| letter.call.trace.to_string()),
        each(&|letter| letter.call.span.to_string()),
        same(of.component),
        same(&of.digest.to_string()),
        Arc::new(UInt32Array::from_value(of.generation, count)),
        Arc::new(UInt64Array::from_value(of.sequence, count)),
        Arc::new(UInt64Array::from_iter_values(letters.iter().flat_map(|letter| letter.rows.clone()).map(|row| row as u64))),
        Arc::new(TimestampMicrosecondArray::from_value(now, count).with_timezone(UTC)),
    ];
    for (at, field) in inputs.enumerate() {
        columns.push(match (at == of.input as usize, field.data_type()) {
            (true, DataType::Struct(fields)) => Arc::new(rows_as_struct(fields, &rows)?),
            (_, other) => new_null_array(other, count),
        });
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn rows_as_struct(fields: &Fields, rows: &RecordBatch) -> Result<StructArray, ArrowError> {
    if fields.is_empty() {
        return Ok(StructArray::new_empty_fields(rows.num_rows(), None));
    }
    StructArray::try_new(fields.clone(), rows.columns().to_vec(), None)
}
