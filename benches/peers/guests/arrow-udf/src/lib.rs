//! The functions as arrow-udf wants them: one value each, and its macro makes a function of batches of it.

#[path = "../../functions.rs"]
mod functions;

use std::sync::Arc;

use arrow_array::{BooleanArray, Int64Array, RecordBatch, cast::AsArray as _, types::Int64Type};
use arrow_udf::{
    Error,
    ffi::{CSlice, scalar_wrapper},
    function,
};

#[function("gcd(int32, int32) -> int32")]
fn gcd(a: i32, b: i32) -> i32 {
    functions::gcd(a, b)
}

#[function("add(int32, int32) -> int32")]
fn add(a: i32, b: i32) -> i32 {
    functions::add(a, b)
}

#[function("upper(string) -> string")]
fn upper(text: &str) -> String {
    functions::upper(text)
}

/// Half of a filter: the host has the other half.
#[function("stays(int64) -> boolean")]
fn stays(value: i64) -> bool {
    functions::stays(value)
}

/// The whole of a filter, over batches of any columns. The macro knows values only, so this is what it would make, by hand: `kept(int64)->int64`
/// in the letters that a symbol may have.
#[unsafe(export_name = "arrowudf_a2VwdChpbnQ2NCktPmludDY0")]
unsafe extern "C" fn kept(ptr: *const u8, len: usize, out: *mut CSlice) -> i32 {
    unsafe { scalar_wrapper(keep, ptr, len, out) }
}

fn keep(batch: &RecordBatch) -> Result<RecordBatch, Error> {
    let values: &Int64Array = batch.column(0).as_primitive::<Int64Type>();
    let mask = BooleanArray::from_unary(values, functions::stays);
    arrow_select::filter::filter_record_batch(batch, &mask)
}
