//! Every Arrow type crosses into a guest and back unchanged, with nulls, slices and nesting; the others are refused by
//! column and type. Protects against silent changes at the boundary, the worst thing it could do.

use std::sync::Arc;

use arrow::{
    array::*,
    buffer::{NullBuffer, OffsetBuffer, ScalarBuffer},
    compute::cast,
    datatypes::*,
};
use parshall::words::{call::CallError, stage::Component as _};
use serde_json::json;

use crate::components;

/// 40 rows with a null in every third, so that slices begin within a byte of the bitmap.
const ROWS: usize = 40;

fn nulls() -> NullBuffer {
    (0..ROWS).map(|row| row % 3 != 0).collect()
}

fn integers() -> ArrayRef {
    Arc::new(Int64Array::new((0..ROWS as i64).map(|n| n % 12).collect(), Some(nulls())))
}

fn strings() -> StringArray {
    (0..ROWS).map(|row| (row % 3 != 0).then(|| "ä".repeat(row % 7) + &"x".repeat(row))).collect()
}

/// Casts, for the types that integers or strings turn into.
fn as_type(array: &ArrayRef, data_type: &DataType) -> ArrayRef {
    cast(array, data_type).unwrap_or_else(|error| panic!("{data_type}: {error}"))
}

fn primitives() -> Vec<ArrayRef> {
    use DataType::*;
    let units = [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
    let mut types = vec![Boolean, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64, Float16, Float32, Float64, Date64];
    types.extend(units.iter().map(|unit| Timestamp(*unit, None)));
    types.extend(units.iter().map(|unit| Timestamp(*unit, Some("Europe/Berlin".into()))));
    types.extend(units.iter().map(|unit| Duration(*unit)));
    types.extend([Time64(TimeUnit::Microsecond), Time64(TimeUnit::Nanosecond)]);
    types.extend([Decimal32(9, 2), Decimal64(18, 3), Decimal128(38, 10), Decimal256(76, 20), Decimal128(10, -2)]);
    let mut arrays: Vec<_> = types.iter().map(|data_type| as_type(&integers(), data_type)).collect();
    let small = as_type(&integers(), &Int32);
    arrays.extend([Date32, Time32(TimeUnit::Second), Time32(TimeUnit::Millisecond)].iter().map(|data_type| as_type(&small, data_type)));
    arrays.push(Arc::new(IntervalYearMonthArray::new((0..ROWS as i32).collect(), Some(nulls()))));
    arrays.push(Arc::new((0..ROWS).map(|n| (n % 3 != 0).then(|| IntervalDayTime::new(n as i32, -1))).collect::<IntervalDayTimeArray>()));
    arrays.push(Arc::new(
        (0..ROWS).map(|n| (n % 3 != 0).then(|| IntervalMonthDayNano::new(1, n as i32, -5))).collect::<IntervalMonthDayNanoArray>(),
    ));
    arrays
}

fn bytes() -> Vec<ArrayRef> {
    use DataType::*;
    let strings: ArrayRef = Arc::new(strings());
    let mut arrays: Vec<_> =
        [Utf8, LargeUtf8, Utf8View, Binary, LargeBinary, BinaryView].iter().map(|data_type| as_type(&strings, data_type)).collect();
    let fixed = FixedSizeBinaryArray::try_from_sparse_iter_with_size((0..ROWS).map(|n| (n % 3 != 0).then_some([n as u8; 5])), 5);
    arrays.push(Arc::new(fixed.unwrap()));
    arrays
}

fn nested() -> Vec<ArrayRef> {
    let item = |array: &ArrayRef| Arc::new(Field::new("item", array.data_type().clone(), true));
    let values: ArrayRef = Arc::new(strings());
    // Lists of 0, 1, 2, 0, 1, 2 … strings.
    let lengths = (0..ROWS).map(|row| row % 3).scan(0, |used, wanted| {
        let length = wanted.min(ROWS - *used);
        *used += length;
        Some(length)
    });
    let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
    let list = ListArray::new(item(&values), offsets.clone(), Arc::clone(&values), Some(nulls()));
    let large = OffsetBuffer::<i64>::from_lengths(offsets.lengths());
    let list_of_lists: ArrayRef = Arc::new(ListArray::new(
        item(&(Arc::new(list.clone()) as ArrayRef)),
        OffsetBuffer::from_lengths((0..ROWS).map(|row| usize::from(row < 30))),
        Arc::new(list.clone()),
        None,
    ));
    let pair = StructArray::new(
        vec![Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8, true)].into(),
        vec![integers(), Arc::clone(&values)],
        Some(nulls()),
    );
    let thrice = as_type(&(Arc::new(Int32Array::from_iter_values(0..3 * ROWS as i32)) as ArrayRef), &DataType::Int32);
    let starts: ScalarBuffer<i32> = (0..ROWS as i32).map(|row| (row * 7) % 30).collect();
    let sizes: ScalarBuffer<i32> = (0..ROWS as i32).map(|row| row % 5).collect();
    vec![
        Arc::new(list.clone()),
        Arc::new(LargeListArray::new(item(&values), large, Arc::clone(&values), Some(nulls()))),
        list_of_lists,
        Arc::new(FixedSizeListArray::new(item(&thrice), 3, thrice, Some(nulls()))),
        Arc::new(ListViewArray::new(item(&values), starts.clone(), sizes.clone(), Arc::clone(&values), Some(nulls()))),
        Arc::new(LargeListViewArray::new(
            item(&values),
            starts.iter().map(|n| i64::from(*n)).collect(),
            sizes.iter().map(|n| i64::from(*n)).collect(),
            Arc::clone(&values),
            None,
        )),
        Arc::new(StructArray::new(
            vec![Field::new("pair", pair.data_type().clone(), true), Field::new("lists", list.data_type().clone(), true)].into(),
            vec![Arc::new(pair.clone()), Arc::new(list)],
            None,
        )),
        map(),
        Arc::new(pair),
    ]
}

