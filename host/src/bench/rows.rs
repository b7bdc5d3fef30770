//! Rows that were captured, in batches of any size.

use std::sync::Arc;

use arrow::{
    array::UInt32Array,
    compute::{concat_batches, take_record_batch},
    error::ArrowError,
};

use crate::words::batch::RecordBatch;

/// Batches of one size are so many at most, in turn: a stage shall not find the same rows in its caches every time.
const DISTINCT: usize = 4;

/// Batches of one size, each with the input that it comes by.
pub struct Batches {
    batches: Vec<(u32, Arc<RecordBatch>)>,
    /// Rows of each.
    pub rows: usize,
    /// Whether there were fewer rows than that, so that they were repeated.
    pub repeated: bool,
}

impl Batches {
    /// The batch that has this turn.
    pub fn nth(&self, turn: u64) -> (u32, &Arc<RecordBatch>) {
        let (input, batch) = &self.batches[(turn % self.batches.len() as u64) as usize];
        (*input, batch)
    }
}

/// Batches of so many rows, of what came by each input. Nothing if no row did.
pub fn batches(inputs: &[Vec<Arc<RecordBatch>>], rows: usize) -> Result<Option<Batches>, ArrowError> {
    let mut made = Batches { batches: Vec::new(), rows, repeated: false };
    for (input, captured) in inputs.iter().enumerate() {
        let Some(first) = captured.first() else { continue };
        let all = concat_batches(first.schema_ref(), captured.iter().map(AsRef::as_ref))?;
        if all.num_rows() == 0 {
            continue;
        }
        let distinct = (all.num_rows() / rows).clamp(1, DISTINCT);
        made.repeated |= all.num_rows() < rows;
        for number in 0..distinct {
            // Copied, so that a batch has buffers of its own and no more in them than its rows.
            let chosen = UInt32Array::from_iter_values((0..rows).map(|row| ((number * rows + row) % all.num_rows()) as u32));
            made.batches.push((input as u32, Arc::new(take_record_batch(&all, &chosen)?)));
        }
    }
    Ok((!made.batches.is_empty()).then_some(made))
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{ArrayRef, AsArray as _, Int64Array},
        datatypes::Int64Type,
    };

    use super::*;

    fn captured(values: std::ops::Range<i64>) -> Vec<Arc<RecordBatch>> {
        let column = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
        let values: Vec<i64> = values.collect();
        values.chunks(7).map(|chunk| Arc::new(RecordBatch::try_from_iter([("n", column(chunk))]).unwrap())).collect()
    }

    fn first(batches: &Batches, turn: u64) -> (u32, i64, usize) {
        let (input, batch) = batches.nth(turn);
        (input, batch.column(0).as_primitive::<Int64Type>().value(0), batch.num_rows())
    }

    /// Protects against rows that are measured and were never there, and against batches that drag others' rows along.
    #[test]
    fn batches_have_the_rows_that_were_captured() {
        let made = batches(&[captured(0..100)], 20).unwrap().unwrap();
        assert!(!made.repeated);
        assert_eq!([0, 1, 2, 3, 4].map(|turn| first(&made, turn)), [(0, 0, 20), (0, 20, 20), (0, 40, 20), (0, 60, 20), (0, 0, 20)]);
        // Fewer than asked for: repeated, and said so. Two inputs take turns; one by which nothing came is left out.
        let made = batches(&[captured(0..5), Vec::new(), captured(50..53)], 12).unwrap().unwrap();
        assert!(made.repeated);
        assert_eq!([0, 1, 2].map(|turn| first(&made, turn)), [(0, 0, 12), (2, 50, 12), (0, 0, 12)]);
        assert_eq!(made.nth(0).1.column(0).as_primitive::<Int64Type>().values()[..7], [0, 1, 2, 3, 4, 0, 1]);
        assert!(batches(&[Vec::new()], 1).unwrap().is_none());
    }
}
