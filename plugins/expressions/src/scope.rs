//! The names that an expression can mention.

use arrow_schema::{DataType, Schema};
use parshall_sdk::{columns_are, nearest};

use crate::{mistake::Mistake, types::Type};

/// Columns by name; where a name is defined again, the later one counts.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    columns: Vec<Known>,
    /// How many of them, from the first, are the schema's own.
    inputs: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub name: String,
    pub kind: Type,
    pub nullable: bool,
    /// The column that it is: itself, or the one that it is another name of.
    index: usize,
}

// === impl Scope ===

impl Scope {
    /// The columns of a schema, with their indices.
    pub fn of(schema: &Schema) -> Self {
        let mut scope = Self::default();
        for field in schema.fields() {
            scope.define(field.name(), field.data_type(), field.is_nullable());
        }
        scope.inputs = scope.columns.len();
        scope
    }

    /// Adds a column, which may hide another. Answers its index.
    pub fn define(&mut self, name: &str, data_type: &DataType, nullable: bool) -> usize {
        let index = self.columns.len();
        self.columns.push(Known { name: name.into(), kind: Type::of(data_type), nullable, index });
        index
    }

    /// Gives a column another name, beside those it has.
    pub fn alias(&mut self, name: &str, index: usize) {
        self.columns.push(Known { name: name.into(), ..self.columns[index].clone() });
    }

    pub(crate) fn get(&self, index: usize) -> &Known {
        &self.columns[index]
    }

    /// The column of this name. Of a schema's columns the first counts where names repeat, as when a frame is read.
    pub(crate) fn find(&self, name: &str, offset: u32) -> Result<usize, Mistake> {
        let (inputs, derived) = self.columns.split_at(self.inputs);
        let later = derived.iter().rposition(|known| known.name == name).map(|index| self.inputs + index);
        let found = later.or_else(|| inputs.iter().position(|known| known.name == name));
        found.map(|index| self.columns[index].index).ok_or_else(|| {
            let mistake = Mistake::new(offset, format!("there is no column `{name}`"));
            let names: Vec<&str> = self.columns.iter().map(|known| known.name.as_str()).collect();
            match nearest(name, names.iter().copied()) {
                Some(near) => mistake.help(format!("did you mean `{}`?", quoted(near))),
                None if names.is_empty() => mistake.help(columns_are(&names)),
                None => mistake.help(format!("{}; a text is written in single quotes", columns_are(&names))),
            }
        })
    }
}

/// A name as it is written in an expression.
fn quoted(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') && !name.starts_with(|first: char| first.is_numeric());
    if plain { name.into() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
