//! Arrays into the guest: offsets become 0, buffers stay Arrow's own until `crossing` copies them.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayData, ArrayRef, AsArray, BinaryViewArray, StringViewArray, downcast_primitive_array, make_array},
    buffer::{Buffer, NullBuffer, OffsetBuffer, RunEndBuffer},
    datatypes::{ArrowNativeType, DataType, Int16Type, Int32Type, Int64Type, RunEndIndexType},
};

use super::{
    contract::{ArraysIn, Node},
    layout::{self, Values},
};

/// Adds a column to the arrays that go into the guest. Answers the bytes that this will copy.
pub fn push(column: &ArrayRef, arrays: &mut ArraysIn) -> u64 {
    let before = arrays.buffers.len();
    node(column, arrays);
    arrays.buffers[before..].iter().flatten().map(|buffer| buffer.len() as u64).sum()
}

fn node(array: &ArrayRef, arrays: &mut ArraysIn) {
    // The common case first, without going through `ArrayData`.
    downcast_primitive_array! {
        array => primitive(array.nulls(), array.values().inner(), array.len(), arrays),
        _ => other(array, arrays),
    }
}

fn primitive(nulls: Option<&NullBuffer>, values: &Buffer, length: usize, arrays: &mut ArraysIn) {
    begin(length, nulls, 0, arrays);
    arrays.buffers.push(view(values.clone()));
}

/// Opens a node: its lengths, and its validity bitmap.
fn begin(length: usize, nulls: Option<&NullBuffer>, variadic: u32, arrays: &mut ArraysIn) {
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    arrays.nodes.push(Node { length: length as u64, null_count: nulls.map_or(0, |nulls| nulls.null_count()) as u64, variadic });
    arrays.buffers.push(nulls.map(|nulls| nulls.inner().sliced()));
}

fn view(buffer: Buffer) -> Option<Buffer> {
    if buffer.is_empty() { None } else { Some(buffer) }
}

fn other(array: &ArrayRef, arrays: &mut ArraysIn) {
    match array.data_type() {
        DataType::Boolean => {
            let array = array.as_boolean();
            begin(array.len(), array.nulls(), 0, arrays);
            arrays.buffers.push(view(array.values().sliced()));
        }
        DataType::Utf8 => bytes(array.as_string::<i32>().offsets(), array.as_string::<i32>().values(), array, arrays),
        DataType::LargeUtf8 => bytes(array.as_string::<i64>().offsets(), array.as_string::<i64>().values(), array, arrays),
        DataType::Binary => bytes(array.as_binary::<i32>().offsets(), array.as_binary::<i32>().values(), array, arrays),
        DataType::LargeBinary => bytes(array.as_binary::<i64>().offsets(), array.as_binary::<i64>().values(), array, arrays),
        DataType::List(_) => list(array.as_list::<i32>().offsets(), array.as_list::<i32>().values(), array, arrays),
        DataType::LargeList(_) => list(array.as_list::<i64>().offsets(), array.as_list::<i64>().values(), array, arrays),
        DataType::Map(..) => {
            let map = array.as_map();
            list(map.offsets(), &(Arc::new(map.entries().clone()) as ArrayRef), array, arrays);
        }
        DataType::Utf8View => views(Arc::new(compact(array.as_string_view(), StringViewArray::gc)), arrays),
        DataType::BinaryView => views(Arc::new(compact(array.as_binary_view(), BinaryViewArray::gc)), arrays),
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array, arrays),
            DataType::Int32 => runs::<Int32Type>(array, arrays),
            _ => runs::<Int64Type>(array, arrays),
        },
        _ => by_layout(array, arrays),
    }
}

/// Strings and binary: the offsets begin at 0, and only the bytes they span go in.
fn bytes<O: arrow::array::OffsetSizeTrait>(offsets: &OffsetBuffer<O>, values: &Buffer, array: &ArrayRef, arrays: &mut ArraysIn) {
    begin(array.len(), array.nulls(), 0, arrays);
    let span = push_offsets(offsets, arrays);
    arrays.buffers.push(view(values.slice_with_length(span.start, span.len())));
}

/// Lists and maps: likewise, with a child instead of bytes.
fn list<O: arrow::array::OffsetSizeTrait>(offsets: &OffsetBuffer<O>, child: &ArrayRef, array: &ArrayRef, arrays: &mut ArraysIn) {
    begin(array.len(), array.nulls(), 0, arrays);
    let span = push_offsets(offsets, arrays);
    node(&child.slice(span.start, span.len()), arrays);
}

