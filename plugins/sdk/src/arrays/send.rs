//! Columns for the host: every offset brought to 0, every bitmap to a byte's edge, every slice cut to what it shows.

use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer, bit_util};
use arrow_data::ArrayData;
use arrow_schema::{DataType, UnionMode};

use super::runs;
use crate::abi::{List, Node};

/// Nodes and buffers of the columns that were made, ready to be pointed at.
#[derive(Default)]
pub struct Sent {
    /// As they cross.
    pub nodes: Vec<Node>,
    /// Kept alive until the host has copied them; nothing stands for an absent bitmap.
    pub buffers: Vec<Option<Buffer>>,
}

// === impl Sent ===

impl Sent {
    /// Without a column yet.
    pub const fn new() -> Self {
        Self { nodes: Vec::new(), buffers: Vec::new() }
    }

    /// Forgets all columns and keeps the room.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.buffers.clear();
    }

    /// Pointers to the buffers, which live as long as `self`.
    pub fn lists(&self) -> impl Iterator<Item = List<u8>> {
        self.buffers.iter().map(|buffer| buffer.as_ref().map_or(List::EMPTY, |buffer| List::pointing_at(buffer.as_slice())))
    }

    /// Adds a column.
    pub fn column(&mut self, data: &ArrayData) {
        let (offset, len) = (data.offset(), data.len());
        if let DataType::RunEndEncoded(..) = data.data_type() {
            return self.run_end_encoded(data);
        }
        let variadic = match data.data_type() {
            DataType::Utf8View | DataType::BinaryView => data.buffers().len() as u32 - 1,
            _ => 0,
        };
        let has_validity = !matches!(data.data_type(), DataType::Null | DataType::Union(..));
        let nulls = data.nulls().filter(|nulls| has_validity && nulls.null_count() > 0);
        self.node(len, nulls.map_or(0, |nulls| nulls.null_count()), variadic);
        if has_validity {
            let bitmap = nulls.map(|nulls| nulls.inner().sliced().slice_with_length(0, bit_util::ceil(len, 8)));
            self.buffers.push(bitmap);
        }
        let buffers = data.buffers();
        match data.data_type() {
            DataType::Null => {}
            DataType::Boolean => self.buffer(buffers[0].bit_slice(offset, len).slice_with_length(0, bit_util::ceil(len, 8))),
            DataType::Utf8 | DataType::Binary => self.bytes::<i32>(data),
            DataType::LargeUtf8 | DataType::LargeBinary => self.bytes::<i64>(data),
            DataType::List(_) | DataType::Map(..) => self.list::<i32>(data),
            DataType::LargeList(_) => self.list::<i64>(data),
            DataType::ListView(_) => self.list_view(data, 4),
            DataType::LargeListView(_) => self.list_view(data, 8),
            DataType::FixedSizeList(_, size) => {
                let size = *size as usize;
                self.column(&window(&data.child_data()[0], offset * size, len * size));
            }
            DataType::Struct(_) => {
                // Arrow's own slices of a struct leave its offset and cut its children.
                for child in data.child_data() {
                    self.column(&if child.len() == len { child.clone() } else { child.slice(offset, len) });
                }
            }
            DataType::Utf8View | DataType::BinaryView => {
                self.fixed(&buffers[0], 16, offset, len);
                self.buffers.extend(buffers[1..].iter().cloned().map(Some));
            }
            DataType::Union(_, mode) => self.union(data, *mode),
            DataType::Dictionary(keys, _) => {
                self.fixed(&buffers[0], keys.primitive_width().unwrap_or(1), offset, len);
                self.column(&data.child_data()[0]);
            }
            DataType::FixedSizeBinary(width) => self.fixed(&buffers[0], *width as usize, offset, len),
            other => self.fixed(&buffers[0], other.primitive_width().unwrap_or(1), offset, len),
        }
    }

    fn node(&mut self, length: usize, null_count: usize, variadic: u32) {
        self.nodes.push(Node { length: length as u64, null_count: null_count as u64, variadic });
    }

    fn buffer(&mut self, buffer: Buffer) {
        self.buffers.push(Some(buffer));
    }

    fn fixed(&mut self, buffer: &Buffer, width: usize, offset: usize, len: usize) {
        self.buffer(buffer.slice_with_length(offset * width, len * width));
    }

    fn bytes<O: ArrowNativeType + std::ops::Sub<Output = O>>(&mut self, data: &ArrayData) {
        let (first, last) = self.rebased::<O>(data);
        self.buffer(data.buffers()[1].slice_with_length(first, last - first));
    }

    fn list<O: ArrowNativeType + std::ops::Sub<Output = O>>(&mut self, data: &ArrayData) {
        let (first, last) = self.rebased::<O>(data);
        self.column(&window(&data.child_data()[0], first, last - first));
    }

    /// Sends offsets that begin at 0; answers the range of values that they cover.
    fn rebased<O: ArrowNativeType + std::ops::Sub<Output = O>>(&mut self, data: &ArrayData) -> (usize, usize) {
        let (buffer, width) = (&data.buffers()[0], size_of::<O>());
        if buffer.is_empty() {
            self.buffer(Buffer::from_vec(vec![O::default()]));
            return (0, 0);
        }
        let slice = buffer.slice_with_length(data.offset() * width, (data.len() + 1) * width);
        let offsets = ScalarBuffer::<O>::new(slice.clone(), 0, data.len() + 1);
        let (first, last) = (offsets[0], offsets[data.len()]);
        if first == O::default() {
            self.buffer(slice);
        } else {
            self.buffer(Buffer::from_vec(offsets.iter().map(|&offset| offset - first).collect::<Vec<O>>()));
        }
        (first.as_usize(), last.as_usize())
    }

    fn list_view(&mut self, data: &ArrayData, width: usize) {
        self.fixed(&data.buffers()[0], width, data.offset(), data.len());
        self.fixed(&data.buffers()[1], width, data.offset(), data.len());
        self.column(&data.child_data()[0]);
    }

    fn union(&mut self, data: &ArrayData, mode: UnionMode) {
        let (offset, len) = (data.offset(), data.len());
        self.fixed(&data.buffers()[0], 1, offset, len);
        if mode == UnionMode::Dense {
            self.fixed(&data.buffers()[1], 4, offset, len);
        }
        for child in data.child_data() {
            match mode {
                UnionMode::Sparse => self.column(&window(child, offset, len)),
                UnionMode::Dense => self.column(child),
            }
        }
    }

    fn run_end_encoded(&mut self, data: &ArrayData) {
        let (run_ends, values) = runs::normalised(data);
        self.node(data.len(), 0, 0);
        self.column(&run_ends);
        self.column(&values);
    }
}

/// A child cut to a range, or the child itself when that is all of it.
fn window(child: &ArrayData, offset: usize, len: usize) -> ArrayData {
    if offset == 0 && len == child.len() { child.clone() } else { child.slice(offset, len) }
}