fn map() -> ArrayRef {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for row in 0..ROWS {
        for key in 0..row % 4 {
            builder.keys().append_value(format!("k{key}"));
            builder.values().append_option((key != 2).then_some(row as i64));
        }
        builder.append(row % 5 != 0).unwrap();
    }
    Arc::new(builder.finish())
}

fn encoded() -> Vec<ArrayRef> {
    let words: ArrayRef = Arc::new((0..ROWS).map(|n| (n % 3 != 0).then(|| format!("w{}", n % 4))).collect::<StringArray>());
    let keys = [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
    ];
    let mut arrays: Vec<_> =
        keys.into_iter().map(|key| as_type(&words, &DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8)))).collect();
    let ends = Int32Array::from(vec![3, 10, 11, 25, ROWS as i32]);
    let runs = StringArray::from(vec![Some("a"), None, Some("c"), Some("d"), None]);
    arrays.push(Arc::new(RunArray::try_new(&ends, &runs).unwrap()));
    let ends = Int16Array::from(vec![20, ROWS as i16]);
    arrays.push(Arc::new(RunArray::try_new(&ends, &Float64Array::from(vec![0.5, -0.0])).unwrap()));
    arrays.extend(unions());
    arrays.push(Arc::new(NullArray::new(ROWS)));
    arrays
}

fn unions() -> Vec<ArrayRef> {
    let fields = UnionFields::try_new(vec![1, 5], vec![Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8, true)]);
    let fields = fields.unwrap();
    let ids: ScalarBuffer<i8> = (0..ROWS).map(|row| if row % 2 == 0 { 1 } else { 5 }).collect();
    let offsets: ScalarBuffer<i32> = (0..ROWS as i32).map(|row| row / 2).collect();
    let children = || vec![integers(), Arc::new(strings()) as ArrayRef];
    vec![
        Arc::new(UnionArray::try_new(fields.clone(), ids.clone(), None, children()).unwrap()),
        Arc::new(UnionArray::try_new(fields, ids, Some(offsets), children()).unwrap()),
    ]
}

