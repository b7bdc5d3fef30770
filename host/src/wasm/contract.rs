//! The contract's types (`wit/types.wit`, `wit/stages.wit`) as wasmtime sees them. wasmtime checks them against the
//! component's own types when a component is linked.

use std::sync::Arc;

use arrow::buffer::Buffer;
use wasmtime::component::{ComponentType, Lift, Lower, Resource, flags};

use super::{crossing::Nothing, frame::Frame, recipe::cut};

flags! {
    FieldFlags {
        #[component(name = "nullable")]
        const NULLABLE;
        #[component(name = "dictionary-ordered")]
        const DICTIONARY_ORDERED;
        #[component(name = "map-keys-sorted")]
        const MAP_KEYS_SORTED;
        #[component(name = "dictionary-encoded")]
        const DICTIONARY_ENCODED;
    }
}

#[derive(Clone, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Field {
    pub name: String,
    pub format: String,
    pub flags: FieldFlags,
    pub children: u32,
    pub metadata: Vec<(String, String)>,
}

#[derive(Clone, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Schema {
    pub fields: Vec<Field>,
    pub metadata: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, ComponentType)]
#[component(record)]
pub struct Node {
    pub length: u64,
    #[component(name = "null-count")]
    pub null_count: u64,
    pub variadic: u32,
}

/// Arrays on their way into the guest: the buffers are Arrow's own, and nothing stands for one of no bytes. `crossing` lays it out.
#[derive(Clone, Debug, Default)]
pub struct ArraysIn {
    pub nodes: Vec<Node>,
    pub buffers: Vec<Option<Buffer>>,
    pub nothing: Arc<Nothing>,
}

/// Arrays on their way out: each buffer was copied once, out of linear memory, by `crossing`.
#[derive(Clone, Debug, Default, ComponentType)]
#[component(record)]
pub struct ArraysOut {
    pub nodes: Vec<Node>,
    pub buffers: Vec<Vec<u8>>,
}

#[derive(Clone, Debug, ComponentType)]
#[component(variant)]
pub enum Rows {
    #[component(name = "all")]
    All,
    #[component(name = "bitmap")]
    Bitmap(Vec<u8>),
    #[component(name = "indices")]
    Indices(Vec<u32>),
    #[component(name = "fresh")]
    Fresh(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType)]
#[component(variant)]
pub enum Column {
    #[component(name = "input")]
    Input(u32),
    #[component(name = "made")]
    Made,
}

#[derive(Clone, Debug, ComponentType)]
#[component(variant)]
pub enum Columns {
    #[component(name = "untouched")]
    Untouched,
    #[component(name = "each")]
    Each(Vec<Column>),
}

#[derive(Clone, Debug, ComponentType)]
#[component(record)]
pub struct Output {
    pub port: u32,
    pub rows: Rows,
    pub columns: Columns,
    pub made: ArraysOut,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct Rejection {
    pub row: u32,
    pub reason: String,
}

/// Taken out of linear memory by `crossing`, as are its parts.
#[derive(Clone, Debug, ComponentType)]
#[component(record)]
pub struct Answer {
    pub outputs: Vec<Output>,
    pub rejections: Vec<Rejection>,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct Port {
    pub name: String,
    pub schema: Schema,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub struct Input {
    pub name: String,
    pub schema: Schema,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct ConfigError {
    pub pointer: String,
    pub offset: Option<u32>,
    pub message: String,
    pub help: Option<String>,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct SchemaError {
    pub column: Option<String>,
    pub message: String,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(variant)]
pub enum StageError {
    #[component(name = "config")]
    Config(ConfigError),
    #[component(name = "schema")]
    Schema(SchemaError),
    #[component(name = "data")]
    Data(String),
    #[component(name = "unavailable")]
    Unavailable(String),
    #[component(name = "internal")]
    Internal(String),
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct Description {
    pub name: String,
    pub version: String,
    pub summary: String,
    pub documentation: String,
    #[component(name = "config-schema")]
    pub config_schema: String,
    pub stateful: bool,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(variant)]
pub enum FrameError {
    #[component(name = "no-such-column")]
    NoSuchColumn(String),
    #[component(name = "too-large")]
    TooLarge(u64),
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct Fresh {
    pub rows: u64,
    pub columns: ArraysOut,
}

#[derive(Debug, ComponentType, Lift)]
#[component(variant)]
pub enum Values {
    #[component(name = "frame")]
    Frame(Resource<Frame>),
    #[component(name = "made")]
    Made(Fresh),
}

#[derive(Debug, ComponentType, Lift)]
#[component(record)]
pub struct Extracted {
    pub port: u32,
    pub values: Values,
    pub position: Vec<u8>,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct Receipt {
    pub rows: u64,
    pub location: String,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(variant)]
pub enum TableError {
    #[component(name = "denied")]
    Denied(String),
    #[component(name = "not-found")]
    NotFound(String),
    #[component(name = "options")]
    Options(String),
    #[component(name = "format")]
    Format(String),
    #[component(name = "unavailable")]
    Unavailable(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
// Lifted from a number, never constructed by name.
#[allow(dead_code)]
pub enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(variant)]
pub enum Value {
    #[component(name = "text")]
    Text(String),
    #[component(name = "integer")]
    Integer(i64),
    #[component(name = "number")]
    Number(f64),
    #[component(name = "flag")]
    Flag(bool),
}

#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct Attribute {
    pub key: String,
    pub value: Value,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(record)]
pub struct SpanContext {
    #[component(name = "trace-id")]
    pub trace_id: String,
    #[component(name = "span-id")]
    pub span_id: String,
    pub sampled: bool,
}

#[derive(Clone, Debug, ComponentType, Lower)]
#[component(variant)]
// The store in memory always answers; one on disk may not.
#[allow(dead_code)]
pub enum StateError {
    #[component(name = "too-large")]
    TooLarge(String),
    #[component(name = "unavailable")]
    Unavailable(String),
}

impl StageError {
    /// As the host tells it, no text longer than this many bytes.
    pub fn within(self, limit: usize) -> crate::words::call::StageError {
        use crate::words::call::StageError as Said;
        let cut = |text| cut(text, limit);
        match self {
            StageError::Config(e) => {
                Said::Config { pointer: cut(e.pointer), offset: e.offset, message: cut(e.message), help: e.help.map(cut) }
            }
            StageError::Schema(e) => Said::Schema { column: e.column.map(cut), message: cut(e.message) },
            StageError::Data(message) => Said::Data(cut(message)),
            StageError::Unavailable(message) => Said::Unavailable(cut(message)),
            StageError::Internal(message) => Said::Internal(cut(message)),
        }
    }
}

impl From<crate::words::tables::TableError> for TableError {
    fn from(error: crate::words::tables::TableError) -> Self {
        use crate::words::tables::TableError as Said;
        match error {
            Said::Denied(text) => TableError::Denied(text),
            Said::NotFound(text) => TableError::NotFound(text),
            Said::Options(text) => TableError::Options(text),
            Said::Format(text) => TableError::Format(text),
            Said::Unavailable(text) => TableError::Unavailable(text),
        }
    }
}
