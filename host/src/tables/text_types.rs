//! Types on their way through text: what the text decoders and encoders do not do faithfully by themselves.
//!
//! Integers: Arrow's JSON decoder takes `1.5` for the integer 1. They are decoded as decimals first and then required
//! to be whole. Zones: text holds instants in UTC, so that no table of time zones is needed in this program.

use std::{str::FromStr, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, ListArray, RecordBatch, RecordBatchOptions, StructArray, UInt64Array, timezone::Tz},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, Decimal128Type, Field, FieldRef, Schema, SchemaRef},
    util::display::array_value_to_string,
};

/// 20 digits before the point hold any 64-bit integer, 18 behind it show what is not whole.
const WIDE: DataType = DataType::Decimal128(38, 18);
const ONE: i128 = 10i128.pow(18);
const UTC: &str = "+00:00";

/// The types that a text decoder is asked for instead. `exact_integers` is for JSON.
pub fn decoded(schema: &Schema, exact_integers: bool) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| renamed(field, &|data_type| decoded_type(data_type, exact_integers)));
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

fn decoded_type(data_type: &DataType, exact_integers: bool) -> DataType {
    let inner = |field: &FieldRef| renamed(field, &|data_type| decoded_type(data_type, exact_integers));
    match data_type {
        integer if exact_integers && integer.is_integer() => WIDE,
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(UTC.into())),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        other => other.clone(),
    }
}

fn renamed(field: &FieldRef, map: &impl Fn(&DataType) -> DataType) -> FieldRef {
    let data_type = map(field.data_type());
    if data_type == *field.data_type() { field.clone() } else { Arc::new(Field::clone(field).with_data_type(data_type)) }
}

/// Refuses zones that text without an offset would have to be understood in.
pub fn check_zone(data_type: &DataType) -> Result<(), String> {
    match data_type {
        DataType::Timestamp(_, Some(zone)) if !is_utc(zone) && Tz::from_str(zone).is_err() => {
            Err(format!("the zone {zone:?} cannot be read from text; state UTC or an offset such as +02:00"))
        }
        DataType::Timestamp(_, Some(zone)) if !is_utc(zone) && **zone != *UTC => {
            Err(format!("text is read in UTC, not in {zone:?}; state UTC, and convert the column afterwards"))
        }
        DataType::List(item) => check_zone(item.data_type()),
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check_zone(field.data_type())),
        _ => Ok(()),
    }
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "Z" | "Etc/UTC" | "utc")
}

/// A decoded batch under the types that were asked for. The error names the first row that does not fit, from 0.
pub fn settle(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, (usize, String)> {
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let settled = settle_all(batch, schema)
        .and_then(|columns| RecordBatch::try_new_with_options(schema.clone(), columns, &rows).map_err(|error| error.to_string()));
    settled.map_err(|why| {
        let fails = |row: &usize| settle_all(&batch.slice(*row, 1), schema).is_err();
        ((0..batch.num_rows()).find(fails).unwrap_or_default(), why)
    })
}

fn settle_all(batch: &RecordBatch, schema: &Schema) -> Result<Vec<ArrayRef>, String> {
    let columns = batch.columns().iter().zip(schema.fields());
    columns.map(|(array, field)| settle_one(array, field.data_type()).map_err(|why| format!("column {:?}: {why}", field.name()))).collect()
}

fn settle_one(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, String> {
    match (array.data_type(), wanted) {
        (is, wanted) if is == wanted => Ok(array.clone()),
        (is, integer) if *is == WIDE && integer.is_integer() => whole(array, integer),
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            let values = settle_one(list.values(), item.data_type())?;
            let list = ListArray::try_new(item.clone(), list.offsets().clone(), values, list.nulls().cloned());
            list.map(|list| Arc::new(list) as ArrayRef).map_err(|error| error.to_string())
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let parts = array.as_struct();
            let columns = parts.columns().iter().zip(fields).map(|(column, field)| settle_one(column, field.data_type()));
            let parts = StructArray::try_new(fields.clone(), columns.collect::<Result<_, _>>()?, parts.nulls().cloned());
            parts.map(|parts| Arc::new(parts) as ArrayRef).map_err(|error| error.to_string())
        }
        _ => strict_cast(array, wanted),
    }
}

fn whole(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, String> {
    let decimals = array.as_primitive::<Decimal128Type>();
    if let Some(row) = (0..decimals.len()).find(|&row| decimals.is_valid(row) && decimals.value(row) % ONE != 0) {
        let value = array_value_to_string(array, row).unwrap_or_default();
        let value = value.trim_end_matches('0');
        return Err(format!("{value} is no {}", super::type_names::show(wanted)));
    }
    let integers = decimals.iter().map(|value| value.map(|value| value / ONE));
    let outside = |value: i128| format!("{value} is no {}", super::type_names::show(wanted));
    if *wanted == DataType::UInt64 {
        let integers = integers.map(|value| value.map(|value| u64::try_from(value).map_err(|_| outside(value))).transpose());
        return Ok(Arc::new(integers.collect::<Result<UInt64Array, _>>()?));
    }
    let integers = integers.map(|value| value.map(|value| i64::try_from(value).map_err(|_| outside(value))).transpose());
    let integers: ArrayRef = Arc::new(integers.collect::<Result<Int64Array, _>>()?);
    strict_cast(&integers, wanted)
}

/// A batch as text is to hold it: instants in UTC.
pub fn in_utc(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let schema = decoded(batch.schema_ref(), false);
    if schema == *batch.schema_ref() {
        return Ok(batch.clone());
    }
    settle(batch, &schema).map_err(|error| error.1)
}

fn strict_cast(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, String> {
    // What Arrow calls safe answers null for a value that does not fit.
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, wanted, &strict).map_err(|error| error.to_string())
}
