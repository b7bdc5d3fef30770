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

/// So many names are told where one is not found.
const MOST_NAMED: usize = 20;

/// The columns that there are, of many only the first.
pub fn columns_are(names: &[&str]) -> String {
    if names.is_empty() {
        return "the input has no columns".into();
    }
    let named = names[..names.len().min(MOST_NAMED)].join("`, `");
    match names.len().saturating_sub(MOST_NAMED) {
        0 => format!("the columns are `{named}`"),
        more => format!("the columns are `{named}` and {more} more"),
    }
}

/// The index of a column, or an error at `pointer` that offers the nearest name; where that is "", it is told of the column.
pub fn column_index(schema: &Schema, name: &str, pointer: &str) -> Result<usize, StageError> {
    schema.index_of(name).map_err(|_| {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let near = crate::nearest(name, names.iter().copied());
        let advice = near.map_or_else(|| columns_are(&names), |near| format!("did you mean `{near}`?"));
        if pointer.is_empty() {
            return StageError::schema(name, format!("there is no such column; {advice}"));
        }
        StageError::config(pointer, format!("there is no column `{name}`")).help(advice)
    })
}

/// The index of a column of this type; what is wrong with the name stands at `pointer` in the configuration.
pub fn typed_index(schema: &Schema, name: &str, data_type: &DataType, pointer: &str) -> Result<usize, StageError> {
    let index = column_index(schema, name, pointer)?;
    let found = schema.field(index).data_type();
    if found == data_type {
        return Ok(index);
    }
    Err(StageError::schema(name, format!("expected {}, found {}", schema::said(data_type), schema::said(found))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: StageError) -> (String, String, Option<String>) {
        match error {
            StageError::Config(error) => (error.pointer, error.message, error.help),
            StageError::Schema { column, message } => (column.unwrap_or_default(), message, None),
            other => panic!("{other:?}"),
        }
    }

    /// Protects whoever names a column that is not there, or is of another type.
    #[test]
    fn what_does_not_fit_says_what_there_is() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let mut fields = vec![Field::new("kind", dictionary, true)];
        fields.extend((1..23).map(|n| Field::new(format!("c{n}"), DataType::Float64, true)));
        let wide = Schema::new(fields.clone());
        let all = |pointer: &str| told(column_index(&wide, "elsewhere", pointer).unwrap_err());
        let names = (1..20).map(|n| format!(", `c{n}`")).collect::<String>();
        assert_eq!(
            all("/a"),
            ("/a".into(), "there is no column `elsewhere`".into(), Some(format!("the columns are `kind`{names} and 3 more")))
        );
        assert_eq!(all(""), ("elsewhere".into(), format!("there is no such column; the columns are `kind`{names} and 3 more"), None));
        let typed = |name: &str| told(typed_index(&wide, name, &DataType::Int64, "/a").unwrap_err());
        assert_eq!(typed("c1"), ("c1".into(), "expected int64 (l), found float64 (g)".into(), None));
        assert_eq!(typed("kind"), ("kind".into(), "expected int64 (l), found a dictionary of utf8 (u)".into(), None));
    }
}
