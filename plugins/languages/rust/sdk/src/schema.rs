//! Columns by name and type: a type is the Arrow C data interface's format, `l` int64, `g` float64, `u` utf8 …

use crate::{abi, config::StageError};

const NULLABLE: u8 = 1;
const DICTIONARY_ENCODED: u8 = 8;

/// One field of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The column's name.
    pub name: String,
    /// Its type; that of its keys, if it is encoded with a dictionary.
    pub format: String,
    flags: u8,
    children: u32,
    metadata: Vec<(String, String)>,
}

/// The columns of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Schema {
    /// All fields, nested ones depth-first.
    fields: Vec<Field>,
    metadata: Vec<(String, String)>,
    /// Where in `fields` each column is.
    columns: Vec<usize>,
}

/// What feeds the stage.
pub struct Input {
    /// As written in the pipeline file.
    pub name: String,
    /// Of every batch from there.
    pub schema: Schema,
}

/// A way out, `out` where there is only one.
pub struct Port {
    pub(crate) name: String,
    pub(crate) schema: Schema,
}

// === impl Field ===

impl Field {
    /// A field without children.
    pub fn new(name: &str, format: &str, nullable: bool) -> Self {
        let flags = if nullable { NULLABLE } else { 0 };
        Field { name: name.into(), format: format.into(), flags, children: 0, metadata: Vec::new() }
    }
}

// === impl Schema ===

impl Schema {
    /// Of fields without children.
    pub fn new(fields: Vec<Field>) -> Self {
        Schema::with(fields, Vec::new())
    }

    fn with(fields: Vec<Field>, metadata: Vec<(String, String)>) -> Self {
        let (mut columns, mut at) = (Vec::new(), 0);
        while at < fields.len() {
            columns.push(at);
            at = after(&fields, at);
        }
        Schema { fields, metadata, columns }
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The field of a column.
    pub fn field(&self, column: usize) -> &Field {
        &self.fields[self.columns[column]]
    }

    /// The index of a column of one of these formats; what is wrong with the name stands at `pointer`.
    pub fn index(&self, name: &str, formats: &[&str], pointer: &str) -> Result<usize, StageError> {
        let Some(index) = (0..self.width()).find(|index| self.field(*index).name == name) else {
            return Err(StageError::config(pointer, format!("there is no column `{name}`")));
        };
        let field = self.field(index);
        if field.flags & DICTIONARY_ENCODED != 0 || !formats.contains(&field.format.as_str()) {
            let message = format!("expected a type of format {}, found {}", formats.join(" or "), field.format);
            return Err(StageError::Schema { column: Some(name.into()), message });
        }
        Ok(index)
    }

    /// # Safety
    /// It came from the host, in this call.
    pub(crate) unsafe fn lift(raw: abi::Schema) -> Self {
        let pairs = |pairs: abi::List<abi::Pair>| unsafe {
            pairs.slice().iter().map(|pair| (pair.key.string(), pair.value.string())).collect()
        };
        let field = |field: &abi::Field| unsafe {
            let (name, format) = (field.name.string(), field.format.string());
            Field { name, format, flags: field.flags, children: field.children, metadata: pairs(field.metadata) }
        };
        Schema::with(unsafe { raw.fields.slice() }.iter().map(field).collect(), pairs(raw.metadata))
    }

    /// Points into itself, and at what `hold` keeps.
    pub(crate) fn lower(&self, hold: &mut impl FnMut(Vec<abi::Pair>) -> abi::List<abi::Pair>) -> (Vec<abi::Field>, abi::List<abi::Pair>) {
        let pair = |(key, value): &(String, String)| abi::Pair { key: text(key), value: text(value) };
        let mut fields = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let metadata = hold(field.metadata.iter().map(pair).collect());
            let (name, format) = (text(&field.name), text(&field.format));
            fields.push(abi::Field { name, format, flags: field.flags, children: field.children, metadata });
        }
        (fields, hold(self.metadata.iter().map(pair).collect()))
    }
}

pub(crate) fn text(text: &str) -> abi::Text {
    abi::List::of(text.as_bytes())
}

/// What follows a field and its children.
fn after(fields: &[Field], at: usize) -> usize {
    let field = &fields[at];
    let mut next = at + 1;
    if field.flags & DICTIONARY_ENCODED != 0 {
        next = after(fields, next);
    }
    (0..field.children).fold(next, |next, _| after(fields, next))
}

// === impl Port ===

impl Port {
    /// The only port.
    pub fn out(schema: Schema) -> Vec<Self> {
        vec![Port { name: "out".into(), schema }]
    }

    /// A port of this name.
    pub fn named(name: &str, schema: Schema) -> Self {
        Port { name: name.into(), schema }
    }
}

/// The schema that all inputs have.
pub fn same_schema(inputs: &[Input]) -> Result<Schema, StageError> {
    let Some((first, others)) = inputs.split_first() else { return Err(StageError::config("", "the stage has no input")) };
    let shape = |schema: &Schema| schema.fields.iter().map(|field| (field.name.clone(), field.format.clone())).collect::<Vec<_>>();
    for other in others {
        if shape(&other.schema) != shape(&first.schema) {
            let message = format!("input `{}` has other columns than `{}`", other.name, first.name);
            return Err(StageError::Schema { column: None, message });
        }
    }
    Ok(first.schema.clone())
}
