//! Recipes: what a guest answers, checked and carried out with Arrow's own kernels.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanArray, RecordBatchOptions, UInt32Array},
    buffer::{BooleanBuffer, Buffer},
    compute::{FilterBuilder, FilterPredicate},
    datatypes::{Schema, SchemaRef},
};

use super::{
    contract::{Answer, ArraysOut, Column, Columns, Output, Rejection, Rows},
    lift::Lifting,
};
use crate::words::{
    batch::{self, RecordBatch},
    call::CallError,
    limits::Limits,
    rows,
    stage::{Port, Rejection as Refused, Transformed},
    usage::{Origin, PortOrigins},
};

/// A way out of an open stage, ready to assemble batches for.
pub struct Outgoing {
    schema: SchemaRef,
    /// Origins of an output that passes every column.
    untouched: Arc<[Origin]>,
    /// The last choice of columns: a stage mostly makes the same one for every batch.
    known: Option<Known>,
}

/// Where the columns of an output come from, found to fit: for these frames and this port.
struct Known {
    columns: Vec<Column>,
    /// The frame's.
    schema: SchemaRef,
    origins: Arc<[Origin]>,
    /// Whether a column that may hold nulls goes to a field that may not: each batch is looked at.
    perhaps_null: bool,
}

impl Outgoing {
    /// For a port as `open` declared it.
    pub fn new(port: &Port) -> Self {
        let untouched = (0..port.schema.fields().len() as u32).map(Origin::Passed).collect();
        Outgoing { schema: Arc::clone(&port.schema), untouched, known: None }
    }
}

/// An answer carried out.
pub struct Carried {
    /// The batches and the refused rows.
    pub transformed: Transformed,
    /// Where each output's columns came from.
    pub origins: Vec<PortOrigins>,
    /// Rows of the input that are in at least one output.
    pub rows_kept: u64,
    /// Bytes of arrays that the guest made.
    pub bytes_made: u64,
}

/// Carries out an answer on the frame it was given about; on none for what `finish` puts out.
pub fn carry_out(answer: Answer, frame: Option<&Arc<RecordBatch>>, ports: &mut [Outgoing], limits: &Limits) -> Result<Carried, CallError> {
    let rows = frame.map_or(0, |frame| frame.num_rows());
    let rejections = refused(answer.rejections, rows, limits)?;
    CallError::within("outputs", answer.outputs.len() as u64, limits.outputs, "batches")?;
    let mut choices = Vec::with_capacity(answer.outputs.len());
    let mut carried = Carried {
        transformed: Transformed { outputs: Vec::with_capacity(answer.outputs.len()), rejections },
        origins: Vec::with_capacity(answer.outputs.len()),
        rows_kept: 0,
        bytes_made: 0,
    };
    let mut rows_out = 0;
    // Rejected rows leave as batches, too.
    let mut repeated = match frame {
        Some(frame) if !carried.transformed.rejections.is_empty() => {
            let rows: Vec<u32> = carried.transformed.rejections.iter().map(|rejection| rejection.row).collect();
            beyond(frame, &rows, &Columns::Untouched)
        }
        _ => 0,
    };
    CallError::within("output_bytes", repeated, limits.output_bytes, "bytes")?;
    for (index, mut output) in answer.outputs.into_iter().enumerate() {
        let in_output = |why: String| CallError::Malformed(format!("output {index}: {why}"));
        let declared = ports.len();
        let port = ports
            .get_mut(output.port as usize)
            .ok_or_else(|| in_output(format!("port {} does not exist; the stage declared {declared}", output.port)))?;
        carried.bytes_made += output.made.buffers.iter().map(|buffer| buffer.len() as u64).sum::<u64>();
        CallError::within("output_bytes", carried.bytes_made, limits.output_bytes, "bytes")?;
        let chosen = Chosen::new(std::mem::replace(&mut output.rows, Rows::All), frame, rows).map_err(in_output)?;
        rows_out += chosen.count() as u64; // At most 2^32 for each of a bounded number of outputs.
        CallError::within("output_rows", rows_out, limits.output_rows, "rows")?;
        if let (Chosen::Indices(indices), Some(frame)) = (&chosen, frame) {
            repeated = repeated.saturating_add(beyond(frame, indices.values(), &output.columns));
            CallError::within("output_bytes", carried.bytes_made.saturating_add(repeated), limits.output_bytes, "bytes")?;
        }
        let number = output.port;
        let (batch, columns) = assemble(output, &chosen, frame, port).map_err(in_output)?;
        carried.transformed.outputs.push((number, batch));
        carried.origins.push(PortOrigins { port: number, columns });
        choices.push(chosen);
    }
    carried.rows_kept = kept(&choices, rows, &carried.transformed.rejections)?;
    Ok(carried)
}

