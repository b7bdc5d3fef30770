//! The columns of one batch that expressions read, by their index in the scope.

use arrow_data::ArrayData;
use parshall_sdk::{Frame, StageError};

use crate::{receive, scope::Scope, send, value::Value};

/// Columns in, by index; those that no expression mentions stay absent.
pub struct Batch {
    rows: usize,
    columns: Vec<Option<Value>>,
}

// === impl Batch ===

impl Batch {
    /// Without any column yet.
    pub fn new(scope: &Scope, rows: usize) -> Self {
        Self { rows, columns: vec![None; scope.len()] }
    }

    /// Reads the columns that are mentioned, in one crossing.
    pub fn read(scope: &Scope, frame: &Frame, mentioned: &[usize]) -> Result<Self, StageError> {
        let mut batch = Self::new(scope, frame.rows());
        frame.read(mentioned)?;
        for &index in mentioned {
            batch.insert(index, &frame.data(index)?).map_err(|message| {
                let name = frame.schema().field(index).name();
                StageError::Data(format!("column `{name}`: {message}"))
            })?;
        }
        Ok(batch)
    }

    /// Puts a column in.
    pub fn insert(&mut self, index: usize, data: &ArrayData) -> Result<(), String> {
        self.columns[index] = Some(Value::Many(receive::column(data)?));
        Ok(())
    }

    /// Puts in what was derived.
    pub fn define(&mut self, index: usize, value: Value) {
        self.columns[index] = Some(value);
    }

    /// What was derived, as a column of its type in the scope.
    pub fn array(&self, scope: &Scope, index: usize, rows: usize) -> ArrayData {
        send::array(&self.column(index), &scope.get(index).kind, rows)
    }

    /// How many rows each column has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A column that an expression mentions and its stage has read.
    pub(crate) fn column(&self, index: usize) -> Value {
        self.columns[index].clone().expect("the stage reads what its expressions mention")
    }

    /// One row and no column: what constants are folded in.
    pub(crate) fn constant() -> Self {
        Self { rows: 1, columns: Vec::new() }
    }
}
