//! An expression that has been compiled.

use arrow_buffer::BooleanBuffer;
use arrow_data::ArrayData;
use arrow_schema::DataType;
use parshall_sdk::StageError;

use crate::{
    batch::Batch,
    check::compile,
    kernels::boolean,
    mistake::Mistake,
    node::{Node, Step},
    scope::Scope,
    send,
    types::Type,
    value::Value,
};

/// Ready to be evaluated, batch after batch.
#[derive(Clone, Debug)]
pub struct Expression {
    root: Node,
    text: String,
    mentions: Vec<usize>,
}

// === impl Expression ===

impl Expression {
    /// Reads the text and checks it against the columns in scope.
    pub fn compile(text: &str, scope: &Scope) -> Result<Self, Mistake> {
        let (root, mentions) = compile(text, scope)?;
        Ok(Self { root, text: text.into(), mentions })
    }

    /// The same for a condition.
    pub fn condition(text: &str, scope: &Scope) -> Result<Self, Mistake> {
        let mut condition = Self::compile(text, scope)?;
        match condition.root.kind {
            Type::Bool => Ok(condition),
            Type::Null => {
                condition.root.kind = Type::Bool;
                Ok(condition)
            }
            kind => Err(Mistake::new(condition.root.offset, format!("a condition is boolean, and this is {}", kind.name()))
                .help("compare it with something, as in `x > 0`")),
        }
    }

    /// The columns that are read, by their index in the scope, each once.
    pub fn mentions(&self) -> &[usize] {
        &self.mentions
    }

    /// The column that it is, if it is nothing else.
    pub fn as_column(&self) -> Option<usize> {
        if let Step::Column(index) = self.root.step { Some(index) } else { None }
    }

    /// The type of its values.
    pub fn data_type(&self) -> DataType {
        self.root.kind.data_type()
    }

    /// Whether they can be null.
    pub fn is_nullable(&self) -> bool {
        self.root.nullable || self.root.kind == Type::Null
    }

    /// Computes its values.
    pub fn evaluate(&self, batch: &Batch) -> Result<Value, StageError> {
        self.root.evaluate(batch, None).map_err(|failure| failure.of(&self.text))
    }

    /// Computes a condition: the rows where it is true.
    pub fn truths(&self, batch: &Batch) -> Result<BooleanBuffer, StageError> {
        Ok(boolean::truths(&self.evaluate(batch)?, batch.rows()))
    }

    /// The values as a column.
    pub fn array(&self, value: &Value, rows: usize) -> ArrayData {
        send::array(value, &self.root.kind, rows)
    }
}
