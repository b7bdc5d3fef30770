//! Answers that a guest might give: recipes, and arrays of every type, right in most and wrong in some places.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{Array as _, ArrayRef, FixedSizeBinaryArray, Int64Array, StringArray, new_null_array},
    buffer::Buffer,
    datatypes::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit, UnionFields, UnionMode},
};

use super::super::{
    contract::{Answer, ArraysOut, Column, Columns, Node, Output, Rejection, Rows},
    layout::{self, Values},
    recipe::{self, Outgoing},
};
use crate::words::{batch::RecordBatch, entropy::Entropy, limits::Limits, stage::Port};

fn nullable(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("x", data_type, true))
}

/// Types of every layout, and of some within others.
static TYPES: LazyLock<Vec<DataType>> = LazyLock::new(|| {
    let dictionary = |key: DataType| DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8));
    let pair = Fields::from(vec![Field::new("k", DataType::Utf8, false), Field::new("v", DataType::Int32, true)]);
    let entries = Arc::new(Field::new("entries", DataType::Struct(pair.clone()), false));
    let members = || UnionFields::try_new([0, 1], [Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8, true)]).unwrap();
    let mut types = vec![
        DataType::Null,
        DataType::Boolean,
        DataType::Int8,
        DataType::Int64,
        DataType::Float16,
        DataType::Float64,
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Binary,
        DataType::LargeBinary,
        DataType::Utf8View,
        DataType::BinaryView,
        DataType::FixedSizeBinary(3),
        DataType::FixedSizeBinary(0),
        DataType::Date32,
        DataType::Time64(TimeUnit::Nanosecond),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Decimal128(5, 2),
        DataType::Decimal256(60, 2),
        dictionary(DataType::Int8),
        dictionary(DataType::UInt64),
        DataType::Struct(pair),
        DataType::Map(entries, false),
        DataType::Union(members(), UnionMode::Sparse),
        DataType::Union(members(), UnionMode::Dense),
        DataType::RunEndEncoded(
            Arc::new(Field::new("run_ends", DataType::Int32, false)),
            Arc::new(Field::new("values", DataType::Utf8, true)),
        ),
    ];
    for within in [DataType::Int32, DataType::Utf8, DataType::Utf8View, dictionary(DataType::Int16), types[22].clone(), types[25].clone()] {
        types.extend([
            DataType::List(nullable(within.clone())),
            DataType::LargeList(nullable(within.clone())),
            DataType::ListView(nullable(within.clone())),
            DataType::LargeListView(nullable(within.clone())),
            DataType::FixedSizeList(nullable(within.clone()), 2),
            DataType::FixedSizeList(nullable(within), 0),
        ]);
    }
    types.push(DataType::List(nullable(DataType::List(nullable(DataType::Boolean)))));
    types
});

/// Frames of no row to 20.
static FRAMES: LazyLock<Vec<Arc<RecordBatch>>> = LazyLock::new(|| {
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8, true)]));
    let frame = |rows: i64| {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        let texts: ArrayRef = Arc::new(StringArray::from_iter((0..rows).map(|n| (n % 3 > 0).then(|| format!("text {n}")))));
        Arc::new(RecordBatch::try_new(Arc::clone(&schema), vec![numbers, texts]).unwrap())
    };
    [0, 1, 7, 8, 9, 20].map(frame).to_vec()
});

/// Frames of one column of every type, and of two that Arrow's kernels take otherwise than as they are.
static ODD: LazyLock<Vec<Arc<RecordBatch>>> = LazyLock::new(|| {
    let runs =
        DataType::RunEndEncoded(Arc::new(Field::new("ends", DataType::Int16, false)), Arc::new(Field::new("mine", DataType::Int32, true)));
    let nulls = TYPES.iter().chain([&runs]).flat_map(|data_type| [0, 1, 9].map(|rows| new_null_array(data_type, rows)));
    let nothing = FixedSizeBinaryArray::try_new_with_len(0, Buffer::from_vec(Vec::<u8>::new()), None, 9).unwrap();
    let frame = |column: ArrayRef| {
        let schema = Schema::new(vec![Field::new("c", column.data_type().clone(), true)]);
        Arc::new(RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap())
    };
    nulls.chain([Arc::new(nothing) as ArrayRef]).map(frame).collect()
});