/// What rows that are named will weigh beyond the frame that they are of, in the columns of an output that are not made: a row may be named as
/// often as one likes.
fn beyond(frame: &RecordBatch, named: &[u32], columns: &Columns) -> u64 {
    let weight = |column: &ArrayRef| rows::weight(column, named);
    let weight = match columns {
        Columns::Untouched => frame.columns().iter().map(weight).fold(0, u64::saturating_add),
        Columns::Each(columns) => {
            let inputs = columns.iter().filter_map(|column| match column {
                Column::Input(index) => frame.columns().get(*index as usize),
                Column::Made => None,
            });
            inputs.map(weight).fold(0, u64::saturating_add)
        }
    };
    weight.saturating_sub(batch::size(frame))
}

/// The refused rows in order, each within the frame and at most once, their reasons cut to the limit.
pub fn refused(rejections: Vec<Rejection>, rows: usize, limits: &Limits) -> Result<Vec<Refused>, CallError> {
    if rejections.is_empty() {
        return Ok(Vec::new());
    }
    CallError::within("rejections", rejections.len() as u64, limits.rejections, "rows")?;
    let mut refused: Vec<_> = rejections
        .into_iter()
        .map(|rejection| Refused { row: rejection.row, reason: cut(rejection.reason, limits.reason as usize) })
        .collect();
    refused.sort_by_key(|rejection| rejection.row);
    if let Some(last) = refused.last().filter(|last| last.row as usize >= rows) {
        return Err(CallError::Malformed(format!("row {} is rejected, and the frame has {rows} rows", last.row)));
    }
    match refused.windows(2).find(|pair| pair[0].row == pair[1].row) {
        Some(pair) => Err(CallError::Malformed(format!("row {} is rejected twice", pair[0].row))),
        None => Ok(refused),
    }
}

/// Cuts a text to a number of bytes, at a character.
pub fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
    text
}

/// The rows that an output has, ready to be taken from any column.
enum Chosen {
    All(usize),
    Bitmap(BooleanArray, FilterPredicate),
    Indices(UInt32Array),
    Fresh(usize),
}

impl Chosen {
    fn new(rows: Rows, frame: Option<&Arc<RecordBatch>>, of: usize) -> Result<Self, String> {
        if frame.is_none() && !matches!(rows, Rows::Fresh(_)) {
            return Err("there is no frame to take rows from: `finish` puts out fresh rows only".into());
        }
        match rows {
            Rows::All => Ok(Chosen::All(of)),
            Rows::Bitmap(bits) => Self::bitmap(bits, of, frame.map_or(0, |frame| frame.num_columns())),
            Rows::Indices(indices) => match indices.iter().max() {
                Some(most) if *most as usize >= of => Err(format!("row {most} is chosen, and the frame has {of} rows")),
                _ => Ok(Chosen::Indices(UInt32Array::from(indices))),
            },
            Rows::Fresh(count) => match usize::try_from(count) {
                Ok(count) if count <= u32::MAX as usize => Ok(Chosen::Fresh(count)),
                _ => Err(format!("{count} fresh rows are more than a frame can have")),
            },
        }
    }

    fn bitmap(bits: Vec<u8>, of: usize, columns: usize) -> Result<Self, String> {
        if bits.len() < of.div_ceil(8) {
            return Err(format!("the bitmap of rows has {} bytes, and {of} rows need {}", bits.len(), of.div_ceil(8)));
        }
        let mask = BooleanArray::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, of), None);
        let builder = FilterBuilder::new(&mask);
        // Turning the bitmap into runs or indices pays as soon as two columns use it.
        let predicate = if columns > 1 { builder.optimize().build() } else { builder.build() };
        Ok(Chosen::Bitmap(mask, predicate))
    }

    fn count(&self) -> usize {
        match self {
            Chosen::All(count) | Chosen::Fresh(count) => *count,
            Chosen::Bitmap(_, predicate) => predicate.count(),
            Chosen::Indices(indices) => indices.len(),
        }
    }

    /// Whether these are all rows, in order.
    fn everything(&self) -> bool {
        match self {
            Chosen::All(_) => true,
            Chosen::Bitmap(mask, predicate) => predicate.count() == mask.len(),
            Chosen::Indices(_) | Chosen::Fresh(_) => false,
        }
    }

    fn of(&self, column: &ArrayRef) -> Result<ArrayRef, String> {
        match self {
            Chosen::All(_) => Ok(column.clone()),
            Chosen::Bitmap(..) if self.everything() => Ok(column.clone()),
            Chosen::Bitmap(_, predicate) => rows::filtered(column, predicate),
            Chosen::Indices(indices) => rows::taken(column, indices),
            Chosen::Fresh(_) => Err("fresh rows have no input columns: every column must be made".into()),
        }
    }
}

