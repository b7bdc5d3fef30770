//! A schema from the host.

use std::{collections::HashMap, sync::Arc};

use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::{child_count, parse};
use crate::{
    abi::{self, List, Pair, flags},
    error::StageError,
};

/// Takes a schema over.
///
/// # Safety
/// It must have come from the host and not have been taken before.
pub unsafe fn receive(schema: abi::Schema) -> Result<SchemaRef, StageError> {
    let fields: Vec<Received> = unsafe { schema.fields.into_vec() }.into_iter().map(|field| unsafe { Received::take(field) }).collect();
    let mut rest = fields.into_iter();
    let mut columns = Vec::new();
    while rest.len() > 0 {
        columns.push(build(&mut rest)?);
    }
    Ok(Arc::new(Schema::new_with_metadata(columns, unsafe { pairs(schema.metadata) })))
}

/// One of the contract's fields, owned.
pub struct Received {
    pub name: String,
    pub format: String,
    pub flags: u8,
    pub children: usize,
    pub metadata: HashMap<String, String>,
}

// === impl Received ===

impl Received {
    unsafe fn take(field: abi::Field) -> Self {
        unsafe {
            Self {
                name: field.name.into_string(),
                format: field.format.into_string(),
                flags: field.flags,
                children: field.children as usize,
                metadata: pairs(field.metadata),
            }
        }
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// The next field with its children, and for a dictionary the field of its values.
pub fn build(rest: &mut std::vec::IntoIter<Received>) -> Result<FieldRef, StageError> {
    let field = rest.next().ok_or_else(|| StageError::Internal("the host's schema is cut off".into()))?;
    if child_count(&field.format).is_some_and(|count| count != field.children) {
        return Err(unknown(&field));
    }
    let children = (0..field.children).map(|_| build(rest)).collect::<Result<Vec<_>, _>>()?;
    let mut data_type = parse(&field.format, children, field.has(flags::MAP_KEYS_SORTED)).ok_or_else(|| unknown(&field))?;
    if field.has(flags::DICTIONARY_ENCODED) {
        data_type = DataType::Dictionary(Box::new(data_type), Box::new(build(rest)?.data_type().clone()));
    }
    let nullable = field.has(flags::NULLABLE);
    let ordered = field.has(flags::DICTIONARY_ORDERED);
    let built = Field::new(field.name, data_type, nullable).with_metadata(field.metadata);
    Ok(Arc::new(if ordered { built.with_dict_is_ordered(true) } else { built }))
}

fn unknown(field: &Received) -> StageError {
    StageError::schema(&field.name, format!("the type `{}` with {} children is not known to this SDK", field.format, field.children))
}

unsafe fn pairs(list: List<Pair>) -> HashMap<String, String> {
    unsafe { list.into_vec() }.into_iter().map(|pair| unsafe { (pair.key.into_string(), pair.value.into_string()) }).collect()
}
