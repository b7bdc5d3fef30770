//! Arrays of every type that Arrow has, always the same: row *n* holds a value made from *n*, every seventh row is null.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, FixedSizeBinaryArray, FixedSizeListArray, Int32Array, Int64Array, IntervalDayTimeArray,
        IntervalMonthDayNanoArray, IntervalYearMonthArray, ListArray, MapArray, NullArray, RunArray, StringArray, StructArray, UnionArray,
    },
    buffer::{NullBuffer, OffsetBuffer, ScalarBuffer},
    compute::cast,
    datatypes::{
        DataType, Field, Fields, Int32Type, IntervalDayTime, IntervalMonthDayNano, IntervalUnit, TimeUnit, UnionFields, UnionMode,
    },
};

use crate::words::batch::{RecordBatch, SchemaRef};

/// Every so manieth row is null.
const NULL_EVERY: usize = 7;
/// Values repeat after so many rows, so that keys do.
const DISTINCT: usize = 100;

/// A batch of so many rows.
pub fn batch(schema: &SchemaRef, rows: usize) -> RecordBatch {
    let column = |field: &Arc<Field>| array(field.data_type(), rows, field.is_nullable());
    let columns: Vec<ArrayRef> = schema.fields().iter().map(column).collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).expect("arrays of the schema's types")
}

/// An array of so many values.
pub fn array(data_type: &DataType, rows: usize, nullable: bool) -> ArrayRef {
    let nulls = nullable.then(|| NullBuffer::from_iter((0..rows).map(|row| row % NULL_EVERY != NULL_EVERY - 1)));
    let valid = move |row: usize| !nullable || row % NULL_EVERY != NULL_EVERY - 1;
    let number = |row: usize| (row % DISTINCT) as i64;
    let numbers: Int64Array = (0..rows).map(|row| valid(row).then(|| number(row))).collect();
    let numbers: ArrayRef = Arc::new(numbers);
    let texts =
        || -> ArrayRef { Arc::new((0..rows).map(|row| valid(row).then(|| format!("wort-{}", number(row)))).collect::<StringArray>()) };
    match data_type {
        DataType::Null => Arc::new(NullArray::new(rows)),
        DataType::Int64 => numbers,
        DataType::Boolean => Arc::new((0..rows).map(|row| valid(row).then_some(row % 2 == 1)).collect::<BooleanArray>()),
        DataType::Interval(IntervalUnit::YearMonth) => {
            Arc::new((0..rows).map(|row| valid(row).then(|| number(row) as i32)).collect::<IntervalYearMonthArray>())
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let value = |row| valid(row).then(|| IntervalDayTime::new(number(row) as i32, row as i32));
            Arc::new((0..rows).map(value).collect::<IntervalDayTimeArray>())
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = |row| valid(row).then(|| IntervalMonthDayNano::new(number(row) as i32, 1, row as i64));
            Arc::new((0..rows).map(value).collect::<IntervalMonthDayNanoArray>())
        }
        DataType::Utf8 => texts(),
        DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Dictionary(..) => cast(&texts(), data_type).expect("texts as this type"),
        DataType::FixedSizeBinary(width) => fixed_size_binary(*width, rows, valid),
        DataType::List(field) => {
            Arc::new(ListArray::new(Arc::clone(field), offsets(rows), array(field.data_type(), 2 * rows, field.is_nullable()), nulls))
        }
        DataType::LargeList(_) | DataType::ListView(_) | DataType::LargeListView(_) => lists_as(data_type, rows, nullable),
        DataType::FixedSizeList(field, size) => {
            let values = array(field.data_type(), rows * *size as usize, field.is_nullable());
            Arc::new(FixedSizeListArray::new(Arc::clone(field), *size, values, nulls))
        }
        DataType::Struct(fields) => structs(fields, rows, nulls),
        DataType::Map(field, sorted) => {
            let DataType::Struct(entries) = field.data_type() else { unreachable!("a map's entries are a struct") };
            Arc::new(MapArray::new(Arc::clone(field), offsets(rows), structs_array(entries, 2 * rows, None), nulls, *sorted))
        }
        DataType::RunEndEncoded(_, values) => {
            let ends: Int32Array = (1..=rows as i32).collect();
            Arc::new(RunArray::<Int32Type>::try_new(&ends, &array(values.data_type(), rows, values.is_nullable())).expect("a run a row"))
        }
        DataType::Union(fields, mode) => unions(fields, *mode, rows),
        // Numbers, decimals, dates, times: what a number can be cast to.
        other => {
            let narrow = || cast(&cast(&numbers, &DataType::Int32)?, other);
            cast(&numbers, other).or_else(|_| narrow()).unwrap_or_else(|error| panic!("numbers as {other}: {error}"))
        }
    }
}

