//! What is examined: a component, the role it plays, how it is configured and what it is fed.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::UInt64Array,
    compute::take_record_batch,
    datatypes::{DataType, Field, Schema},
};
use serde_json::{Value, json};

use super::arrays;
use crate::words::{
    batch::{RecordBatch, SchemaRef},
    call::{Call, CallError},
    grants::Grants,
    limits::Limits,
    stage::{Component, Extract, Input, Kind, Load, Opening, Port, Transform},
};

/// What a component is examined as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Any stage: judged as far as can be without knowing what it computes.
    Any,
    /// The reference stage that multiplies a column (plugins/languages/README.md).
    Scale,
    /// The reference stage that counts and sums (plugins/languages/README.md).
    Total,
}

/// A component with what it is examined with.
pub struct Subject {
    component: Arc<dyn Component>,
    role: Role,
    config: Value,
    sample: Option<RecordBatch>,
    grants: Grants,
}

// === impl Role ===

impl Role {
    /// As `--as` names it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Any => "any",
            Role::Scale => "scale",
            Role::Total => "total",
        }
    }

    /// The role of a component that calls itself so: `scale`, `scale-c` …
    pub fn of(name: &str) -> Self {
        match name.split('-').next() {
            Some("scale") => Role::Scale,
            Some("total") => Role::Total,
            _ => Role::Any,
        }
    }

    fn config(self) -> Value {
        match self {
            Role::Any => json!({}),
            Role::Scale => json!({ "column": "value", "factor": 3 }),
            Role::Total => json!({ "key": "label", "value": "value" }),
        }
    }
}

// === impl Subject ===

impl Subject {
    /// A component in a role. `config` and `sample` say what it needs to be opened and fed; without them a reference
    /// stage has its own, and any other an empty configuration and three columns.
    pub fn new(component: Arc<dyn Component>, role: Role, config: Option<Value>, sample: Option<RecordBatch>, grants: Grants) -> Self {
        Subject { component, role, config: config.unwrap_or_else(|| role.config()), sample, grants }
    }

    /// The component.
    pub fn component(&self) -> &dyn Component {
        &*self.component
    }

    /// What it is examined as.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Its configuration.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Whether instances remember; a component that cannot say so does not.
    pub fn stateful(&self) -> bool {
        self.component.description().is_ok_and(|description| description.stateful)
    }

    /// What it is fed: the sample's schema, or three columns of the commonest types.
    pub fn schema(&self) -> SchemaRef {
        match &self.sample {
            Some(sample) => sample.schema(),
            None => Arc::new(Schema::new(vec![
                Field::new("id", DataType::Int64, false),
                Field::new("value", DataType::Int64, true),
                Field::new("label", DataType::Utf8, true),
            ])),
        }
    }

    /// So many rows of it: the sample's again and again, or made ones, always the same.
    pub fn batch(&self, rows: usize) -> Arc<RecordBatch> {
        Arc::new(match &self.sample {
            Some(sample) if sample.num_rows() > 0 => {
                let indices: UInt64Array = (0..rows).map(|row| (row % sample.num_rows()) as u64).collect();
                take_record_batch(sample, &indices).expect("rows of the sample")
            }
            _ => arrays::batch(&self.schema(), rows),
        })
    }

    /// How an instance is opened.
    pub fn opening(&self, config: &Value, schemas: &[SchemaRef], restore: Option<Vec<u8>>) -> Opening {
        let input = |(index, schema): (usize, &SchemaRef)| Input { name: format!("input{index}"), schema: Arc::clone(schema) };
        let inputs = if self.component.kind() == Kind::Extract { &[] } else { schemas };
        Opening {
            stage: "conformance".into(),
            config: config.clone(),
            inputs: inputs.iter().enumerate().map(input).collect(),
            // The largest batches of the cases, in a runtime that keeps whatever it was ever handed.
            limits: Limits { memory: 2 << 30, ..Limits::default() },
            grants: self.grants.clone(),
            restore,
        }
    }

    /// A transform, open as the subject is, or what came of opening it.
    pub fn open(&self) -> Result<Box<dyn Transform>, CallError> {
        self.open_with(&self.config, &self.schema(), None).map(|(transform, _)| transform)
    }

    /// A transform, open with something else.
    pub fn open_with(
        &self,
        config: &Value,
        schema: &SchemaRef,
        restore: Option<Vec<u8>>,
    ) -> Result<(Box<dyn Transform>, Vec<Port>), CallError> {
        self.component.open_transform(&self.opening(config, &[Arc::clone(schema)], restore)).outcome
    }

    /// An extract, open, after this position.
    pub fn open_extract(&self, position: Option<Vec<u8>>) -> Result<Box<dyn Extract>, CallError> {
        self.component.open_extract(&self.opening(&self.config, &[], position)).outcome.map(|(extract, _)| extract)
    }

    /// A load, open.
    pub fn open_load(&self) -> Result<Box<dyn Load>, CallError> {
        self.component.open_load(&self.opening(&self.config, &[self.schema()], None)).outcome
    }

    /// Opens whatever it is with this configuration and lets go of it.
    pub fn try_config(&self, config: &Value) -> Result<(), CallError> {
        let opening = self.opening(config, &[self.schema()], None);
        fn dropped<T>(call: Call<T>) -> Result<(), CallError> {
            call.outcome.map(|_| ())
        }
        match self.component.kind() {
            Kind::Extract => dropped(self.component.open_extract(&opening)),
            Kind::Transform => dropped(self.component.open_transform(&opening)),
            Kind::Load => dropped(self.component.open_load(&opening)),
        }
    }

    /// The same configuration with some keys set or, where the value is null, left out.
    pub fn config_with(&self, changes: &[(&str, Value)]) -> Value {
        let mut config: BTreeMap<String, Value> = match &self.config {
            Value::Object(object) => object.clone().into_iter().collect(),
            _ => BTreeMap::new(),
        };
        for (key, value) in changes {
            match value {
                Value::Null => config.remove(*key),
                value => config.insert((*key).to_owned(), value.clone()),
            };
        }
        config.into_iter().collect()
    }
}
