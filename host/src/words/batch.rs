//! What flows: Arrow record batches, and how many bytes of memory one stands for.

use std::sync::Arc;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, OffsetSizeTrait},
    datatypes::{DataType, Field},
};

pub use arrow::array::RecordBatch;
pub use arrow::datatypes::{Schema, SchemaRef};

/// Bytes of the values that a batch covers: slices count for what they show, not for the buffers behind them.
/// Used for queue bounds and for "bytes that stayed".
pub fn size(batch: &RecordBatch) -> u64 {
    let (columns, fields, rows) = (batch.columns(), batch.schema_ref().fields(), batch.num_rows());
    columns.iter().zip(fields).map(|(column, field)| sized(column, field.data_type(), rows)).sum()
}

/// Sizes of batches that mostly have one schema: what is the same for all of them is added up once.
#[derive(Default)]
pub struct Sizer {
    schema: Option<SchemaRef>,
    /// The columns whose values have one width, and the bytes of a row of all of them.
    fixed: Vec<usize>,
    width: usize,
    others: Vec<usize>,
}

impl Sizer {
    /// As [`size`] counts.
    pub fn of(&mut self, batch: &RecordBatch) -> u64 {
        let schema = batch.schema_ref();
        if self.schema.as_ref().is_none_or(|known| !Arc::ptr_eq(known, schema)) {
            let width = |field: &Arc<Field>| field.data_type().primitive_width();
            self.width = schema.fields().iter().filter_map(width).sum();
            (self.fixed, self.others) = (0..schema.fields().len()).partition(|index| width(&schema.fields()[*index]).is_some());
            self.schema = Some(Arc::clone(schema));
        }
        let (columns, rows) = (batch.columns(), batch.num_rows());
        let bitmaps = self.fixed.iter().filter(|index| columns[**index].as_ref().nulls().is_some()).count();
        let other = |index: &usize| sized(&columns[*index], schema.field(*index).data_type(), rows);
        (bitmaps * rows.div_ceil(8) + rows * self.width) as u64 + self.others.iter().map(other).sum::<u64>()
    }
}

/// Bytes of the values of one column, as [`size`] counts.
pub fn column_size(column: &ArrayRef) -> u64 {
    sized(column, column.data_type(), column.len())
}

/// A column of this type and length. Every call asks it of every column: nothing is asked of the array that is known already.
#[inline]
fn sized(column: &ArrayRef, data_type: &DataType, rows: usize) -> u64 {
    let nulls = if column.as_ref().nulls().is_some() { rows.div_ceil(8) } else { 0 };
    let values = match data_type {
        DataType::Boolean => rows.div_ceil(8),
        DataType::Utf8 => spanned(column.as_string::<i32>().value_offsets()),
        DataType::Binary => spanned(column.as_binary::<i32>().value_offsets()),
        DataType::LargeUtf8 => spanned(column.as_string::<i64>().value_offsets()),
        DataType::LargeBinary => spanned(column.as_binary::<i64>().value_offsets()),
        other => match other.primitive_width() {
            Some(width) => rows * width,
            None => return nested_size(column),
        },
    };
    (nulls + values) as u64
}

/// Offsets, and the bytes they span.
fn spanned<O: OffsetSizeTrait>(offsets: &[O]) -> usize {
    size_of_val(offsets) + (offsets[offsets.len() - 1] - offsets[0]).as_usize()
}

/// The slow way. An array whose sliced size cannot be told counts with its whole buffers.
fn nested_size(column: &ArrayRef) -> u64 {
    let data = column.to_data();
    data.get_slice_memory_size().unwrap_or_else(|_| data.get_array_memory_size()) as u64
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Int32Array, Int64Array, ListArray, StringArray, types::Int64Type};

    use super::*;

    /// Protects against two ways to count that differ, of whole batches and slices, and against a schema that is taken for another.
    #[test]
    fn a_sizer_counts_as_size_does() {
        let mut sizer = Sizer::default();
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
        let batches: [Vec<(&str, ArrayRef)>; 3] = [
            vec![("a", Arc::new(Int64Array::from(vec![1, 2, 3]))), ("b", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])))],
            vec![("a", Arc::new(StringArray::from(vec![Some("x"), None, Some("yz")]))), ("b", Arc::new(list))],
            vec![("a", Arc::new(BooleanArray::from(vec![true, false, true])))],
        ];
        for columns in batches {
            let batch = RecordBatch::try_from_iter(columns).unwrap();
            for batch in [batch.clone(), batch.slice(1, 2), batch.slice(0, 0)] {
                assert_eq!(sizer.of(&batch), size(&batch), "{batch:?}");
            }
        }
    }
}