/// Carries out one; what comes is what Arrow calls sound, and of the port's schema.
pub fn case(chance: &mut Entropy) -> Result<(), String> {
    let frames = if chance.once_in(2) { &ODD } else { &FRAMES };
    let frame = (!chance.once_in(8)).then(|| Arc::clone(chance.one(frames)));
    let limits = Limits { output_rows: 200, output_bytes: 20_000, outputs: 3, rejections: 10, reason: 5, ..Limits::default() };
    let untouched = frame.is_some() && chance.once_in(4);
    let fields = match (&frame, untouched) {
        (Some(frame), true) => frame.schema_ref().fields().clone(),
        _ => (0..1 + chance.below(3)).map(|_| Field::new("made", chance.one(&TYPES).clone(), !chance.once_in(5))).collect(),
    };
    let schema = match (&frame, untouched) {
        (Some(frame), true) => frame.schema(),
        _ => Arc::new(Schema::new(fields)),
    };
    let mut ports = [Outgoing::new(&Port { name: "out".into(), schema: Arc::clone(&schema) })];
    let rows = frame.as_ref().map_or(0, |frame| frame.num_rows());
    let outputs = if chance.once_in(40) { 4 } else { 1 + usize::from(chance.once_in(6)) };
    let outputs = (0..outputs).map(|_| output(chance, frame.as_deref(), &schema)).collect();
    let rejections = if chance.once_in(6) { chance.below(4) } else { 0 };
    let reason = |chance: &mut Entropy| "ä".repeat(chance.below(6));
    let rejections = (0..rejections).map(|_| Rejection { row: chance.below(rows + 2) as u32, reason: reason(chance) }).collect();
    let carried =
        recipe::carry_out(Answer { outputs, rejections }, frame.as_ref(), &mut ports, &limits).map_err(|error| error.to_string())?;
    for (_, batch) in &carried.transformed.outputs {
        assert_eq!(batch.schema_ref().fields(), schema.fields());
        for (column, field) in batch.columns().iter().zip(schema.fields()) {
            assert_eq!((column.len(), column.data_type()), (batch.num_rows(), field.data_type()));
            column.to_data().validate_full().expect("what was accepted is sound");
        }
        // Everything that a reader may do with a value.
        assert!(!format!("{batch:?}").is_empty());
    }
    assert!(carried.rows_kept as usize + carried.transformed.rejections.len() <= rows);
    Ok(())
}

fn output(chance: &mut Entropy, frame: Option<&RecordBatch>, schema: &Schema) -> Output {
    let of = frame.map_or(0, RecordBatch::num_rows);
    let (rows, count) = match chance.below(if frame.is_some() { 8 } else { 20 }) {
        0..=2 => (Rows::All, of),
        3 | 4 => {
            let length = of.div_ceil(8) - usize::from(of > 0 && chance.once_in(12));
            let bits: Vec<u8> = (0..length).map(|_| chance.bits() as u8).collect();
            let count = (0..of).filter(|row| bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)).count();
            (Rows::Bitmap(bits), count)
        }
        5 => {
            let most = of + usize::from(chance.once_in(12));
            let count = if most == 0 { 0 } else { chance.below(30) };
            (Rows::Indices((0..count).map(|_| chance.below(most) as u32).collect()), count)
        }
        _ => {
            let count = chance.below(20);
            (Rows::Fresh(if chance.once_in(30) { chance.bits() } else { count as u64 }), count)
        }
    };
    let fresh = matches!(rows, Rows::Fresh(_));
    let mut made = ArraysOut::default();
    let same = frame.is_some_and(|frame| frame.schema_ref().fields() == schema.fields());
    let columns = match same && !fresh && chance.once_in(2) {
        true => Columns::Untouched,
        false => {
            let column = |(at, field): (usize, &Arc<Field>)| match (same && !fresh && chance.once_in(2)) || chance.once_in(25) {
                true => Column::Input(if chance.once_in(12) { chance.below(5) as u32 } else { at as u32 }),
                false => {
                    push(chance, field.data_type(), field.is_nullable(), count, &mut made);
                    Column::Made
                }
            };
            Columns::Each(schema.fields().iter().enumerate().map(column).collect())
        }
    };
    if chance.once_in(3) {
        (0..=chance.below(2)).for_each(|_| spoil(chance, &mut made));
    }
    Output { port: u32::from(chance.once_in(60)), rows, columns, made }
}

