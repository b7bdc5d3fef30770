//! Every Arrow type, beside what the stage works on or as that: taken, or refused in words.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use serde_json::{Value, json};

use super::{Case, must};
use crate::{
    conformance::{
        arrays, calls,
        card::{Asked, Finding, does_not_apply, fails},
        subject::{Role, Subject},
    },
    words::{
        batch::{RecordBatch, SchemaRef},
        call::{CallError, StageError},
    },
};

pub const CASES: &[Case] = &[
    must("a column of any type beside its own", beside),
    must("its own column of any type", as_its_own),
    must("columns of any name", names),
];

const ROWS: usize = 50;

/// What was taken and what was refused.
#[derive(Default)]
struct Coverage {
    taken: usize,
    refused: Vec<String>,
}

// === impl Coverage ===

impl Coverage {
    /// Opens and runs with a schema whose column `extra` has this type.
    fn ask(&mut self, subject: &Subject, name: &str, config: &Value, schema: &SchemaRef, batch: RecordBatch) -> Result<(), Finding> {
        let (mut transform, _) = match subject.open_with(config, schema, None) {
            Ok(opened) => opened,
            Err(CallError::Stage(StageError::Schema { .. } | StageError::Config { .. })) => {
                self.refused.push(name.to_owned());
                return Ok(());
            }
            Err(error) => return Err(Finding::failed(name, &error)),
        };
        let batch = Arc::new(batch);
        calls::process(&mut *transform, &[batch]).map_err(|error| Finding::failed(name, &error))?;
        calls::finish(&mut *transform)?;
        self.taken += 1;
        Ok(())
    }

    fn told(&self) -> Asked {
        let refused = match self.refused.len() {
            0 => String::new(),
            1..=12 => format!("; refused: {}", self.refused.join(", ")),
            refused => format!("; {refused} refused in words"),
        };
        Ok(format!("{} of {} taken{refused}", self.taken, self.taken + self.refused.len()))
    }
}

/// The subject's schema and a column more, and rows of it.
fn with_extra(subject: &Subject, data_type: &DataType) -> (SchemaRef, RecordBatch) {
    let field = Field::new("extra", data_type.clone(), true);
    let batch = subject.batch(ROWS);
    let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(field));
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let mut columns = batch.columns().to_vec();
    columns.push(arrays::array(data_type, ROWS, true));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns of the schema");
    (schema, batch)
}

fn beside(subject: &Subject) -> Asked {
    if let Err(error) = subject.open() {
        return does_not_apply(format!("it does not open ({})", error.reason()));
    }
    let mut coverage = Coverage::default();
    for (name, data_type) in arrays::types() {
        let (schema, batch) = with_extra(subject, &data_type);
        coverage.ask(subject, &name, subject.config(), &schema, batch)?;
    }
    if subject.role() != Role::Any && !coverage.refused.is_empty() {
        return fails(format!("refused though it need not look at them: {}", coverage.refused.join(", ")));
    }
    coverage.told()
}

fn as_its_own(subject: &Subject) -> Asked {
    let changes: &[(&str, Value)] = match subject.role() {
        Role::Any => return does_not_apply("which column it works on is known of the reference stages only"),
        Role::Scale => &[("column", json!("extra"))],
        Role::Total => &[("value", json!("extra"))],
    };
    let mut coverage = Coverage::default();
    for (name, data_type) in arrays::types() {
        let (schema, batch) = with_extra(subject, &data_type);
        coverage.ask(subject, &name, &subject.config_with(changes), &schema, batch)?;
    }
    if coverage.taken < 2 {
        return fails(format!("Int64 and Float64 are to be taken, and {} types are", coverage.taken));
    }
    coverage.told()
}

/// Names are the pipeline's business: empty, long, foreign, twice the same. (The host itself refuses one with a zero in it.)
fn names(subject: &Subject) -> Asked {
    if let Err(error) = subject.open() {
        return does_not_apply(format!("it does not open ({})", error.reason()));
    }
    let long = "n".repeat(1000);
    let odd = ["", " ", "😀 Straße", "\"quoted\"\\", long.as_str(), "twice", "twice"];
    let batch = subject.batch(ROWS);
    let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
    let mut columns = batch.columns().to_vec();
    for name in odd {
        fields.push(Arc::new(Field::new(name, DataType::Int32, true)));
        columns.push(arrays::array(&DataType::Int32, ROWS, true));
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns of the schema");
    let mut coverage = Coverage::default();
    coverage.ask(subject, "odd names", subject.config(), &schema, batch)?;
    match coverage.taken {
        1 => Ok(format!("{} odd ones", odd.len())),
        _ if subject.role() != Role::Any => fails("refused though it need not look at them"),
        _ => Ok("odd ones are refused in words".into()),
    }
}
