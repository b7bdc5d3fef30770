//! A batch that the host holds: what is read is copied in, nothing else enters.

use std::cell::RefCell;

use crate::{
    abi::{self, Outcome},
    config::StageError,
    schema::Schema,
};

/// A batch lent for the length of a call.
pub struct Frame<'a> {
    pub(crate) handle: u32,
    /// Number of rows.
    pub rows: usize,
    /// Index of the input that it came from.
    pub input: usize,
    /// That of its input.
    pub schema: &'a Schema,
    /// What was read lives as long as the call.
    pub(crate) arrived: RefCell<std::collections::VecDeque<(abi::Node, &'a [abi::Text])>>,
}

/// A type of values whose column is a slice.
pub trait Number: Copy + 'static {}

impl Number for i8 {}
impl Number for i16 {}
impl Number for i32 {}
impl Number for i64 {}
impl Number for u8 {}
impl Number for u16 {}
impl Number for u32 {}
impl Number for u64 {}
impl Number for f32 {}
impl Number for f64 {}

/// A column of numbers, the stage's own to work on in place.
pub struct Column<'a, T> {
    /// One a row; where a row is null, anything.
    pub values: &'a mut [T],
    /// Which rows are not null.
    pub validity: Validity<'a>,
}

/// A column of strings.
pub struct Texts<'a> {
    /// Where each begins; one more than there are rows.
    pub offsets: &'a [i32],
    /// All strings, end to end.
    pub bytes: &'a [u8],
    /// Which rows are not null.
    pub validity: Validity<'a>,
}

/// Which rows are not null: one bit a row, none at all where no row is null.
#[derive(Clone, Copy, Default)]
pub struct Validity<'a> {
    /// The least significant bit first.
    pub bits: Option<&'a [u8]>,
    /// How many rows are null.
    pub nulls: usize,
    /// How many rows there are, of a column that was read.
    pub rows: Option<usize>,
}

// === impl Validity ===

impl Validity<'_> {
    /// Whether a row is not null.
    ///
    /// # Panics
    /// There is no such row.
    pub fn valid(&self, row: usize) -> bool {
        if let Some(rows) = self.rows {
            assert!(row < rows, "row {row} is out of bounds: there are {rows}");
        }
        self.bits.is_none_or(|bits| bits[row >> 3] >> (row & 7) & 1 != 0)
    }
}

// === impl Texts ===

impl<'a> Texts<'a> {
    /// The string of a row, as bytes.
    ///
    /// # Panics
    /// There is no such row.
    pub fn get(&self, row: usize) -> &'a [u8] {
        &self.bytes[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Copies columns in, in one crossing; `numbers` and `texts` then take them in this order.
    pub fn read(&self, columns: &[usize]) -> Result<(), StageError> {
        let indices: Vec<u32> = columns.iter().map(|column| *column as u32).collect();
        let mut result = Outcome::Err(abi::FrameError::TooLarge(0));
        unsafe { abi::read(self.handle, indices.as_ptr(), indices.len(), &mut result) };
        let Outcome::Ok(arrays) = result else {
            return Err(StageError::Data("the columns exceed the limit `read_bytes`".into()));
        };
        let (nodes, mut buffers) = unsafe { (arrays.nodes.slice(), arrays.buffers.slice()) };
        for (node, column) in nodes.iter().zip(columns) {
            let count = if ["u", "z"].contains(&self.schema.field(*column).format.as_str()) { 3 } else { 2 };
            let (own, rest) = buffers.split_at(count);
            buffers = rest;
            self.arrived.borrow_mut().push_back((*node, own));
        }
        Ok(())
    }

    fn next(&self) -> (abi::Node, &'a [abi::Text], Validity<'a>) {
        let (node, buffers) = self.arrived.borrow_mut().pop_front().expect("a column that was read");
        let bits = unsafe { buffers[0].slice() };
        let validity = Validity { bits: (!bits.is_empty()).then_some(bits), nulls: node.null_count as usize, rows: Some(node.length as usize) };
        (node, buffers, validity)
    }

    /// The next column that was read, whose values are of type T.
    ///
    /// # Panics
    /// No column is left, or its values are not so wide.
    pub fn numbers<T: Number>(&self) -> Column<'a, T> {
        let (node, buffers, validity) = self.next();
        let [_, numbers] = buffers else { misread() };
        Column { values: unsafe { values(*numbers, node.length as usize) }, validity }
    }

    /// The next column that was read, of strings.
    ///
    /// # Panics
    /// No column is left, or its values are no strings.
    pub fn texts(&self) -> Texts<'a> {
        let (node, buffers, validity) = self.next();
        let [_, offsets, bytes] = buffers else { misread() };
        let offsets: &[i32] = if node.length == 0 { &[0] } else { unsafe { values(*offsets, node.length as usize + 1) } };
        Texts { offsets, bytes: unsafe { bytes.slice() }, validity }
    }
}

#[cold]
fn misread() -> ! {
    panic!("a column was read as what it is not: texts have offsets and bytes, numbers so many bytes a value")
}

/// # Safety
/// The host has written there, in memory that is the call's alone and aligned (see `exports::reallocate`).
unsafe fn values<'a, T: Number>(bytes: abi::Text, length: usize) -> &'a mut [T] {
    let bytes = unsafe { bytes.slice::<'a>() };
    if bytes.len() < length * size_of::<T>() {
        misread();
    }
    if length == 0 { &mut [] } else { unsafe { std::slice::from_raw_parts_mut(bytes.as_ptr().cast::<T>().cast_mut(), length) } }
}
