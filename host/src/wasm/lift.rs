//! Arrays out of the guest: nothing is believed. Counts, lengths, null counts and nesting are checked here, and Arrow's
//! own full validation (offsets, UTF-8, keys, type ids, run ends, views) runs before an array exists.

use arrow::{
    array::{ArrayData, ArrayDataBuilder, ArrayRef, make_array},
    buffer::{BooleanBuffer, Buffer, NullBuffer},
    datatypes::{DataType, Field},
};

use super::{
    contract::{ArraysOut, Node},
    layout::{self, Values},
};

/// What is wrong with the arrays that a guest made.
#[derive(Debug, thiserror::Error)]
#[error("column `{column}`: {why}")]
pub struct Malformed {
    /// The column whose array it is.
    pub column: String,
    /// What was found and what was expected.
    pub why: String,
}

/// Takes the arrays of a guest apart, column by column.
pub struct Lifting {
    nodes: std::vec::IntoIter<Node>,
    buffers: std::vec::IntoIter<Vec<u8>>,
}

impl Lifting {
    /// Begins with all of them.
    pub fn new(arrays: ArraysOut) -> Self {
        Lifting { nodes: arrays.nodes.into_iter(), buffers: arrays.buffers.into_iter() }
    }

    /// The next column, which must have this many rows and be of this field.
    pub fn column(&mut self, field: &Field, rows: usize) -> Result<ArrayRef, Malformed> {
        let data = self.checked(field, rows).map_err(|why| Malformed { column: field.name().clone(), why })?;
        Ok(make_array(data))
    }

    /// After the last column nothing may be left.
    pub fn finish(self) -> Result<(), String> {
        match (self.nodes.len(), self.buffers.len()) {
            (0, 0) => Ok(()),
            (nodes, buffers) => Err(format!("`made` has {nodes} nodes and {buffers} buffers more than the made columns need")),
        }
    }

    fn checked(&mut self, field: &Field, rows: usize) -> Result<ArrayData, String> {
        let data = self.node(field.data_type())?;
        if data.len() != rows {
            return Err(format!("has {} values, expected {rows}: one for each surviving row", data.len()));
        }
        // Primitive types have nothing that validation could find wrong once their lengths are right.
        if !field.data_type().is_primitive() {
            validate(&data)?;
        }
        if !field.is_nullable() && data.null_count() > 0 {
            return Err(format!("has {} nulls, and its field is not nullable", data.null_count()));
        }
        Ok(data)
    }

    fn node(&mut self, data_type: &DataType) -> Result<ArrayData, String> {
        let node = self.nodes.next().ok_or("its node is missing: `made` has too few nodes")?;
        let length = usize::try_from(node.length).ok().filter(|length| *length <= isize::MAX as usize / 256);
        let length = length.ok_or_else(|| format!("a length of {} is out of range", node.length))?;
        let layout = layout::of(data_type);
        let nulls = if layout.validity { self.validity(length, node.null_count)? } else { none(node.null_count)? };
        let mut builder = ArrayDataBuilder::new(data_type.clone()).len(length).nulls(nulls).align_buffers(true);
        if node.variadic > 0 && layout.values != Values::Views {
            return Err(format!("announces {} variadic buffers, which {data_type} does not have", node.variadic));
        }
        builder = self.values(builder, layout.values, length, node.variadic)?;
        for child in layout::children(data_type) {
            builder = builder.add_child_data(self.node(child)?);
        }
        // SAFETY: unchecked only until `checked` has called `validate` on the whole, before anything reads a value.
        // Lengths of buffers are checked here, so that a primitive array is sound already.
        unsafe { builder.skip_validation(true).build() }.map_err(|error| error.to_string())
    }

