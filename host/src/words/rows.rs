//! Rows out of columns by Arrow's kernels, where guests have made the columns and say which rows: kernels panic on some types, make others of
//! them, and reserve whatever they are asked for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::{
    array::{Array, ArrayRef, AsArray, OffsetSizeTrait, UInt32Array},
    compute::{FilterPredicate, take},
    datatypes::DataType,
    error::ArrowError,
};

/// The rows of a column that a predicate chooses.
pub fn filtered(column: &ArrayRef, predicate: &FilterPredicate) -> Result<ArrayRef, String> {
    sound(column, predicate.count(), || predicate.filter(column))
}

/// These rows of a column, which are there. What they weigh is for the caller to know beforehand.
pub fn taken(column: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef, String> {
    sound(column, rows.len(), || take(column, rows, None))
}

/// What a kernel made, if it is as many values of the same type.
fn sound(column: &ArrayRef, rows: usize, kernel: impl FnOnce() -> Result<ArrayRef, ArrowError>) -> Result<ArrayRef, String> {
    let data_type = column.data_type();
    let made = match catch_unwind(AssertUnwindSafe(kernel)) {
        Ok(made) => made.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("Arrow gave up on taking rows of {data_type}")),
    };
    // Of primitive types nothing else is made.
    if made.len() != rows || (!data_type.is_primitive() && made.data_type() != data_type) {
        return Err(format!("Arrow makes {} values of {} of {rows} rows of {data_type}", made.len(), made.data_type()));
    }
    Ok(made)
}

/// Bytes that these rows of a column will take, or be reserved for while they are taken: at least so many as long as a row is named again and again,
/// and about as many otherwise.
pub fn weight(column: &ArrayRef, rows: &[u32]) -> u64 {
    let count = rows.len() as u64;
    match column.data_type() {
        DataType::Null => 0,
        DataType::Boolean => count.div_ceil(8),
        DataType::Utf8 => spanned(column.as_string::<i32>().value_offsets(), rows),
        DataType::Binary => spanned(column.as_binary::<i32>().value_offsets(), rows),
        DataType::LargeUtf8 => spanned(column.as_string::<i64>().value_offsets(), rows),
        DataType::LargeBinary => spanned(column.as_binary::<i64>().value_offsets(), rows),
        // Their values are shared.
        DataType::Utf8View | DataType::BinaryView => count.saturating_mul(16),
        DataType::Dictionary(keys, _) => count.saturating_mul(keys.primitive_width().unwrap_or(8) as u64),
        DataType::FixedSizeBinary(width) => count.saturating_mul(u64::from(width.unsigned_abs())),
        DataType::Struct(_) => column.as_struct().columns().iter().fold(0, |sum: u64, child| sum.saturating_add(weight(child, rows))),
        other => match other.primitive_width() {
            Some(width) => count.saturating_mul(width as u64),
            None => nested(column, rows),
        },
    }
}

fn spanned<O: OffsetSizeTrait>(offsets: &[O], rows: &[u32]) -> u64 {
    let length = |row: &u32| (offsets[*row as usize + 1] - offsets[*row as usize]).as_usize() as u64;
    rows.iter().map(length).fold((rows.len() * size_of::<O>()) as u64, u64::saturating_add)
}

/// Lists and unions, whose children are taken by indices that are made for it: all of them for the row that is named most often, and for each
/// row as many as a row has on average of all that there are, which are reserved.
fn nested(column: &ArrayRef, rows: &[u32]) -> u64 {
    /// Bytes of the index of a child.
    const INDEX: u64 = 8;
    let data = column.to_data();
    let mut children: u64 = 0;
    let mut left = vec![&data];
    while let Some(data) = left.pop() {
        for child in data.child_data() {
            children = children.saturating_add(child.len() as u64);
            left.push(child);
        }
    }
    let all = (data.get_array_memory_size() as u64).saturating_add(children.saturating_mul(INDEX));
    let reserved = (children / (column.len().max(1) as u64) + 1).saturating_mul(INDEX);
    all.saturating_mul(most(rows)).max(reserved.saturating_mul(rows.len() as u64))
}

/// How often the row is named that is named most often.
fn most(rows: &[u32]) -> u64 {
    if rows.is_sorted_by(|one, next| one < next) {
        return u64::from(!rows.is_empty());
    }
    let mut times = vec![0_u32; rows.iter().max().map_or(0, |last| *last as usize + 1)];
    rows.iter().for_each(|row| times[*row as usize] += 1);
    times.into_iter().max().unwrap_or(0).into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{FixedSizeBinaryArray, FixedSizeListArray, Int32Array, LargeStringArray, ListArray, NullArray, RunArray, StructArray},
        buffer::Buffer,
        compute::FilterBuilder,
        datatypes::{Field, Int16Type, Int64Type},
    };

    use super::*;

    /// Protects against batches that are as long as a kernel makes them: these three Arrow takes for none or panics on.
    #[test]
    fn what_arrow_cannot_take_is_an_error() {
        let nothing: ArrayRef = Arc::new(FixedSizeBinaryArray::try_new_with_len(0, Buffer::from_vec(Vec::<u8>::new()), None, 10).unwrap());
        let rows = UInt32Array::from(vec![0, 1]);
        let mask = [true, false].repeat(5).into();
        for made in [taken(&nothing, &rows), filtered(&nothing, &FilterBuilder::new(&mask).build())] {
            assert!(made.as_ref().map_or(true, |made| [2, 5].contains(&made.len())), "{made:?}");
        }
        let null = Arc::new(Field::new("n", DataType::Null, false));
        let nulls: ArrayRef = Arc::new(unsafe { StructArray::new_unchecked(vec![null].into(), vec![Arc::new(NullArray::new(10))], None) });
        assert!(taken(&nulls, &rows).is_err());
        let runs: ArrayRef = Arc::new(RunArray::<Int16Type>::try_new(&vec![1_i16].into(), &Int32Array::from(vec![7])).unwrap());
        assert!(taken(&runs, &UInt32Array::from(vec![0; 40_000])).is_err());
    }

    /// Protects the host's memory from one row that is named again and again, and from lists of nothing that are long.
    #[test]
    fn what_is_taken_is_weighed_before() {
        let long: ArrayRef = Arc::new(LargeStringArray::from(vec!["x".repeat(1 << 20), "y".into()]));
        assert_eq!(weight(&long, &[1; 100]), 900);
        assert!(weight(&long, &[0; 1_000]) >= 1_000 << 20);
        let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1); 1_000]), None]));
        assert!(weight(&list, &[0; 1_000]) >= 8_000_000);
        assert!(weight(&list, &[0, 1]) < 64_000);
        let of_null = Arc::new(Field::new("item", DataType::Null, true));
        let nothing: ArrayRef = Arc::new(FixedSizeListArray::new(of_null, i32::MAX, Arc::new(NullArray::new(i32::MAX as usize)), None));
        assert!(weight(&nothing, &[0]) >= 8 << 30);
        assert_eq!((most(&[]), most(&[3, 5, 9]), most(&[3, 3, 1, 3])), (0, 1, 3));
    }
}
