//! The columns of one batch that expressions read, by their index in the scope.

use arrow_data::ArrayData;
use parshall_sdk::{Frame, StageError};

use crate::{receive, scope::Scope, send, value::Value};

/// Columns in, by index; those that no expression mentions stay absent. Expressions mention few, so they are searched for.
pub struct Batch {
    rows: usize,
    columns: Vec<(usize, Value)>,
}

// === impl Batch ===

impl Batch {
    /// Without any column yet.
    pub fn new(rows: usize) -> Self {
        Self { rows, columns: Vec::new() }
    }

    /// Reads the columns that are mentioned, in one crossing.
    pub fn read(frame: &Frame, mentioned: &[usize]) -> Result<Self, StageError> {
        let mut batch = Self::new(frame.rows());
        frame.read(mentioned)?;
        for &index in mentioned {
            batch.insert(index, &frame.take(index)?).map_err(|message| {
                let name = frame.schema().field(index).name();
                StageError::Data(format!("column `{name}`: {message}"))
            })?;
        }
        Ok(batch)
    }

    /// Puts a column in.
    pub fn insert(&mut self, index: usize, data: &ArrayData) -> Result<(), String> {
        self.define(index, Value::Many(receive::column(data)?));
        Ok(())
    }

    /// Puts in what was derived.
    pub fn define(&mut self, index: usize, value: Value) {
        match self.columns.iter_mut().find(|(known, _)| *known == index) {
            Some((_, known)) => *known = value,
            None => self.columns.push((index, value)),
        }
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
        let found = self.columns.iter().find(|(known, _)| *known == index);
        found.map(|(_, value)| value.clone()).expect("the stage reads what its expressions mention")
    }

    /// One row and no column: what constants are folded in.
    pub(crate) fn constant() -> Self {
        Self::new(1)
    }
}