/// Adds offsets moved to begin at 0; answers the range of values that they span.
fn push_offsets<O: arrow::array::OffsetSizeTrait>(offsets: &OffsetBuffer<O>, arrays: &mut ArraysIn) -> Range<usize> {
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    let buffer = match first.as_usize() {
        0 => offsets.inner().inner().clone(),
        _ => Buffer::from_iter(offsets.iter().map(|offset| *offset - first)),
    };
    arrays.buffers.push(view(buffer));
    first.as_usize()..last.as_usize()
}

/// A slice of a view array keeps all data buffers of the whole; collect what it really shows when that is far less.
fn compact<T: arrow::datatypes::ByteViewType + ?Sized>(
    array: &arrow::array::GenericByteViewArray<T>,
    gc: impl Fn(&arrow::array::GenericByteViewArray<T>) -> arrow::array::GenericByteViewArray<T>,
) -> arrow::array::GenericByteViewArray<T> {
    let held: usize = array.data_buffers().iter().map(|buffer| buffer.len()).sum();
    if held > 4096 && held > 2 * array.total_buffer_bytes_used() { gc(array) } else { array.clone() }
}

fn views(array: ArrayRef, arrays: &mut ArraysIn) {
    let data = array.to_data();
    begin(array.len(), array.nulls(), data.buffers().len() as u32 - 1, arrays);
    let views = data.buffers()[0].slice_with_length(data.offset() * 16, data.len() * 16);
    arrays.buffers.push(view(views));
    arrays.buffers.extend(data.buffers()[1..].iter().map(|buffer| view(buffer.clone())));
}

/// Run-end-encoded: a slice begins in the middle of a run, so the run ends are counted anew from there.
fn runs<R: RunEndIndexType>(array: &ArrayRef, arrays: &mut ArraysIn) {
    let array = array.as_run::<R>();
    let ends: &RunEndBuffer<R::Native> = array.run_ends();
    let (offset, length) = (ends.offset(), ends.len());
    let (first, last) = match length {
        0 => (0, 0),
        _ => (ends.get_start_physical_index(), ends.get_end_physical_index() + 1),
    };
    let counted = ends.values()[first..last].iter().map(|end| {
        let end = (end.as_usize() - offset).min(length);
        R::Native::usize_as(end)
    });
    let counted: Buffer = Buffer::from_iter(counted);
    // Neither the array nor its run ends have a validity bitmap of their own; the run ends' is listed, and absent.
    arrays.nodes.push(Node { length: length as u64, null_count: 0, variadic: 0 });
    begin(last - first, None, 0, arrays);
    arrays.buffers.push(view(counted));
    node(&array.values().slice(first, last - first), arrays);
}

/// Everything else, from `ArrayData`: types whose slices are plain ranges.
fn by_layout(array: &ArrayRef, arrays: &mut ArraysIn) {
    let data = array.to_data();
    let layout = layout::of(data.data_type());
    if layout.validity {
        begin(data.len(), data.nulls(), 0, arrays);
    } else {
        arrays.nodes.push(Node { length: data.len() as u64, null_count: 0, variadic: 0 });
    }
    let widths: &[usize] = match layout.values {
        Values::Fixed(width) => &[width],
        Values::OffsetsAndSizes(width) => &[width, width],
        Values::TypeIds => &[1],
        Values::TypeIdsAndOffsets => &[1, 4],
        _ => &[],
    };
    for (buffer, width) in data.buffers().iter().zip(widths) {
        arrays.buffers.push(view(buffer.slice_with_length(data.offset() * width, data.len() * width)));
    }
    for child in shown_children(array, &data) {
        node(&child, arrays);
    }
}

/// The children as far as the array shows them.
fn shown_children(array: &ArrayRef, data: &ArrayData) -> Vec<ArrayRef> {
    match data.data_type() {
        // Arrow slices a struct's and a sparse union's children with their parent.
        DataType::Struct(_) => array.as_struct().columns().to_vec(),
        DataType::Union(fields, _) => fields.iter().map(|(id, _)| array.as_union().child(id).clone()).collect(),
        DataType::FixedSizeList(_, size) => {
            let list = array.as_fixed_size_list();
            let start = list.value_offset(0) as usize;
            vec![list.values().slice(start, list.len() * *size as usize)]
        }
        _ => data.child_data().iter().map(|child| make_array(child.clone())).collect(),
    }
}
