//! Arrays out of the guest: nothing is believed. Counts, lengths, null counts and nesting are checked here, and Arrow's
//! own full validation (offsets, UTF-8, keys, type ids, run ends, views) runs before an array exists.

use std::sync::Arc;

use arrow::{
    array::{ArrayData, ArrayDataBuilder, ArrayRef, PrimitiveArray, downcast_primitive, make_array},
    buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer},
    datatypes::{ArrowPrimitiveType, DataType, Field},
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
        macro_rules! primitive {
            ($t:ty) => {
                self.primitive::<$t>(field, rows)
            };
        }
        // The common case without going through `ArrayData`.
        let array = downcast_primitive! {
            field.data_type() => (primitive),
            _ => self.checked(field, rows).map(make_array),
        };
        array.map_err(|why| Malformed { column: field.name().clone(), why })
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
        as_many(data.len(), rows)?;
        validate(&data)?;
        may_be_null(field, data.null_count())?;
        Ok(data)
    }

    /// An array of values of one width: once its lengths are right there is nothing that validation could find wrong.
    fn primitive<T: ArrowPrimitiveType>(&mut self, field: &Field, rows: usize) -> Result<ArrayRef, String> {
        let node = self.begin(field.data_type(), Values::Fixed(size_of::<T::Native>()))?;
        let length = node.length as usize;
        let nulls = self.validity(length, node.null_count)?;
        let mut values = self.sized("buffer of values", length, size_of::<T::Native>())?;
        as_many(length, rows)?;
        may_be_null(field, nulls.as_ref().map_or(0, |nulls| nulls.null_count()))?;
        if values.as_ptr().align_offset(align_of::<T::Native>()) != 0 {
            values = Buffer::from_slice_ref(values.as_slice());
        }
        let array = PrimitiveArray::<T>::new(ScalarBuffer::new(values, 0, length), nulls);
        Ok(Arc::new(array.with_data_type(field.data_type().clone())))
    }

    /// Opens a node: no array is as long as its length could be, and no type but the views has data buffers of its own.
    fn begin(&mut self, data_type: &DataType, values: Values) -> Result<Node, String> {
        let node = self.nodes.next().ok_or("its node is missing: `made` has too few nodes")?;
        if usize::try_from(node.length).is_ok_and(|length| length <= isize::MAX as usize / 256) {
            if node.variadic == 0 || values == Values::Views {
                return Ok(node);
            }
            return Err(format!("announces {} variadic buffers, which {data_type} does not have", node.variadic));
        }
        Err(format!("a length of {} is out of range", node.length))
    }

    fn node(&mut self, data_type: &DataType) -> Result<ArrayData, String> {
        let layout = layout::of(data_type);
        let node = self.begin(data_type, layout.values)?;
        let length = node.length as usize;
        let nulls = if layout.validity { self.validity(length, node.null_count)? } else { none(node.null_count)? };
        let mut builder = ArrayDataBuilder::new(data_type.clone()).len(length).nulls(nulls).align_buffers(true);
        builder = self.values(builder, layout.values, length, node.variadic)?;
        for child in layout::children(data_type) {
            builder = builder.add_child_data(self.node(child)?);
        }
        // SAFETY: unchecked only until `checked` has called `validate` on the whole, before anything reads a value.
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

fn as_many(values: usize, rows: usize) -> Result<(), String> {
    if values == rows { Ok(()) } else { Err(format!("has {values} values, expected {rows}: one for each surviving row")) }
}

fn may_be_null(field: &Field, nulls: usize) -> Result<(), String> {
    if nulls == 0 || field.is_nullable() { Ok(()) } else { Err(format!("has {nulls} nulls, and its field is not nullable")) }
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
