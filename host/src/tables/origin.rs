//! The span that wrote a file: said in the file's key-value metadata, and no part of the schema that people see.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use crate::words::{carry, trace::SpanContext};

/// Bytes of one value that are looked at: longer than any format allows.
const VALUE: usize = 8 << 10;

/// Who wrote a file with this metadata.
pub fn of<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Option<SpanContext> {
    let carried: Vec<_> = pairs.filter(|(key, value)| carry::is_context(key) && value.len() <= VALUE).collect();
    let look = |name: &str| carried.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    if carried.is_empty() { None } else { carry::origin(&look) }
}

/// The schema without what says who wrote the file, so that nobody writes it into the next. Where no span is named, what looks
/// like its company is somebody's own metadata and stays.
pub fn without(schema: &SchemaRef) -> SchemaRef {
    if !carry::carries(schema.metadata().keys().map(String::as_str)) {
        return Arc::clone(schema);
    }
    let others = schema.metadata().iter().filter(|(key, _)| !carry::is_context(key));
    let others = others.map(|(key, value)| (key.clone(), value.clone())).collect();
    Arc::new(Schema::new_with_metadata(schema.fields().clone(), others))
}
