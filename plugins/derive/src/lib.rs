//! `std:derive`: columns computed from others. Only the columns that expressions mention are read; the others, and those
//! that are merely given another name, never enter the sandbox.

mod config;

use config::Config;
use expressions::{Batch, Expression, Scope};
use parshall_sdk::{config::escaped, prelude::*};

/// Where a column of the output comes from.
#[derive(Clone, Copy)]
enum Source {
    /// The input, as it is.
    Input(usize),
    /// The derived column of this index in the scope.
    Derived(usize),
}

struct Derive {
    scope: Scope,
    /// What is computed, in order, with its index in the scope.
    derived: Vec<(Expression, usize)>,
    /// Columns of the input that are read.
    mentioned: Vec<usize>,
    projection: Projection,
    /// What is made, by its index in the scope.
    made: Vec<usize>,
}

/// The output as it grows with every derived column.
struct Plan {
    scope: Scope,
    derived: Vec<(Expression, usize)>,
    mentioned: Vec<usize>,
    fields: Vec<Field>,
    columns: Vec<Source>,
    /// How many columns the input has.
    inputs: usize,
}

impl Transform for Derive {
    type Config = Config;
    const DESCRIPTION: Description = Description {
        documentation: concat!(include_str!("../README.md"), "\n", include_str!("../../expressions/README.md")),
        ..describe!("Adds or replaces columns computed by SQL expressions")
    };

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        if config.columns.0.is_empty() {
            return Err(StageError::config("/columns", "no column is derived").help("for example `columns = { total = \"a + b\" }`"));
        }
        let mut plan = Plan::of(&schema);
        for (name, text) in &config.columns.0 {
            if name.is_empty() {
                return Err(StageError::config("/columns/", "a derived column needs a name"));
            }
            plan.derive(&schema, name, text)?;
        }
        let port = Port::out(Schema::new_with_metadata(std::mem::take(&mut plan.fields), schema.metadata().clone()));
        Ok((plan.stage(), port))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        let rows = frame.rows();
        let mut batch = Batch::read(frame, &self.mentioned)?;
        for (expression, index) in &self.derived {
            let value = expression.evaluate(&batch)?;
            batch.define(*index, value);
        }
        let made = self.made.iter().map(|index| batch.array(&self.scope, *index, rows));
        Ok(Output::of(Rows::All).projected(&self.projection, made).into())
    }
}

// === impl Plan ===

impl Plan {
    /// The input, unchanged.
    fn of(schema: &Schema) -> Self {
        let inputs = schema.fields().len();
        let fields = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
        let columns = (0..inputs).map(Source::Input).collect();
        Self { scope: Scope::of(schema), derived: Vec::new(), mentioned: Vec::new(), fields, columns, inputs }
    }

    fn stage(self) -> Derive {
        let source = |source: &Source| match source {
            Source::Input(index) => (Some(*index), None),
            Source::Derived(index) => (None, Some(*index)),
        };
        let (passed, made): (Vec<_>, Vec<_>) = self.columns.iter().map(source).unzip();
        Derive {
            scope: self.scope,
            derived: self.derived,
            mentioned: self.mentioned,
            projection: Projection::new(passed),
            made: made.into_iter().flatten().collect(),
        }
    }

    fn derive(&mut self, schema: &Schema, name: &str, text: &str) -> Result<(), StageError> {
        let compiled = Expression::compile(text, &self.scope);
        let expression = compiled.map_err(|mistake| mistake.at(&format!("/columns/{}", escaped(name))))?;
        let (field, source) = match expression.as_column() {
            Some(index) => {
                self.scope.alias(name, index);
                if index < self.inputs {
                    (schema.field(index).clone().with_name(name), Source::Input(index))
                } else {
                    (Field::new(name, expression.data_type(), expression.is_nullable()), Source::Derived(index))
                }
            }
            None => {
                let field = Field::new(name, expression.data_type(), expression.is_nullable());
                let index = self.scope.define(name, field.data_type(), field.is_nullable());
                for &mentioned in expression.mentions().iter().filter(|mentioned| **mentioned < self.inputs) {
                    if !self.mentioned.contains(&mentioned) {
                        self.mentioned.push(mentioned);
                    }
                }
                self.derived.push((expression, index));
                (field, Source::Derived(index))
            }
        };
        match self.fields.iter().position(|known| known.name() == name) {
            Some(place) => (self.fields[place], self.columns[place]) = (field, source),
            None => {
                self.fields.push(field);
                self.columns.push(source);
            }
        }
        Ok(())
    }
}

export_transform!(Derive);
