//! A schema for the host.

use arrow_schema::{DataType, Field, Schema};

use super::{format::children, write};
use crate::abi::{self, List, Pair, Text, flags};

/// A schema laid out for the boundary, with everything it points at.
pub struct SentSchema {
    fields: Vec<abi::Field>,
    metadata: Vec<Pair>,
    /// Strings and lists that the fields point into; their own addresses do not change when this grows.
    texts: Vec<String>,
    pairs: Vec<Vec<Pair>>,
}

// === impl SentSchema ===

impl SentSchema {
    /// Lays a schema out.
    pub fn new(schema: &Schema) -> Self {
        let mut sent = Self { fields: Vec::new(), metadata: Vec::new(), texts: Vec::new(), pairs: Vec::new() };
        for field in schema.fields() {
            sent.push(field.name(), field.data_type(), field.is_nullable(), field.dict_is_ordered().unwrap_or(false), field.metadata());
        }
        sent.metadata = sent.lay_out(schema.metadata());
        sent
    }

    /// What crosses. Points into `self`.
    pub fn abi(&self) -> abi::Schema {
        abi::Schema { fields: List::pointing_at(&self.fields), metadata: List::pointing_at(&self.metadata) }
    }

    fn push(
        &mut self,
        name: &str,
        data_type: &DataType,
        nullable: bool,
        ordered: bool,
        metadata: &std::collections::HashMap<String, String>,
    ) {
        let mut bits = 0;
        for (set, flag) in [
            (nullable, flags::NULLABLE),
            (ordered, flags::DICTIONARY_ORDERED),
            (matches!(data_type, DataType::Map(_, true)), flags::MAP_KEYS_SORTED),
            (matches!(data_type, DataType::Dictionary(..)), flags::DICTIONARY_ENCODED),
        ] {
            bits |= if set { flag } else { 0 };
        }
        let metadata = self.lay_out(metadata);
        let children = children(data_type);
        let field = abi::Field {
            name: self.keep(name.to_string()),
            format: self.keep(write(data_type)),
            flags: bits,
            children: children.len() as u32,
            metadata: List::pointing_at(&metadata),
        };
        self.pairs.push(metadata);
        self.fields.push(field);
        for child in children {
            self.push_field(child);
        }
        if let DataType::Dictionary(_, values) = data_type {
            self.push("", values, true, false, &Default::default());
        }
    }

    fn push_field(&mut self, field: &Field) {
        self.push(field.name(), field.data_type(), field.is_nullable(), field.dict_is_ordered().unwrap_or(false), field.metadata());
    }

    /// Metadata in the order of its keys: a hash map has none of its own, and what crosses should not vary.
    fn lay_out(&mut self, metadata: &std::collections::HashMap<String, String>) -> Vec<Pair> {
        let mut sorted: Vec<_> = metadata.iter().collect();
        sorted.sort();
        sorted.into_iter().map(|(key, value)| Pair { key: self.keep(key.clone()), value: self.keep(value.clone()) }).collect()
    }

    fn keep(&mut self, text: String) -> Text {
        let kept = Text::of(&text);
        self.texts.push(text);
        kept
    }
}
