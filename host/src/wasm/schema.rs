//! Schemas across the boundary, both ways, through Arrow's own C data interface.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_schema::ffi::{FFI_ArrowSchema, Flags};

use super::contract;
use crate::words::limits::Limits;

/// Why a schema cannot cross.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A column of this type has no form in the contract.
    #[error("column `{column}` is of type {data_type}, which cannot cross the boundary: {why}")]
    Refused { column: String, data_type: DataType, why: String },
    /// What the guest declared is not a schema.
    #[error("field {index} (`{name}`): {why}")]
    Malformed { index: usize, name: String, why: String },
    /// More than a limit allows.
    #[error("limit `{limit}`: the schema has {requested}, and {allowed} are allowed ({unit})")]
    TooLarge { limit: &'static str, requested: u64, allowed: u64, unit: &'static str },
}

/// The contract's form of a schema. Fails for a column whose type cannot cross.
pub fn lower(schema: &Schema) -> Result<contract::Schema, SchemaError> {
    let mut fields = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let refuse = |why: String| SchemaError::Refused { column: field.name().clone(), data_type: field.data_type().clone(), why };
        plausible(field.data_type()).map_err(&refuse)?;
        let ffi = FFI_ArrowSchema::try_from(field.as_ref()).map_err(|error| refuse(error.to_string()))?;
        // Read back what the guest will see: what the C data interface cannot say is refused, never changed in silence.
        let back = Field::try_from(&ffi).map_err(|error| refuse(error.to_string()))?;
        if back != **field || back.dict_is_ordered() != field.dict_is_ordered() {
            return Err(refuse(format!("the C data interface would turn it into {}", back.data_type())));
        }
        lower_field(&ffi, &mut fields).map_err(&refuse)?;
    }
    Ok(contract::Schema { fields, metadata: sorted(schema.metadata()) })
}

fn lower_field(ffi: &FFI_ArrowSchema, fields: &mut Vec<contract::Field>) -> Result<(), String> {
    let metadata = ffi.metadata().map_err(|error| error.to_string())?;
    let mut flags = contract::FieldFlags::empty();
    if ffi.nullable() {
        flags |= contract::FieldFlags::NULLABLE;
    }
    if ffi.map_keys_sorted() {
        flags |= contract::FieldFlags::MAP_KEYS_SORTED;
    }
    if ffi.dictionary().is_some() {
        flags |= contract::FieldFlags::DICTIONARY_ENCODED;
        if ffi.dictionary_ordered() {
            flags |= contract::FieldFlags::DICTIONARY_ORDERED;
        }
    }
    let children: Vec<_> = ffi.children().collect();
    fields.push(contract::Field {
        name: ffi.name().unwrap_or_default().to_owned(),
        format: ffi.format().to_owned(),
        flags,
        children: children.len() as u32,
        metadata: sorted(&metadata),
    });
    children.into_iter().try_for_each(|child| lower_field(child, fields))?;
    ffi.dictionary().map_or(Ok(()), |values| lower_field(values, fields))
}

/// Metadata in an order that does not change from run to run.
fn sorted(metadata: &std::collections::HashMap<String, String>) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = metadata.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    pairs.sort();
    pairs
}

/// The schema that a guest declared, checked field by field.
pub fn lift(schema: contract::Schema, limits: &Limits) -> Result<SchemaRef, SchemaError> {
    within("schema_fields", schema.fields.len() as u64, limits.schema_fields, "fields")?;
    within("schema_bytes", text_of(&schema), limits.schema_bytes, "bytes")?;
    let mut walk = Walk { fields: &schema.fields, at: 0, depth: limits.nesting as usize };
    let mut fields = Vec::new();
    while walk.at < schema.fields.len() {
        let index = walk.at;
        let ffi = walk.field(0)?;
        // arrow-rs reads format strings itself; it is trusted with any text, but a panic must never be the guest's gain.
        let field = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Field::try_from(&ffi)))
            .map_err(|_| walk.malformed(index, "the format string is not understood".into()))?
            .map_err(|error| walk.malformed(index, error.to_string()))?;
        plausible(field.data_type()).map_err(|why| walk.malformed(index, why))?;
        fields.push(field);
    }
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata.into_iter().collect())))
}

fn within(limit: &'static str, requested: u64, allowed: u64, unit: &'static str) -> Result<(), SchemaError> {
    if requested <= allowed { Ok(()) } else { Err(SchemaError::TooLarge { limit, requested, allowed, unit }) }
}

/// Bytes of all names, formats and metadata; a pair of nothing weighs as much as it takes to keep it.
fn text_of(schema: &contract::Schema) -> u64 {
    const PAIR: usize = 2 * size_of::<String>();
    let metadata = |pairs: &[(String, String)]| pairs.iter().map(|(key, value)| PAIR + key.len() + value.len()).sum::<usize>();
    let fields = schema.fields.iter().map(|field| field.name.len() + field.format.len() + metadata(&field.metadata));
    (fields.sum::<usize>() + metadata(&schema.metadata)) as u64
}

