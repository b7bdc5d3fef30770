//! Which buffers and children an Arrow type has in the contract's `arrays`.

use arrow::datatypes::{DataType, UnionMode};

/// The buffers of one node, after the validity bitmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// None: null, struct, fixed-size list, run-end-encoded.
    Nothing,
    /// One bit a value.
    Bits,
    /// This many bytes a value.
    Fixed(usize),
    /// Offsets of this width, then bytes.
    Bytes(usize),
    /// Offsets of this width into the child.
    Offsets(usize),
    /// Offsets and sizes of this width into the child.
    OffsetsAndSizes(usize),
    /// 16-byte views, then any number of data buffers.
    Views,
    /// A type id a value.
    TypeIds,
    /// A type id and an offset a value.
    TypeIdsAndOffsets,
}

/// The layout of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Whether a validity bitmap comes first.
    pub validity: bool,
    /// What follows.
    pub values: Values,
}

/// The layout of a type's own node.
pub fn of(data_type: &DataType) -> Layout {
    let (validity, values) = match data_type {
        DataType::Null | DataType::RunEndEncoded(..) => (false, Values::Nothing),
        DataType::Union(_, UnionMode::Sparse) => (false, Values::TypeIds),
        DataType::Union(_, UnionMode::Dense) => (false, Values::TypeIdsAndOffsets),
        DataType::Boolean => (true, Values::Bits),
        DataType::Utf8 | DataType::Binary => (true, Values::Bytes(4)),
        DataType::LargeUtf8 | DataType::LargeBinary => (true, Values::Bytes(8)),
        DataType::Utf8View | DataType::BinaryView => (true, Values::Views),
        DataType::List(_) | DataType::Map(..) => (true, Values::Offsets(4)),
        DataType::LargeList(_) => (true, Values::Offsets(8)),
        DataType::ListView(_) => (true, Values::OffsetsAndSizes(4)),
        DataType::LargeListView(_) => (true, Values::OffsetsAndSizes(8)),
        DataType::Struct(_) | DataType::FixedSizeList(..) => (true, Values::Nothing),
        DataType::FixedSizeBinary(width) => (true, Values::Fixed(*width as usize)),
        DataType::Dictionary(keys, _) => (true, Values::Fixed(keys.primitive_width().unwrap_or(0))),
        primitive => (true, Values::Fixed(primitive.primitive_width().unwrap_or(0))),
    };
    Layout { validity, values }
}

/// The types of a node's children, in order; a dictionary's values are its only child.
pub fn children(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::List(child) | DataType::LargeList(child) | DataType::ListView(child) | DataType::LargeListView(child) => {
            vec![child.data_type()]
        }
        DataType::FixedSizeList(child, _) | DataType::Map(child, _) => vec![child.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.data_type()).collect(),
        DataType::RunEndEncoded(ends, values) => vec![ends.data_type(), values.data_type()],
        DataType::Dictionary(_, values) => vec![values],
        _ => Vec::new(),
    }
}