/// An array as it should be.
fn push(chance: &mut Entropy, data_type: &DataType, nullable: bool, length: usize, made: &mut ArraysOut) {
    let layout = layout::of(data_type);
    let at = made.nodes.len();
    made.nodes.push(Node { length: length as u64, null_count: 0, variadic: 0 });
    if layout.validity {
        let bits: Vec<u8> =
            if nullable && chance.once_in(2) { (0..length.div_ceil(8)).map(|_| chance.bits() as u8).collect() } else { vec![] };
        if !bits.is_empty() {
            made.nodes[at].null_count = (0..length).filter(|row| bits[row / 8] >> (row % 8) & 1 == 0).count() as u64;
        }
        made.buffers.push(bits);
    }
    let number = |value: usize, width: usize| (value as u64).to_le_bytes()[..width].to_vec();
    let mut inner = length;
    match layout.values {
        Values::Nothing => {}
        Values::Bits => made.buffers.push((0..length.div_ceil(8)).map(|_| chance.bits() as u8).collect()),
        Values::Fixed(width) => {
            inner = 1 + chance.below(4);
            let small =
                matches!(data_type, DataType::Dictionary(..) | DataType::Decimal128(..) | DataType::Decimal256(..) | DataType::Time64(_));
            let value = |chance: &mut Entropy| match small {
                true => number(chance.below(inner), width.min(8)).into_iter().chain(std::iter::repeat(0)).take(width).collect::<Vec<u8>>(),
                false => (0..width).map(|_| chance.bits() as u8).collect(),
            };
            made.buffers.push((0..length).flat_map(|_| value(chance)).collect());
        }
        Values::Bytes(width) | Values::Offsets(width) => {
            let ends = ascending(chance, length);
            inner = *ends.last().unwrap_or(&0);
            made.buffers.push(std::iter::once(0).chain(ends).flat_map(|end| number(end, width)).collect());
            if matches!(layout.values, Values::Bytes(_)) {
                made.buffers.push((0..inner).map(|_| b'a' + chance.below(26) as u8).collect());
            }
        }
        Values::OffsetsAndSizes(width) => {
            inner = 8;
            made.buffers.push((0..length).flat_map(|_| number(chance.below(5), width)).collect());
            made.buffers.push((0..length).flat_map(|_| number(chance.below(4), width)).collect());
        }
        Values::Views => {
            let data = (0..40).map(|at| b'a' + at % 26).collect::<Vec<u8>>();
            let view = |chance: &mut Entropy| match chance.below(3) {
                0 => [number(20, 4), data[3..7].to_vec(), number(0, 4), number(3, 4)].concat(),
                _ => {
                    let length = chance.below(13);
                    [number(length, 4), data[..length].to_vec(), vec![0; 12 - length]].concat()
                }
            };
            made.nodes[at].variadic = 1;
            made.buffers.push((0..length).flat_map(|_| view(chance)).collect());
            made.buffers.push(data.clone());
        }
        Values::TypeIds => made.buffers.push((0..length).map(|_| chance.below(2) as u8).collect()),
        Values::TypeIdsAndOffsets => {
            inner = 4;
            made.buffers.push((0..length).map(|_| chance.below(2) as u8).collect());
            made.buffers.push((0..length).flat_map(|_| number(chance.below(4), 4)).collect());
        }
    }
    match data_type {
        DataType::FixedSizeList(child, size) => push(chance, child.data_type(), true, length * *size as usize, made),
        DataType::RunEndEncoded(_, values) => {
            // One run for each value.
            made.nodes.push(Node { length: length as u64, null_count: 0, variadic: 0 });
            made.buffers.push(vec![]);
            made.buffers.push((1..=length).flat_map(|end| number(end, 4)).collect());
            push(chance, values.data_type(), true, length, made);
        }
        DataType::Struct(fields) => fields.iter().for_each(|field| push(chance, field.data_type(), field.is_nullable(), inner, made)),
        DataType::Map(..) => layout::children(data_type).into_iter().for_each(|child| push(chance, child, false, inner, made)),
        _ => layout::children(data_type).into_iter().for_each(|child| push(chance, child, true, inner, made)),
    }
}

fn ascending(chance: &mut Entropy, length: usize) -> Vec<usize> {
    (0..length)
        .scan(0, |end, _| {
            *end += chance.below(4);
            Some(*end)
        })
        .collect()
}

/// Makes something wrong of it.
fn spoil(chance: &mut Entropy, made: &mut ArraysOut) {
    let (nodes, buffers) = (made.nodes.len().max(1), made.buffers.len().max(1));
    let (node, buffer) = (chance.below(nodes), chance.below(buffers));
    let odd = [0, 1, 2, 255, 1 << 31, u64::MAX, 1 << 40, i64::MAX as u64];
    match (chance.below(8), made.nodes.get_mut(node), made.buffers.get_mut(buffer)) {
        (0, Some(node), _) => node.length = *chance.one(&odd),
        (1, Some(node), _) => node.null_count = *chance.one(&odd),
        (2, Some(node), _) => node.variadic = *chance.one(&odd[..5]) as u32,
        (3, _, Some(buffer)) => chance.mutate(buffer, 400),
        (4, _, Some(buffer)) if !buffer.is_empty() => {
            let at = chance.below(buffer.len());
            buffer[at] = *chance.one(&[0, 1, 0x7f, 0x80, 0xff, 0xc3]);
        }
        (5, _, Some(_)) => drop(made.buffers.remove(buffer)),
        (6, Some(_), _) => {
            made.nodes.remove(node);
        }
        _ => made.buffers.insert(buffer.min(made.buffers.len()), vec![0; chance.below(20)]),
    }
}