/// Two values a row.
fn offsets(rows: usize) -> OffsetBuffer<i32> {
    OffsetBuffer::from_lengths(std::iter::repeat_n(2, rows))
}

fn fixed_size_binary(width: i32, rows: usize, valid: impl Fn(usize) -> bool) -> ArrayRef {
    let value = |row: usize| valid(row).then(|| vec![row as u8; width as usize]);
    Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size((0..rows).map(value), width).expect("values of one width"))
}

fn lists_as(data_type: &DataType, rows: usize, nullable: bool) -> ArrayRef {
    let (DataType::LargeList(field) | DataType::ListView(field) | DataType::LargeListView(field)) = data_type else {
        unreachable!("asked for lists only")
    };
    let lists = array(&DataType::List(Arc::clone(field)), rows, nullable);
    cast(&lists, data_type).expect("lists as other lists")
}

fn structs(fields: &Fields, rows: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(structs_array(fields, rows, nulls))
}

fn structs_array(fields: &Fields, rows: usize, nulls: Option<NullBuffer>) -> StructArray {
    let children = fields.iter().map(|field| array(field.data_type(), rows, field.is_nullable())).collect();
    StructArray::new(fields.clone(), children, nulls)
}

/// Children take turns.
fn unions(fields: &UnionFields, mode: UnionMode, rows: usize) -> ArrayRef {
    let ids: Vec<i8> = fields.iter().map(|(id, _)| id).collect();
    let types: ScalarBuffer<i8> = (0..rows).map(|row| ids[row % ids.len()]).collect();
    let (offsets, length): (Option<ScalarBuffer<i32>>, _) = match mode {
        UnionMode::Sparse => (None, rows),
        UnionMode::Dense => (Some((0..rows).map(|row| (row / ids.len()) as i32).collect()), rows.div_ceil(ids.len())),
    };
    let children = fields.iter().map(|(_, field)| array(field.data_type(), length, field.is_nullable())).collect();
    Arc::new(UnionArray::try_new(fields.clone(), types, offsets, children).expect("a union whose children take turns"))
}

/// Every type that the Arrow C data interface can name, nested ones with simple children, each with a short name.
pub fn types() -> Vec<(String, DataType)> {
    use DataType::*;
    let child = |data_type| Arc::new(Field::new("item", data_type, true));
    let entries = Fields::from(vec![Field::new("key", Int64, false), Field::new("value", Utf8, true)]);
    let members = Fields::from(vec![Field::new("a", Int64, true), Field::new("b", Utf8, true)]);
    let variants = UnionFields::try_new(vec![0, 5], vec![Field::new("n", Int64, true), Field::new("s", Utf8, true)]).expect("two variants");
    let mut types = vec![
        Null,
        Boolean,
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float16,
        Float32,
        Float64,
        Utf8,
        LargeUtf8,
        Utf8View,
        Binary,
        LargeBinary,
        BinaryView,
        FixedSizeBinary(5),
        Date32,
        Date64,
        Time32(TimeUnit::Second),
        Time32(TimeUnit::Millisecond),
        Time64(TimeUnit::Microsecond),
        Time64(TimeUnit::Nanosecond),
        Decimal32(9, 2),
        Decimal64(18, 2),
        Decimal128(38, 2),
        Decimal256(76, 2),
    ];
    for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
        types.extend([Timestamp(unit, None), Timestamp(unit, Some("Europe/Lisbon".into())), Duration(unit)]);
    }
    types.extend([IntervalUnit::YearMonth, IntervalUnit::DayTime, IntervalUnit::MonthDayNano].map(Interval));
    types.extend([
        List(child(Int64)),
        LargeList(child(Utf8)),
        FixedSizeList(child(Int64), 3),
        ListView(child(Int64)),
        LargeListView(child(Int64)),
        List(child(List(child(Utf8)))),
        Struct(members),
        Map(Arc::new(Field::new("entries", Struct(entries), false)), false),
        Dictionary(Box::new(Int8), Box::new(Utf8)),
        Dictionary(Box::new(Int32), Box::new(Utf8)),
        RunEndEncoded(Arc::new(Field::new("run_ends", Int32, false)), Arc::new(Field::new("values", Int64, true))),
        Union(variants.clone(), UnionMode::Sparse),
        Union(variants, UnionMode::Dense),
    ]);
    types.into_iter().map(|data_type| (data_type.to_string(), data_type)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a case that panics in the host instead of asking the guest.
    #[test]
    fn every_type_can_be_made() {
        for (name, data_type) in types() {
            for rows in [0, 1, 20] {
                let made = array(&data_type, rows, true);
                assert_eq!((made.len(), made.data_type()), (rows, &data_type), "{name}");
                made.to_data().validate_full().unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
}
