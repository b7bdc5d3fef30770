//! A filter over Arrow IPC, the way everyone else does it: for the benchmark.

use std::io::Cursor;

use arrow_array::{Int64Array, RecordBatch};
use arrow_ipc::{reader::StreamReader, writer::StreamWriter};
use arrow_ord::cmp::gt;
use arrow_select::filter::filter_record_batch;

wit_bindgen::generate!({ world: "ipc", path: "wit" });

struct Ipc;

impl Guest for Ipc {
    fn run(batch: Vec<u8>) -> Vec<u8> {
        filtered(batch)
    }
}

/// The positive rows of a stream, as a stream.
fn filtered(stream: Vec<u8>) -> Vec<u8> {
    // About as much leaves as enters: growing on the way would be measured too.
    let room = Vec::with_capacity(stream.len());
    let reader = StreamReader::try_new(Cursor::new(stream), None).expect("an Arrow IPC stream");
    let schema = reader.schema();
    let mut writer = StreamWriter::try_new(room, &schema).expect("a schema that was read can be written");
    for batch in reader {
        let kept = positive(&batch.expect("a batch of the stream's schema"));
        writer.write(&kept).expect("a batch that was read can be written");
    }
    writer.into_inner().expect("memory does not fail")
}

fn positive(batch: &RecordBatch) -> RecordBatch {
    let column = batch.column_by_name("c0").expect("a column `c0`");
    let mask = gt(column, &Int64Array::new_scalar(0)).expect("`c0` is int64");
    filter_record_batch(batch, &mask).expect("the mask is as long as the batch")
}

export!(Ipc);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, StringArray};

    use super::*;

    /// Protects against a benchmark that compares with something that does less than it should.
    #[test]
    fn positive_rows_come_back_with_all_columns() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(-1), None, Some(0), Some(2)]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c", "d", "e"]));
        let batch = RecordBatch::try_from_iter_with_nullable([("c0", numbers, true), ("c1", texts, false)]).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.write(&batch.slice(0, 0)).unwrap();
        let out = filtered(writer.into_inner().unwrap());
        let batches: Vec<_> = StreamReader::try_new(Cursor::new(out), None).unwrap().map(Result::unwrap).collect();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(batches[0].column(1).as_ref(), &StringArray::from(vec!["a", "e"]));
        assert_eq!(batches[0].schema(), batch.schema());
    }
}