    fn validity(&mut self, length: usize, announced: u64) -> Result<Option<NullBuffer>, String> {
        let bitmap = self.buffer("validity bitmap")?;
        if bitmap.is_empty() {
            return none(announced);
        }
        let needed = length.div_ceil(8);
        if bitmap.len() < needed {
            return Err(format!("its validity bitmap has {} bytes, and {length} values need {needed}", bitmap.len()));
        }
        let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bitmap), 0, length));
        if nulls.null_count() as u64 != announced {
            return Err(format!("announces {announced} nulls, and its validity bitmap has {}", nulls.null_count()));
        }
        Ok(Some(nulls))
    }

    fn values(&mut self, mut builder: ArrayDataBuilder, values: Values, length: usize, variadic: u32) -> Result<ArrayDataBuilder, String> {
        let mut add = |builder: ArrayDataBuilder, what: &str, count: usize, width: usize| {
            self.sized(what, count, width).map(|buffer| builder.add_buffer(buffer))
        };
        match values {
            Values::Nothing => Ok(builder),
            Values::Bits => add(builder, "bitmap of values", length.div_ceil(8), 1),
            Values::Fixed(width) => add(builder, "buffer of values", length, width),
            Values::TypeIds => add(builder, "buffer of type ids", length, 1),
            Values::TypeIdsAndOffsets => {
                builder = add(builder, "buffer of type ids", length, 1)?;
                add(builder, "buffer of offsets", length, 4)
            }
            Values::OffsetsAndSizes(width) => {
                builder = add(builder, "buffer of offsets", length, width)?;
                add(builder, "buffer of sizes", length, width)
            }
            Values::Offsets(width) => Ok(builder.add_buffer(self.offsets(length, width)?)),
            Values::Bytes(width) => {
                builder = builder.add_buffer(self.offsets(length, width)?);
                Ok(builder.add_buffer(Buffer::from_vec(self.buffer("buffer of bytes")?)))
            }
            Values::Views => {
                builder = builder.add_buffer(self.sized("buffer of views", length, 16)?);
                for _ in 0..variadic {
                    builder = builder.add_buffer(Buffer::from_vec(self.buffer("data buffer")?));
                }
                Ok(builder)
            }
        }
    }

    /// Offsets of `length` values; none at all stand for the single 0 of an empty array.
    fn offsets(&mut self, length: usize, width: usize) -> Result<Buffer, String> {
        let offsets = self.buffer("buffer of offsets")?;
        if length == 0 && offsets.is_empty() {
            return Ok(Buffer::from_vec(vec![0_u8; width]));
        }
        exact("buffer of offsets", offsets, length + 1, width)
    }

    fn sized(&mut self, what: &str, count: usize, width: usize) -> Result<Buffer, String> {
        let buffer = self.buffer(what)?;
        exact(what, buffer, count, width)
    }

    fn buffer(&mut self, what: &str) -> Result<Vec<u8>, String> {
        self.buffers.next().ok_or_else(|| format!("its {what} is missing: `made` has too few buffers"))
    }
}

/// A buffer must cover its values; padding up to 64 bytes is Arrow's habit and allowed, more is a mistake. It is cut off: Arrow looks at
/// a whole buffer as values, and panics where a part of one is left (found by `fuzz`).
fn exact(what: &str, mut buffer: Vec<u8>, count: usize, width: usize) -> Result<Buffer, String> {
    let needed = count.checked_mul(width).ok_or_else(|| format!("{count} values of {width} bytes are out of range"))?;
    if buffer.len() < needed || buffer.len() > needed.saturating_add(64) {
        return Err(format!("its {what} has {} bytes, and {count} values of {width} need {needed}", buffer.len()));
    }
    buffer.truncate(needed);
    Ok(Buffer::from_vec(buffer))
}

fn none(announced: u64) -> Result<Option<NullBuffer>, String> {
    match announced {
        0 => Ok(None),
        nulls => Err(format!("announces {nulls} nulls, and has no validity bitmap")),
    }
}

/// Arrow's full validation. Should it ever panic on what a guest invented, the guest has gained nothing by it.
fn validate(data: &ArrayData) -> Result<(), String> {
    let validated = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| data.validate_full()));
    match validated {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err("Arrow's validation gave up on it".into()),
    }
}
