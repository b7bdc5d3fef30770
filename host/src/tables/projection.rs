//! Which of a file's columns are wanted, and in which order.

use std::sync::Arc;

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::{Schema, SchemaRef},
};

use super::{nearest::hint, type_names};
use crate::words::tables::TableError;

/// A choice of top-level columns.
#[derive(Clone, Debug)]
pub struct Projection {
    /// Indices into the file's columns, ascending: what a decoder is asked for.
    pub wanted: Vec<usize>,
    /// Where each answered column is among `wanted`.
    order: Vec<usize>,
    /// As answered.
    pub schema: SchemaRef,
    /// Whether this is the file as it is.
    pub is_all: bool,
}

impl Projection {
    /// Chooses `columns` of a file's schema; all of them if nothing is said.
    pub fn new(name: &str, file: &SchemaRef, columns: Option<&[String]>) -> Result<Self, TableError> {
        let Some(columns) = columns else {
            let all = (0..file.fields().len()).collect::<Vec<_>>();
            return Ok(Projection { wanted: all.clone(), order: all, schema: file.clone(), is_all: true });
        };
        let mut answered = Vec::with_capacity(columns.len());
        for column in columns {
            let index = file.index_of(column).map_err(|_| absent(name, file, column))?;
            if answered.contains(&index) {
                return Err(TableError::Options(format!("option \"columns\" names {column:?} twice")));
            }
            answered.push(index);
        }
        let mut wanted = answered.clone();
        wanted.sort_unstable();
        let place = |index: &usize| wanted.iter().position(|other| other == index).unwrap_or_default();
        let order = answered.iter().map(place).collect();
        let fields = answered.iter().map(|&index| file.fields()[index].clone()).collect::<Vec<_>>();
        let schema = Arc::new(Schema::new_with_metadata(fields, file.metadata().clone()));
        Ok(Projection { wanted, order, schema, is_all: false })
    }

    /// Puts a decoded batch, whose columns are `wanted`, into the answered order.
    pub fn apply(&self, name: &str, batch: RecordBatch) -> Result<RecordBatch, TableError> {
        let columns = self.order.iter().map(|&index| batch.columns().get(index).cloned());
        let columns = columns.collect::<Option<Vec<_>>>().unwrap_or_default();
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &rows)
            .map_err(|error| TableError::Format(format!("reading {name:?}: {error}")))
    }
}

fn absent(name: &str, file: &Schema, column: &str) -> TableError {
    let names = file.fields().iter().map(|field| field.name().as_str());
    let listed = names.clone().take(20).collect::<Vec<_>>().join(", ");
    let more = if file.fields().len() > 20 { ", …" } else { "" };
    TableError::Options(format!("option \"columns\": {name:?} has no column {column:?}{}; it has {listed}{more}", hint(column, names)))
}

/// Requires that two files of one table have the same columns; names both and the first that differs.
pub fn same_columns(first: (&str, &Schema), other: (&str, &Schema)) -> Result<(), TableError> {
    let (ours, theirs) = (first.1.fields(), other.1.fields());
    for index in 0..ours.len().max(theirs.len()) {
        let show = |fields: &arrow::datatypes::Fields| match fields.get(index) {
            Some(field) => format!("{:?} of type {}", field.name(), type_names::show(field.data_type())),
            None => "missing".into(),
        };
        let equal = matches!((ours.get(index), theirs.get(index)), (Some(a), Some(b))
            if a.name() == b.name() && a.data_type() == b.data_type());
        if !equal {
            return Err(TableError::Format(format!(
                "the files of a table must have the same columns: column {} is {} in {:?}, but {} in {:?}",
                index + 1,
                show(ours),
                first.0,
                show(theirs),
                other.0
            )));
        }
    }
    Ok(())
}

/// A batch of the file `name` under the table's schema, which is that of `first`: later files may differ in nullability and
/// metadata.
pub fn conform(batch: RecordBatch, schema: &SchemaRef, first: &str, name: &str) -> Result<RecordBatch, TableError> {
    if Arc::ptr_eq(batch.schema_ref(), schema) || batch.schema_ref() == schema {
        return Ok(batch);
    }
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), batch.columns().to_vec(), &rows)
        .map_err(|error| TableError::Format(format!("reading {name:?}: it does not fit the schema of {first:?}: {error}")))
}
