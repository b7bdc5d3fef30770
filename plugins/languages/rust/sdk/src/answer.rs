//! What a call puts out: which rows, which columns; and the rows that it refuses.

use crate::{abi, frame::{Column, Frame, Number, Texts, Validity}};

/// What a call puts out.
#[derive(Default)]
pub struct Answer {
    pub(crate) outputs: Vec<Output>,
    pub(crate) rejections: Vec<(u32, String)>,
}

/// One batch that leaves.
pub struct Output {
    pub(crate) port: u32,
    pub(crate) rows: Rows,
    /// Nothing for every column as it is.
    pub(crate) sources: Option<Vec<abi::Source>>,
    pub(crate) made: Vec<Made>,
}

/// Which rows.
pub(crate) enum Rows {
    All,
    Keep(Vec<u8>),
    Fresh(u64),
}

/// A column of the stage's own making: its length, its nulls, its buffers.
pub struct Made {
    pub(crate) node: abi::Node,
    pub(crate) buffers: Vec<Vec<u8>>,
}

// === impl Made ===

impl Made {
    /// Numbers.
    pub fn numbers<T: Number>(values: &[T], validity: Validity) -> Self {
        Made::new(values.len(), validity, vec![bytes(values)])
    }

    /// Strings; null as `None`.
    pub fn texts<'a>(texts: impl ExactSizeIterator<Item = Option<&'a [u8]>>) -> Self {
        let rows = texts.len();
        let (mut offsets, mut text, mut bits, mut nulls) = (vec![0_i32], Vec::new(), vec![0_u8; rows.div_ceil(8)], 0);
        for (row, one) in texts.enumerate() {
            match one {
                Some(one) => {
                    text.extend_from_slice(one);
                    bits[row >> 3] |= 1 << (row & 7);
                }
                None => nulls += 1,
            }
            offsets.push(text.len() as i32);
        }
        Made::new(rows, Validity { bits: Some(&bits), nulls, rows: Some(rows) }, vec![bytes(&offsets), text])
    }

    fn new(length: usize, validity: Validity, rest: Vec<Vec<u8>>) -> Self {
        let bits = validity.bits.filter(|_| validity.nulls > 0).unwrap_or_default().to_vec();
        let node = abi::Node { length: length as u64, null_count: validity.nulls as u64, variadic: 0 };
        Made { node, buffers: [vec![bits], rest].concat() }
    }
}

impl<T: Number> From<Column<'_, T>> for Made {
    fn from(column: Column<T>) -> Self {
        Made::numbers(column.values, column.validity)
    }
}

impl From<Texts<'_>> for Made {
    fn from(column: Texts) -> Self {
        Made::new(column.offsets.len() - 1, column.validity, vec![bytes(column.offsets), column.bytes.to_vec()])
    }
}

fn bytes<T: Number>(values: &[T]) -> Vec<u8> {
    // Numbers have no padding.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)) }.to_vec()
}

// === impl Output ===

impl Output {
    /// Every row and column of the input.
    pub fn all() -> Self {
        Output { port: 0, rows: Rows::All, sources: None, made: Vec::new() }
    }

    /// Only the rows whose bit is set; every made column has a value for each of those.
    pub fn keep(mut self, bits: &[u8]) -> Self {
        self.rows = Rows::Keep(bits.to_vec());
        self
    }

    /// A column instead of the input's.
    pub fn replace(mut self, frame: &Frame, column: usize, made: impl Into<Made>) -> Self {
        let width = frame.schema.width();
        let sources = self.sources.get_or_insert_with(|| (0..width as u32).map(abi::Source::Input).collect());
        sources[column] = abi::Source::Made;
        self.made.push(made.into());
        self
    }

    /// Rows that are not rows of the input.
    pub fn fresh(rows: usize, columns: Vec<Made>) -> Self {
        let sources = columns.iter().map(|_| abi::Source::Made).collect();
        Output { port: 0, rows: Rows::Fresh(rows as u64), sources: Some(sources), made: columns }
    }

    /// Leaves by another port.
    pub fn port(mut self, port: usize) -> Self {
        self.port = port as u32;
        self
    }
}

// === impl Answer ===

impl Answer {
    /// Refuses a row, which must be among the rows of no output.
    pub fn reject(mut self, row: usize, reason: impl Into<String>) -> Self {
        self.rejections.push((row as u32, reason.into()));
        self
    }

    /// Adds an output.
    pub fn and(mut self, output: Output) -> Self {
        self.outputs.push(output);
        self
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Answer::default().and(output)
    }
}
