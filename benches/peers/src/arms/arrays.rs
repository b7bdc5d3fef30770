//! Columns as Arrow's arrays, and back.

use std::sync::Arc;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, Int32Array, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Int32Type, Int64Type, Schema},
};

use crate::rows::Columns;

pub fn batch(columns: &Columns) -> RecordBatch {
    let arrays: Vec<ArrayRef> = match columns {
        Columns::Ints(columns) => columns.iter().map(|column| Arc::new(Int32Array::from(column.clone())) as ArrayRef).collect(),
        Columns::Longs(columns) => columns.iter().map(|column| Arc::new(Int64Array::from(column.clone())) as ArrayRef).collect(),
        Columns::Texts(texts) => vec![Arc::new(StringArray::from_iter_values(texts))],
    };
    of(arrays)
}

/// A batch of these, named by their places.
pub fn of(arrays: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<_> =
        arrays.iter().enumerate().map(|(at, array)| Field::new(format!("c{at}"), array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length")
}

pub fn columns(batch: &RecordBatch) -> Columns {
    match batch.column(0).data_type() {
        DataType::Int32 => {
            Columns::Ints(batch.columns().iter().map(|column| column.as_primitive::<Int32Type>().values().to_vec()).collect())
        }
        DataType::Int64 => {
            Columns::Longs(batch.columns().iter().map(|column| column.as_primitive::<Int64Type>().values().to_vec()).collect())
        }
        _ => Columns::Texts(batch.column(0).as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()),
    }
}