/// A batch with a column of every type that crosses.
fn every_type() -> RecordBatch {
    let columns: Vec<_> = [primitives(), bytes(), nested(), encoded()].concat();
    let fields: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let metadata = [("unit".to_string(), format!("u{index}"))].into();
            Field::new(format!("c{index} {}", column.data_type()), column.data_type().clone(), true).with_metadata(metadata)
        })
        .collect();
    let schema = Schema::new_with_metadata(fields, [("origin".to_string(), "test".to_string())].into());
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

/// Sends a batch through a guest that re-makes every column, and compares.
fn survives(batch: RecordBatch, what: &str) {
    let schema = batch.schema();
    let (mut remake, ports) = components::transform("testing/remake", json!({}), &schema);
    assert_eq!(ports[0].schema, schema, "{what}: the schema comes back as it went in");
    let call = remake.process(0, &Arc::new(batch.clone()));
    let made = call.usage.origins[0].columns.iter().all(|origin| *origin == parshall::words::usage::Origin::Made);
    assert!(made, "{what}: every column was made by the guest");
    let back = components::only_batch(call);
    assert_eq!(back.num_rows(), batch.num_rows(), "{what}");
    for (index, field) in schema.fields().iter().enumerate() {
        let (before, after) = (batch.column(index), back.column(index));
        after.to_data().validate_full().unwrap_or_else(|error| panic!("{what}: column {}: {error}", field.name()));
        assert_eq!(before.as_ref(), after.as_ref(), "{what}: column {}", field.name());
    }
}

#[test]
fn every_type_comes_back_unchanged() {
    survives(every_type(), "whole");
}

#[test]
fn slices_come_back_unchanged() {
    // Offsets within a byte, at a byte, one row, and the tail.
    for (offset, length) in [(3, 20), (8, 16), (13, 1), (17, 23), (39, 1)] {
        survives(every_type().slice(offset, length), &format!("rows {offset}..{}", offset + length));
    }
}

#[test]
fn slices_of_slices_come_back_unchanged() {
    survives(every_type().slice(5, 30).slice(4, 11), "slice of a slice");
}

#[test]
fn empty_batches_come_back_unchanged() {
    survives(every_type().slice(7, 0), "empty slice");
    survives(RecordBatch::new_empty(every_type().schema()), "empty");
}

#[test]
fn all_null_columns_come_back_unchanged() {
    let schema = every_type().schema();
    let columns = schema.fields().iter().map(|field| new_null_array(field.data_type(), 9)).collect();
    survives(RecordBatch::try_new(schema, columns).unwrap(), "all null");
}

#[test]
fn a_batch_without_columns_keeps_its_rows() {
    let options = RecordBatchOptions::new().with_row_count(Some(12));
    survives(RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap(), "no columns");
}

/// The types that the C data interface cannot say, or says as something else: refused at `open`, never changed.
#[test]
fn what_cannot_cross_is_refused_by_column_and_type() {
    let dictionary = |values: DataType| DataType::Dictionary(Box::new(DataType::Float32), Box::new(values));
    let refused = [
        (DataType::Timestamp(TimeUnit::Second, Some("".into())), "a time zone without a name would become no time zone"),
        (dictionary(DataType::Utf8), "floats cannot be keys"),
        (DataType::FixedSizeBinary(-1), "negative width"),
        (DataType::List(Arc::new(Field::new("item", DataType::Timestamp(TimeUnit::Second, Some("".into())), true))), "nested"),
    ];
    let remake = components::load("testing/remake");
    for (data_type, why) in refused {
        let schema = Arc::new(Schema::new(vec![Field::new("fine", DataType::Int64, true), Field::new("odd", data_type.clone(), true)]));
        let error = remake.open_transform(&components::opening(json!({}), &[schema])).outcome.err().expect(why);
        let CallError::Stage(parshall::words::call::StageError::Schema { column, message }) = &error else { panic!("{why}: {error}") };
        assert_eq!(column.as_deref(), Some("odd"), "{why}");
        assert!(message.contains(&data_type.to_string()), "{why}: {message}");
    }
}
