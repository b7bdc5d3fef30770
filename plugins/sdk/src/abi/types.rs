//! `parshall:stage/types` and what the stage interfaces add to it, laid out for the boundary.

use super::list::{List, Text};

/// `option<T>`.
#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Maybe<T> {
    None,
    Some(T),
}

/// `result<T, E>`.
#[repr(C, u8)]
pub enum Outcome<T, E> {
    Ok(T),
    Err(E),
}

/// `field-flags`, one bit each.
pub mod flags {
    pub const NULLABLE: u8 = 1;
    pub const DICTIONARY_ORDERED: u8 = 2;
    pub const MAP_KEYS_SORTED: u8 = 4;
    pub const DICTIONARY_ENCODED: u8 = 8;
}

/// `tuple<string, string>`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Pair {
    pub key: Text,
    pub value: Text,
}

/// `field`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Field {
    pub name: Text,
    pub format: Text,
    pub flags: u8,
    pub children: u32,
    pub metadata: List<Pair>,
}

/// `schema`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Schema {
    pub fields: List<Field>,
    pub metadata: List<Pair>,
}

/// `node`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    pub length: u64,
    pub null_count: u64,
    pub variadic: u32,
}

/// `arrays`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Arrays {
    pub nodes: List<Node>,
    pub buffers: List<List<u8>>,
}

/// `rows`.
#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Rows {
    All,
    Bitmap(List<u8>),
    Indices(List<u32>),
    Fresh(u64),
}

/// `column`.
#[repr(C, u8)]
#[derive(Clone, Copy, Debug)]
pub enum Column {
    Input(u32),
    Made,
}

/// `columns`.
#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Columns {
    Untouched,
    Each(List<Column>),
}

/// `output`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Output {
    pub port: u32,
    pub rows: Rows,
    pub columns: Columns,
    pub made: Arrays,
}

/// `rejection`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Rejection {
    pub row: u32,
    pub reason: Text,
}

/// `answer`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Answer {
    pub outputs: List<Output>,
    pub rejections: List<Rejection>,
}

/// `port`, and `input`, which has the same shape.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Port {
    pub name: Text,
    pub schema: Schema,
}

/// `config-error`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ConfigError {
    pub pointer: Text,
    pub offset: Maybe<u32>,
    pub message: Text,
    pub help: Maybe<Text>,
}

/// `schema-error`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SchemaError {
    pub column: Maybe<Text>,
    pub message: Text,
}

/// `stage-error`.
#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum StageError {
    Config(ConfigError),
    Schema(SchemaError),
    Data(Text),
    Unavailable(Text),
    Internal(Text),
}

/// `description`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Description {
    pub name: Text,
    pub version: Text,
    pub summary: Text,
    pub documentation: Text,
    pub config_schema: Text,
    pub stateful: bool,
}

/// `frame-error`.
#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum FrameError {
    NoSuchColumn(Text),
    TooLarge(u64),
}

/// `table-error`.
#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum TableError {
    Denied(Text),
    NotFound(Text),
    Options(Text),
    Format(Text),
    Unavailable(Text),
}

/// `extract.fresh`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Fresh {
    pub rows: u64,
    pub columns: Arrays,
}

/// `extract.values`.
#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Values {
    Frame(u32),
    Made(Fresh),
}

/// `extract.extracted`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Extracted {
    pub port: u32,
    pub values: Values,
    pub position: List<u8>,
}

/// `load.receipt`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Receipt {
    pub rows: u64,
    pub location: Text,
}

/// `telemetry.value`.
#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum AttributeValue {
    Text(Text),
    Integer(i64),
    Number(f64),
    Flag(bool),
}

/// `telemetry.attribute`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Attribute {
    pub key: Text,
    pub value: AttributeValue,
}

/// `telemetry.span-context`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SpanContext {
    pub trace_id: Text,
    pub span_id: Text,
    pub sampled: bool,
}

/// `state.state-error`.
#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum StateError {
    TooLarge(Text),
    Unavailable(Text),
}
