//! Columns by name and type: a type is the Arrow C data interface's format, `l` int64, `g` float64, `u` utf8 …

use crate::{abi, config::StageError};

const NULLABLE: u8 = 1;
const DICTIONARY_ENCODED: u8 = 8;
const MOST_NAMED: usize = 20;

/// Words for the letters of the Arrow C data interface; what stands behind a colon is a parameter.
const TYPE_NAMES: &str = "n null b bool c int8 C uint8 s int16 S uint16 i int32 I uint32 l int64 L uint64 e float16 f float32 g float64 \
    z binary Z large_binary vz binary_view u utf8 U large_utf8 vu utf8_view tdD date32 tdm date64 \
    tts time32[s] ttm time32[ms] ttu time64[us] ttn time64[ns] tDs duration[s] tDm duration[ms] tDu duration[us] tDn duration[ns] \
    tiM interval[year_month] tiD interval[day_time] tin interval[month_day_nano] \
    tss timestamp[s] tsm timestamp[ms] tsu timestamp[us] tsn timestamp[ns] d decimal w fixed_size_binary \
    +l list +L large_list +vl list_view +vL large_list_view +w fixed_size_list +s struct +m map +r run_end_encoded +ud union +us union";

/// A type as a person reads it, with its letter: `int64 (l)`.
pub fn type_name(format: &str) -> String {
    let letters = format.split(':').next().unwrap_or_default();
    let mut words = TYPE_NAMES.split(' ');
    while let (Some(key), Some(name)) = (words.next(), words.next()) {
        if key == letters {
            return format!("{name} ({format})");
        }
    }
    format!("a type of the format `{format}`")
}

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

    /// The index of a column of one of these formats. What is wrong with the name stands at `pointer` in the configuration; where
    /// that is "", it is told of the column.
    pub fn index(&self, name: &str, formats: &[&str], pointer: &str) -> Result<usize, StageError> {
        let Some(index) = (0..self.width()).find(|index| self.field(*index).name == name) else {
            if pointer.is_empty() {
                return Err(StageError::schema(name, format!("there is no such column; {}", self.names())));
            }
            return Err(StageError::config(pointer, format!("there is no column `{name}`")).help(self.names()));
        };
        let field = self.field(index);
        let dictionary = field.flags & DICTIONARY_ENCODED != 0;
        if dictionary || !formats.contains(&field.format.as_str()) {
            let expected = formats.iter().map(|format| type_name(format)).collect::<Vec<_>>().join(" or ");
            // The values of a dictionary follow its keys.
            let found = match dictionary {
                true => format!("a dictionary of {}", type_name(&self.fields[self.columns[index] + 1].format)),
                false => type_name(&field.format),
            };
            return Err(StageError::schema(name, format!("expected {expected}, found {found}")));
        }
        Ok(index)
    }

    /// The columns that there are, of many only the first.
    fn names(&self) -> String {
        if self.width() == 0 {
            return "the input has no columns".into();
        }
        let names: Vec<&str> = self.columns.iter().take(MOST_NAMED).map(|at| self.fields[*at].name.as_str()).collect();
        let more = self.width() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("the columns are `{}`{more}", names.join("`, `"))
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