/// An output's batch, and where its columns came from.
type Assembled = (Arc<RecordBatch>, Arc<[Origin]>);

fn assemble(output: Output, chosen: &Chosen, frame: Option<&Arc<RecordBatch>>, port: &mut Outgoing) -> Result<Assembled, String> {
    match (output.columns, frame) {
        // `open` saw to it that a port that repeats an input's schema has the very same one.
        (Columns::Untouched, Some(frame)) if Arc::ptr_eq(frame.schema_ref(), &port.schema) => {
            Lifting::new(output.made).finish()?;
            Ok((untouched(chosen, frame)?, Arc::clone(&port.untouched)))
        }
        (Columns::Untouched, frame) => {
            let columns = (0..frame.map_or(0, |frame| frame.num_columns()) as u32).map(Column::Input).collect();
            each(columns, output.made, chosen, frame, port)
        }
        (Columns::Each(columns), frame) => each(columns, output.made, chosen, frame, port),
    }
}

/// The frame itself, or the chosen rows of it: the answer of a filter, kept short.
fn untouched(chosen: &Chosen, frame: &Arc<RecordBatch>) -> Result<Arc<RecordBatch>, String> {
    if chosen.everything() {
        return Ok(Arc::clone(frame));
    }
    let columns = frame.columns().iter().map(|column| chosen.of(column)).collect::<Result<Vec<_>, _>>()?;
    // SAFETY: every column is of the type that it was of, with as many values as were chosen, and no null that was not there.
    Ok(Arc::new(unsafe { RecordBatch::new_unchecked(frame.schema(), columns, chosen.count()) }))
}

fn each(
    columns: Vec<Column>,
    made: ArraysOut,
    chosen: &Chosen,
    frame: Option<&Arc<RecordBatch>>,
    port: &mut Outgoing,
) -> Result<Assembled, String> {
    let known = match (port.known.take(), frame) {
        (Some(known), Some(frame)) if Arc::ptr_eq(&known.schema, frame.schema_ref()) && known.columns == columns => known,
        (_, frame) => fitting(columns, frame, &port.schema)?,
    };
    let (known, schema, inputs) = (port.known.insert(known), &port.schema, frame.map_or(&[][..], |frame| frame.columns()));
    let (mut lifting, everything) = (Lifting::new(made), chosen.everything());
    let mut arrays = Vec::with_capacity(known.columns.len());
    for (column, field) in known.columns.iter().zip(schema.fields()) {
        arrays.push(match column {
            Column::Input(index) if everything => Arc::clone(&inputs[*index as usize]),
            Column::Input(index) => chosen.of(&inputs[*index as usize])?,
            Column::Made => lifting.column(field, chosen.count()).map_err(|error| error.to_string())?,
        });
    }
    lifting.finish()?;
    let (schema, origins) = (Arc::clone(schema), Arc::clone(&known.origins));
    let batch = if known.perhaps_null {
        let options = RecordBatchOptions::new().with_row_count(Some(chosen.count()));
        RecordBatch::try_new_with_options(schema, arrays, &options).map_err(|error| error.to_string())?
    } else {
        // SAFETY: `fitting` has compared types and counted columns, and no column that may hold nulls goes to a field that may not; what
        // was made is of its field's type and of as many values as were chosen, and what was chosen of a column is as many.
        unsafe { RecordBatch::new_unchecked(schema, arrays, chosen.count()) }
    };
    Ok((Arc::new(batch), origins))
}

