//! What arrives at a stage and what leaves it.

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::{abi, error::StageError, schema};

/// What arrives: who feeds the stage, and the schema of every batch from there.
#[derive(Clone, Debug)]
pub struct Input {
    /// As written in the pipeline file: `stage` or `stage.port`.
    pub name: String,
    /// Of every batch.
    pub schema: SchemaRef,
}

/// A way out of a stage.
#[derive(Clone, Debug)]
pub struct Port {
    /// `out` where there is only one.
    pub name: String,
    /// Of every batch that leaves by it.
    pub schema: SchemaRef,
}

// === impl Input ===

impl Input {
    /// Takes inputs over.
    ///
    /// # Safety
    /// The list must have come from the host and not have been taken before.
    pub(crate) unsafe fn receive(inputs: abi::List<abi::Port>) -> Result<Vec<Self>, StageError> {
        let inputs = unsafe { inputs.into_vec() }.into_iter();
        inputs.map(|input| unsafe { Ok(Self { name: input.name.into_string(), schema: schema::receive(input.schema)? }) }).collect()
    }
}

// === impl Port ===

impl Port {
    /// A port of this name.
    pub fn named(name: impl Into<String>, schema: impl Into<SchemaRef>) -> Self {
        Self { name: name.into(), schema: schema.into() }
    }

    /// The only port, `out`.
    pub fn out(schema: impl Into<SchemaRef>) -> Vec<Self> {
        vec![Self::named("out", schema)]
    }
}

/// The one schema that all inputs have, for a stage that treats them alike. Columns must agree in name and type; one
/// that may hold nulls in any input may hold them in all.
pub fn same_schema(inputs: &[Input]) -> Result<SchemaRef, StageError> {
    let Some((first, others)) = inputs.split_first() else {
        return Err(StageError::Schema { column: None, message: "the stage has no input".into() });
    };
    let mut fields: Vec<Field> = first.schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    for other in others {
        for (index, field) in fields.iter_mut().enumerate() {
            let Some(theirs) = other.schema.fields().get(index) else {
                return Err(StageError::schema(field.name(), format!("input `{}` has it and `{}` does not", first.name, other.name)));
            };
            if theirs.name() != field.name() || !field.data_type().equals_datatype(theirs.data_type()) {
                let message = format!(
                    "the inputs differ: it is column {index} of `{}`, of type {}, and `{}` has `{}` there, of type {}",
                    first.name,
                    field.data_type(),
                    other.name,
                    theirs.name(),
                    theirs.data_type()
                );
                return Err(StageError::schema(field.name(), message));
            }
            field.set_nullable(field.is_nullable() || theirs.is_nullable());
        }
        if let Some(surplus) = other.schema.fields().get(fields.len()) {
            return Err(StageError::schema(surplus.name(), format!("input `{}` has it and `{}` does not", other.name, first.name)));
        }
    }
    Ok(Schema::new_with_metadata(fields, first.schema.metadata().clone()).into())
}

/// The index of a column, or an error at `pointer` that offers the nearest name.
pub fn column_index(schema: &Schema, name: &str, pointer: &str) -> Result<usize, StageError> {
    schema.index_of(name).map_err(|_| {
        let error = StageError::config(pointer, format!("there is no column `{name}`"));
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        match crate::nearest(name, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if names.is_empty() => error.help("the input has no columns"),
            None => error.help(format!("the columns are `{}`", names.join("`, `"))),
        }
    })
}

/// The index of a column of this type; what is wrong with the name stands at `pointer` in the configuration.
pub fn typed_index(schema: &Schema, name: &str, data_type: &DataType, pointer: &str) -> Result<usize, StageError> {
    let index = column_index(schema, name, pointer)?;
    let found = schema.field(index).data_type();
    if found == data_type { Ok(index) } else { Err(StageError::schema(name, format!("expected {data_type}, found {found}"))) }
}
