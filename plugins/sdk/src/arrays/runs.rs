//! Run-end-encoded arrays without an offset. Arrow slices one by remembering the logical window and leaving the runs as
//! they are; what crosses has offset 0, so the runs are cut to the window.

use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::DataType;

/// The run ends and the values that cover exactly the window of `data`.
pub fn normalised(data: &ArrayData) -> (ArrayData, ArrayData) {
    let [run_ends, values] = data.child_data() else { unreachable!("a run-end-encoded array has two children") };
    let window = match run_ends.data_type() {
        DataType::Int16 => cut::<i16>(data, run_ends),
        DataType::Int32 => cut::<i32>(data, run_ends),
        _ => cut::<i64>(data, run_ends),
    };
    match window {
        None => (run_ends.clone(), values.clone()),
        Some((buffer, first, count)) => {
            let builder = ArrayData::builder(run_ends.data_type().clone()).len(count).add_buffer(buffer);
            // As many ends as the buffer was collected from.
            (unsafe { builder.build_unchecked() }, values.slice(first, count))
        }
    }
}

/// New run ends, the first run of the window and how many there are; nothing when the runs fit as they are.
fn cut<R: ArrowNativeType>(data: &ArrayData, run_ends: &ArrayData) -> Option<(Buffer, usize, usize)> {
    let (offset, len) = (data.offset(), data.len());
    let ends = ScalarBuffer::<R>::new(run_ends.buffers()[0].clone(), run_ends.offset(), run_ends.len());
    if offset == 0 && ends.last().map_or(0, |end| end.as_usize()) == len {
        return None;
    }
    if len == 0 {
        return Some((Buffer::from_vec(Vec::<R>::new()), 0, 0));
    }
    let first = ends.partition_point(|end| end.as_usize() <= offset);
    let last = ends.partition_point(|end| end.as_usize() < offset + len);
    let cut = ends[first..=last].iter().map(|end| R::usize_as(end.as_usize().min(offset + len) - offset));
    Some((Buffer::from_vec(cut.collect::<Vec<R>>()), first, last + 1 - first))
}
