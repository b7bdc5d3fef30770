//! The functions as plug-ins of extism: bytes in, bytes out. Columns are as they lie in Arrow's buffers, one after the other, which costs
//! neither side any decoding.

#[path = "../../functions.rs"]
mod functions;

use extism_pdk::{FnResult, plugin_fn};

/// Columns of the batch that is filtered.
const COLUMNS: usize = 16;

#[plugin_fn]
pub fn gcd(input: Vec<u8>) -> FnResult<Vec<u8>> {
    Ok(ints(&input, functions::gcd))
}

#[plugin_fn]
pub fn add(input: Vec<u8>) -> FnResult<Vec<u8>> {
    Ok(ints(&input, functions::add))
}

/// Two columns of int32, one column of int32.
fn ints(input: &[u8], function: impl Fn(i32, i32) -> i32) -> Vec<u8> {
    let (a, b) = input.split_at(input.len() / 2);
    let mut made = Vec::with_capacity(a.len());
    for (a, b) in numbers(a).zip(numbers(b)) {
        made.extend_from_slice(&function(a, b).to_le_bytes());
    }
    made
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = i32> {
    bytes.as_chunks().0.iter().map(|number| i32::from_le_bytes(*number))
}

/// Rows, so many offsets and one more, texts; the same without the rows.
#[plugin_fn]
pub fn upper(input: Vec<u8>) -> FnResult<Vec<u8>> {
    let (rows, rest) = input.split_at(4);
    let rows = numbers(rows).next().unwrap_or_default() as usize;
    let (offsets, texts) = rest.split_at(4 * (rows + 1));
    let mut made_offsets = Vec::with_capacity(rest.len());
    let mut made = Vec::with_capacity(texts.len());
    made_offsets.extend_from_slice(&0i32.to_le_bytes());
    for (from, to) in numbers(offsets).zip(numbers(offsets).skip(1)) {
        let text = std::str::from_utf8(&texts[from as usize..to as usize])?;
        made.extend_from_slice(functions::upper(text).as_bytes());
        made_offsets.extend_from_slice(&(made.len() as i32).to_le_bytes());
    }
    made_offsets.append(&mut made);
    Ok(made_offsets)
}

/// One column of int64, one byte a row. Half of a filter: the host has the other half.
#[plugin_fn]
pub fn stays(input: Vec<u8>) -> FnResult<Vec<u8>> {
    Ok(longs(&input).map(|value| functions::stays(value).into()).collect())
}

/// The whole of a filter: sixteen columns of int64, the same with fewer rows.
#[plugin_fn]
pub fn kept(input: Vec<u8>) -> FnResult<Vec<u8>> {
    let rows = input.len() / 8 / COLUMNS;
    let chosen: Vec<usize> =
        longs(&input[..8 * rows]).enumerate().filter(|(_, value)| functions::stays(*value)).map(|(row, _)| row).collect();
    let mut made = Vec::with_capacity(8 * COLUMNS * chosen.len());
    for column in input.chunks_exact(8 * rows) {
        for row in &chosen {
            made.extend_from_slice(&column[8 * row..8 * row + 8]);
        }
    }
    Ok(made)
}

fn longs(bytes: &[u8]) -> impl Iterator<Item = i64> {
    bytes.as_chunks().0.iter().map(|number| i64::from_le_bytes(*number))
}