/// Refuses types that arrow-rs accepts from the C data interface and that would fail, or panic, further on.
fn plausible(data_type: &DataType) -> Result<(), String> {
    match data_type {
        DataType::FixedSizeBinary(width) if *width < 0 => Err(format!("negative width {width}")),
        DataType::FixedSizeList(_, size) if *size < 0 => Err(format!("negative list size {size}")),
        DataType::FixedSizeList(child, _) => plausible(child.data_type()),
        DataType::Dictionary(keys, _) if !keys.is_dictionary_key_type() => Err(format!("{keys} cannot be a dictionary's keys")),
        DataType::Dictionary(_, values) => plausible(values),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 && !pair[0].is_nullable() => {
                pair.iter().try_for_each(|child| plausible(child.data_type()))
            }
            _ => Err("a map's entries are a struct of two fields, the first not nullable".into()),
        },
        DataType::RunEndEncoded(ends, values) => {
            if !matches!(ends.data_type(), DataType::Int16 | DataType::Int32 | DataType::Int64) {
                return Err("run ends are int16, int32 or int64".into());
            }
            plausible(values.data_type())
        }
        DataType::Decimal32(p, s) => decimal(*p, *s, 9),
        DataType::Decimal64(p, s) => decimal(*p, *s, 18),
        DataType::Decimal128(p, s) => decimal(*p, *s, 38),
        DataType::Decimal256(p, s) => decimal(*p, *s, 76),
        DataType::List(child) | DataType::LargeList(child) | DataType::ListView(child) | DataType::LargeListView(child) => {
            plausible(child.data_type())
        }
        DataType::Struct(children) => children.iter().try_for_each(|child| plausible(child.data_type())),
        DataType::Union(children, _) => children.iter().try_for_each(|(_, child)| plausible(child.data_type())),
        _ => Ok(()),
    }
}

fn decimal(precision: u8, scale: i8, most: u8) -> Result<(), String> {
    if precision == 0 || precision > most || scale.unsigned_abs() > most {
        return Err(format!("precision {precision}, scale {scale}: at most {most}, and a precision of at least 1"));
    }
    Ok(())
}

/// How many children a format has; `None` for those that may have any number.
fn children_of(format: &str) -> Option<usize> {
    match format.split(':').next().unwrap_or_default() {
        "+s" | "+us" | "+ud" => None,
        "+r" => Some(2),
        nested if nested.starts_with('+') => Some(1),
        _ => Some(0),
    }
}

/// Walks the depth-first list, bounded in depth and length.
struct Walk<'a> {
    fields: &'a [contract::Field],
    at: usize,
    depth: usize,
}

impl Walk<'_> {
    fn malformed(&self, index: usize, why: String) -> SchemaError {
        let name = self.fields.get(index).map(|field| field.name.clone()).unwrap_or_default();
        SchemaError::Malformed { index, name: name.chars().take(64).collect(), why }
    }

    fn field(&mut self, depth: usize) -> Result<FFI_ArrowSchema, SchemaError> {
        let index = self.at;
        let Some(field) = self.fields.get(index) else {
            return Err(self.malformed(index, "a child is missing: the list of fields ends too early".into()));
        };
        if depth >= self.depth {
            let allowed = self.depth as u64;
            return Err(SchemaError::TooLarge { limit: "nesting", requested: allowed + 1, allowed, unit: "levels" });
        }
        if field.name.contains('\0') || field.format.contains('\0') {
            return Err(self.malformed(index, "a name or format contains a NUL".into()));
        }
        self.at += 1;
        if field.children as usize > self.fields.len() - self.at {
            return Err(self.malformed(index, format!("announces {} children, and fewer fields follow", field.children)));
        }
        let children = (0..field.children).map(|_| self.field(depth + 1)).collect::<Result<Vec<_>, _>>()?;
        let encoded = field.flags.contains(contract::FieldFlags::DICTIONARY_ENCODED);
        let dictionary = if encoded { Some(self.field(depth + 1)?) } else { None };
        self.assemble(index, children, dictionary)
    }

    fn assemble(
        &self,
        index: usize,
        children: Vec<FFI_ArrowSchema>,
        values: Option<FFI_ArrowSchema>,
    ) -> Result<FFI_ArrowSchema, SchemaError> {
        let field = &self.fields[index];
        if let Some(expected) = children_of(&field.format).filter(|expected| *expected != children.len()) {
            let why = format!("format `{}` has {expected} children, not {}", field.format, children.len());
            return Err(self.malformed(index, why));
        }
        let mut flags = Flags::empty();
        flags.set(Flags::NULLABLE, field.flags.contains(contract::FieldFlags::NULLABLE));
        flags.set(Flags::MAP_KEYS_SORTED, field.flags.contains(contract::FieldFlags::MAP_KEYS_SORTED));
        flags.set(Flags::DICTIONARY_ORDERED, field.flags.contains(contract::FieldFlags::DICTIONARY_ORDERED));
        FFI_ArrowSchema::try_new(&field.format, children, values)
            .and_then(|ffi| ffi.with_name(&field.name))
            .and_then(|ffi| ffi.with_flags(flags))
            .and_then(|ffi| ffi.with_metadata(field.metadata.iter().cloned()))
            .map_err(|error| self.malformed(index, error.to_string()))
    }
}