/// Looks whether a choice of columns fits the frame and the port's schema.
fn fitting(columns: Vec<Column>, frame: Option<&Arc<RecordBatch>>, schema: &SchemaRef) -> Result<Known, String> {
    if columns.len() != schema.fields().len() {
        return Err(format!("it has {} columns, and the port's schema has {}", columns.len(), schema.fields().len()));
    }
    let from = frame.map_or_else(|| Arc::new(Schema::empty()), |frame| frame.schema());
    let (mut origins, mut perhaps_null) = (Vec::with_capacity(columns.len()), false);
    for (column, field) in columns.iter().zip(schema.fields()) {
        let Column::Input(index) = column else {
            origins.push(Origin::Made);
            continue;
        };
        let input = from
            .fields()
            .get(*index as usize)
            .ok_or_else(|| format!("input column {index} does not exist; the frame has {}", from.fields().len()))?;
        if input.data_type() != field.data_type() {
            let (declared, found) = (field.data_type(), input.data_type());
            return Err(format!("column `{}` is {declared}, and input column {index} is {found}", field.name()));
        }
        perhaps_null |= input.is_nullable() && !field.is_nullable();
        origins.push(Origin::Passed(*index));
    }
    Ok(Known { columns, schema: from, origins: origins.into(), perhaps_null })
}

/// How many rows of the input are in some output, none of which may be a rejected one.
fn kept(chosen: &[Chosen], rows: usize, rejections: &[Refused]) -> Result<u64, CallError> {
    let both = |row: u32| CallError::Malformed(format!("row {row} is rejected, and is among the surviving rows of an output"));
    if chosen.iter().any(|chosen| matches!(chosen, Chosen::All(_))) {
        return rejections.first().map_or(Ok(rows as u64), |rejection| Err(both(rejection.row)));
    }
    // The usual answer of a filter: its own count says it all.
    if let [Chosen::Bitmap(mask, predicate)] = chosen {
        let conflict = rejections.iter().find(|rejection| mask.value(rejection.row as usize));
        return conflict.map_or(Ok(predicate.count() as u64), |rejection| Err(both(rejection.row)));
    }
    let mut bits = vec![false; if chosen.iter().all(|chosen| matches!(chosen, Chosen::Fresh(_))) { 0 } else { rows }];
    for chosen in chosen {
        match chosen {
            Chosen::Bitmap(mask, _) => mask.values().set_indices().for_each(|row| bits[row] = true),
            Chosen::Indices(indices) => indices.values().iter().for_each(|row| bits[*row as usize] = true),
            Chosen::All(_) | Chosen::Fresh(_) => {}
        }
    }
    let conflict = rejections.iter().find(|rejection| bits.get(rejection.row as usize) == Some(&true));
    conflict.map_or(Ok(bits.iter().filter(|bit| **bit).count() as u64), |rejection| Err(both(rejection.row)))
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{Int64Array, LargeStringArray},
        datatypes::{DataType, Field},
    };

    use super::*;

    /// Protects the host's memory from one row that is named without end, and leaves alone who puts rows into another order.
    #[test]
    fn rows_that_are_named_again_count_against_the_bytes_of_a_call() {
        let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::LargeUtf8, false), Field::new("n", DataType::Int64, false)]));
        let columns: Vec<ArrayRef> =
            vec![Arc::new(LargeStringArray::from(vec!["x".repeat(1 << 20), "y".repeat(1 << 20)])), Arc::new(Int64Array::from(vec![1, 2]))];
        let frame = Arc::new(RecordBatch::try_new(Arc::clone(&schema), columns).unwrap());
        let limits = Limits { output_bytes: 1 << 20, ..Limits::default() };
        let answered = |indices: Vec<u32>, columns: Columns| {
            let mut ports = [Outgoing::new(&Port { name: "out".into(), schema: Arc::clone(&schema) })];
            let output = Output { port: 0, rows: Rows::Indices(indices), columns, made: ArraysOut::default() };
            carry_out(Answer { outputs: vec![output], rejections: Vec::new() }, Some(&frame), &mut ports, &limits)
        };
        let each = || Columns::Each(vec![Column::Input(0), Column::Input(1)]);
        let turned = answered(vec![1, 0], Columns::Untouched).map(|carried| carried.transformed.outputs[0].1.num_rows());
        assert_eq!(turned.unwrap(), 2, "no byte is made, however many there are");
        for columns in [Columns::Untouched, each()] {
            let Err(CallError::Limit { limit: "output_bytes", requested, .. }) = answered(vec![0; 1_000], columns).map(drop) else {
                panic!("a gigabyte is taken")
            };
            assert!(requested > 990 << 20, "{requested}");
        }
    }
}
