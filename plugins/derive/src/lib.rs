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
    columns: Vec<Source>,
}

/// The output as it grows with every derived column.
struct Plan {
    stage: Derive,
    fields: Vec<Field>,
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
        Ok((plan.stage, Port::out(Schema::new_with_metadata(plan.fields, schema.metadata().clone()))))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        let rows = frame.rows();
        let mut batch = Batch::read(frame, &self.mentioned)?;
        for (expression, index) in &self.derived {
            let value = expression.evaluate(&batch)?;
            batch.define(*index, value);
        }
        let column = |source: &Source| match source {
            Source::Input(index) => Column::input(*index),
            Source::Derived(index) => Column::Made(batch.array(&self.scope, *index, rows)),
        };
        Ok(Output::of(Rows::All).columns(self.columns.iter().map(column).collect::<Vec<_>>()).into())
    }
}

// === impl Plan ===

impl Plan {
    /// The input, unchanged.
    fn of(schema: &Schema) -> Self {
        let inputs = schema.fields().len();
        let columns = (0..inputs).map(Source::Input).collect();
        let stage = Derive { scope: Scope::of(schema), derived: Vec::new(), mentioned: Vec::new(), columns };
        Self { stage, fields: schema.fields().iter().map(|field| field.as_ref().clone()).collect(), inputs }
    }

    fn derive(&mut self, schema: &Schema, name: &str, text: &str) -> Result<(), StageError> {
        let stage = &mut self.stage;
        let compiled = Expression::compile(text, &stage.scope);
        let expression = compiled.map_err(|mistake| mistake.at(&format!("/columns/{}", escaped(name))))?;
        let (field, source) = match expression.as_column() {
            Some(index) => {
                stage.scope.alias(name, index);
                if index < self.inputs {
                    (schema.field(index).clone().with_name(name), Source::Input(index))
                } else {
                    (Field::new(name, expression.data_type(), expression.is_nullable()), Source::Derived(index))
                }
            }
            None => {
                let field = Field::new(name, expression.data_type(), expression.is_nullable());
                let index = stage.scope.define(name, field.data_type(), field.is_nullable());
                for &mentioned in expression.mentions().iter().filter(|mentioned| **mentioned < self.inputs) {
                    if !stage.mentioned.contains(&mentioned) {
                        stage.mentioned.push(mentioned);
                    }
                }
                stage.derived.push((expression, index));
                (field, Source::Derived(index))
            }
        };
        match self.fields.iter().position(|known| known.name() == name) {
            Some(place) => (self.fields[place], stage.columns[place]) = (field, source),
            None => {
                self.fields.push(field);
                stage.columns.push(source);
            }
        }
        Ok(())
    }
}

export_transform!(Derive);
