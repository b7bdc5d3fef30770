//! Columns from the host. The host has validated them; what is checked here is only what reading them relies on.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, UnionMode};

use crate::{
    abi::{Arrays, List, Node},
    error::StageError,
};

/// Nodes and buffers on their way to becoming arrays.
pub struct Arrived {
    nodes: std::vec::IntoIter<Node>,
    buffers: std::vec::IntoIter<List<u8>>,
}

// === impl Arrived ===

impl Arrived {
    /// Takes what the host has put into memory.
    ///
    /// # Safety
    /// `arrays` must have come from the host and not have been taken before.
    pub unsafe fn new(arrays: Arrays) -> Self {
        unsafe { Self { nodes: arrays.nodes.into_vec().into_iter(), buffers: arrays.buffers.into_vec().into_iter() } }
    }

    /// The next column, which is of this type, its children included.
    pub fn column(&mut self, data_type: &DataType) -> Result<ArrayData, StageError> {
        let node = self.node()?;
        let has_validity = !matches!(data_type, DataType::Null | DataType::Union(..) | DataType::RunEndEncoded(..));
        let nulls = if has_validity { self.nulls(&node)? } else { None };
        let buffers = self.data_buffers(data_type, &node)?;
        let children = self.children(data_type)?;
        let builder = ArrayData::builder(data_type.clone()).len(length(&node)).nulls(nulls).buffers(buffers).child_data(children);
        // Validated by the host before it held the batch.
        Ok(unsafe { builder.build_unchecked() })
    }

    fn data_buffers(&mut self, data_type: &DataType, node: &Node) -> Result<Vec<Buffer>, StageError> {
        Ok(match data_type {
            DataType::Null | DataType::Struct(_) | DataType::FixedSizeList(..) | DataType::RunEndEncoded(..) => vec![],
            DataType::Boolean | DataType::FixedSizeBinary(_) => vec![self.buffer()?],
            DataType::Utf8 | DataType::Binary => vec![self.offsets::<i32>()?, self.buffer()?],
            DataType::LargeUtf8 | DataType::LargeBinary => vec![self.offsets::<i64>()?, self.buffer()?],
            DataType::List(_) | DataType::Map(..) => vec![self.offsets::<i32>()?],
            DataType::LargeList(_) => vec![self.offsets::<i64>()?],
            DataType::ListView(_) => vec![self.aligned(4)?, self.aligned(4)?],
            DataType::LargeListView(_) => vec![self.aligned(8)?, self.aligned(8)?],
            DataType::Utf8View | DataType::BinaryView => {
                let mut buffers = vec![self.aligned(align_of::<u128>())?];
                for _ in 0..node.variadic {
                    buffers.push(self.buffer()?);
                }
                buffers
            }
            DataType::Union(_, UnionMode::Sparse) => vec![self.buffer()?],
            DataType::Union(_, UnionMode::Dense) => vec![self.buffer()?, self.aligned(4)?],
            DataType::Dictionary(keys, _) => vec![self.aligned(keys.primitive_width().unwrap_or(8))?],
            // What is left is of fixed width; no value is wider than 32 bytes, and none is aligned beyond 16.
            other => vec![self.aligned(other.primitive_width().unwrap_or(16).min(16))?],
        })
    }

    fn children(&mut self, data_type: &DataType) -> Result<Vec<ArrayData>, StageError> {
        match data_type {
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::ListView(field)
            | DataType::LargeListView(field)
            | DataType::FixedSizeList(field, _)
            | DataType::Map(field, _) => Ok(vec![self.column(field.data_type())?]),
            DataType::Struct(fields) => fields.iter().map(|field| self.column(field.data_type())).collect(),
            DataType::Union(fields, _) => fields.iter().map(|(_, field)| self.column(field.data_type())).collect(),
            DataType::RunEndEncoded(run_ends, values) => Ok(vec![self.column(run_ends.data_type())?, self.column(values.data_type())?]),
            DataType::Dictionary(_, values) => Ok(vec![self.column(values)?]),
            _ => Ok(vec![]),
        }
    }

    fn node(&mut self) -> Result<Node, StageError> {
        self.nodes.next().ok_or_else(cut_off)
    }

    fn list(&mut self) -> Result<List<u8>, StageError> {
        self.buffers.next().ok_or_else(cut_off)
    }

    fn buffer(&mut self) -> Result<Buffer, StageError> {
        let list = self.list()?;
        // It came from the host in this very call, and the iterator gives each once.
        Ok(Buffer::from_vec(unsafe { list.into_vec() }))
    }

    /// A buffer whose values can be read in place. The SDK's allocator aligns all of them; another one may be linked.
    fn aligned(&mut self, alignment: usize) -> Result<Buffer, StageError> {
        let buffer = self.buffer()?;
        Ok(if buffer.as_ptr().align_offset(alignment) == 0 { buffer } else { Buffer::from_slice_ref(buffer.as_slice()) })
    }

    /// Offsets; those of an array without values may be left out.
    fn offsets<O: arrow_buffer::ArrowNativeType>(&mut self) -> Result<Buffer, StageError> {
        let buffer = self.aligned(align_of::<O>())?;
        Ok(if buffer.is_empty() { Buffer::from_vec(vec![O::default()]) } else { buffer })
    }

    fn nulls(&mut self, node: &Node) -> Result<Option<NullBuffer>, StageError> {
        let list = self.list()?;
        if list.is_empty() {
            return Ok(None);
        }
        // As in `buffer`; the host has counted the nulls.
        let bits = BooleanBuffer::new(Buffer::from_vec(unsafe { list.into_vec() }), 0, length(node));
        Ok(Some(unsafe { NullBuffer::new_unchecked(bits, node.null_count as usize) }))
    }
}

fn length(node: &Node) -> usize {
    node.length as usize
}

#[cold]
fn cut_off() -> StageError {
    StageError::Internal("the host sent fewer nodes or buffers than the column's type has".into())
}
