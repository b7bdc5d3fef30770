//! What every misbehaviour is made of: the contract's raw types, filled in as it likes. Whatever is said is leaked, so
//! that it is still there when the host reads it.

use parshall_sdk::abi::{
    self, Answer, Arrays, Column, Columns, Field, List, Maybe, Node, Outcome, Output, Port, Rejection, Rows, Schema, StageError, Text,
    flags,
};

/// What `open` says.
pub type Opened = Outcome<List<Port>, StageError>;
/// What `process` says.
pub type Answered = Outcome<Answer, StageError>;

/// One way to misbehave.
#[derive(Clone, Copy)]
pub struct Lie {
    /// As the configuration names it.
    pub mode: &'static str,
    /// Answers `open`; given the first input's schema.
    pub open: fn(Schema) -> Opened,
    /// Answers `process`; given the number of rows.
    pub process: fn(usize) -> Answered,
}

// === impl Lie ===

impl Lie {
    /// A lie told by `process` about the rows or columns of an output with the input's schema.
    pub const fn about_recipe(mode: &'static str, process: fn(usize) -> Answered) -> Self {
        Self { mode, open: as_it_came, process }
    }

    /// A lie told by `open`; `process` is never reached.
    pub const fn about_schema(mode: &'static str, open: fn(Schema) -> Opened) -> Self {
        Self { mode, open, process: |_| everything() }
    }
}

/// Opens with the schema that arrives.
pub fn as_it_came(schema: Schema) -> Opened {
    Outcome::Ok(List::leak(vec![Port { name: Text::of("out"), schema }]))
}

/// Opens with these fields.
pub fn fields<const N: usize>(fields: [Field; N]) -> Opened {
    as_it_came(Schema { fields: List::leak(fields.into()), metadata: List::EMPTY })
}

/// A nullable field.
pub fn field(name: &'static str, format: &'static str, children: u32) -> Field {
    Field { name: Text::of(name), format: Text::of(format), flags: flags::NULLABLE, children, metadata: List::EMPTY }
}

/// Passes everything on.
pub fn everything() -> Answered {
    answer(output(Rows::All, Columns::Untouched), vec![])
}

/// One output and some rejections.
pub fn answer(output: Output, rejections: Vec<(usize, String)>) -> Answered {
    let rejections = rejections.into_iter().map(|(row, reason)| Rejection { row: row as u32, reason: List::leak(reason.into()) });
    Outcome::Ok(Answer { outputs: List::leak(vec![output]), rejections: List::leak(rejections.collect()) })
}

/// An output to the first port that makes nothing.
pub fn output(rows: Rows, columns: Columns) -> Output {
    Output { port: 0, rows, columns, made: Arrays { nodes: List::EMPTY, buffers: List::EMPTY } }
}

/// Every row, with one column, which is made.
pub fn made(nodes: Vec<Node>, buffers: Vec<Vec<u8>>) -> Answered {
    made_for(Rows::All, nodes, buffers)
}

/// Some rows, with one column, which is made.
pub fn made_for(rows: Rows, nodes: Vec<Node>, buffers: Vec<Vec<u8>>) -> Answered {
    let made = Arrays { nodes: List::leak(nodes), buffers: List::leak(buffers.into_iter().map(List::leak).collect()) };
    answer(Output { made, ..output(rows, Columns::Each(List::leak(vec![Column::Made]))) }, vec![])
}

/// A node without nulls.
pub fn node(length: usize) -> Node {
    Node { length: length as u64, null_count: 0, variadic: 0 }
}

/// Numbers as bytes.
pub fn int32s(numbers: impl IntoIterator<Item = i32>) -> Vec<u8> {
    numbers.into_iter().flat_map(i32::to_le_bytes).collect()
}

/// As many int64 zeros.
pub fn zeros(count: usize) -> Vec<u8> {
    vec![0; count * 8]
}

/// An error in the configuration at `/mode`.
pub fn config_error(message: &'static str, help: &'static str) -> StageError {
    StageError::Config(abi::ConfigError {
        pointer: Text::of("/mode"),
        offset: Maybe::Some(0),
        message: Text::of(message),
        help: Maybe::Some(Text::of(help)),
    })
}

/// A bitmap for which no row survives.
pub fn nobody(rows: usize) -> List<u8> {
    List::leak(vec![0; rows.div_ceil(8)])
}
