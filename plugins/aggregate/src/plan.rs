//! The configuration checked against the schema: what is read, what is computed, what comes out.

use parshall_sdk::{ConfigError, config::escaped, prelude::*};

use crate::{
    accumulate::result,
    call::{self, Call, Function},
    config::Config,
    keys::Shape,
    numbers::Family,
    text::declared,
};

/// Everything that follows from configuration and schema.
#[derive(Debug)]
pub struct Plan {
    /// Indices of the input's columns that are read, each once.
    pub reads: Vec<usize>,
    /// The columns that make a group, as indices into `reads`.
    pub keys: Vec<usize>,
    /// Their shapes, and the types in which they come out.
    pub key_types: Vec<(Shape, DataType)>,
    /// What is computed.
    pub results: Vec<Planned>,
    /// What comes out.
    pub schema: SchemaRef,
}

/// One aggregate.
#[derive(Debug)]
pub struct Planned {
    /// The name of its column.
    pub name: String,
    /// The function.
    pub function: Function,
    /// The column it is applied to, as an index into `reads`, and its type.
    pub column: Option<(usize, DataType)>,
}

/// Makes a plan, or says where the configuration is wrong.
pub fn plan(config: &Config, schema: &Schema) -> Result<Plan, StageError> {
    if config.group_by.is_empty() && config.aggregates.0.is_empty() {
        let error = StageError::config("", "neither `group_by` nor `aggregates` says what to do");
        return Err(error.help("for example `aggregates = { rows = \"count()\" }`"));
    }
    let mut plan = Plan { reads: Vec::new(), keys: Vec::new(), key_types: Vec::new(), results: Vec::new(), schema: Schema::empty().into() };
    let mut fields: Vec<Field> = Vec::new();
    for (place, name) in config.group_by.iter().enumerate() {
        let pointer = format!("/group_by/{place}");
        let index = column_index(schema, name, &pointer)?;
        if config.group_by[..place].contains(name) {
            return Err(StageError::config(pointer, format!("`{name}` stands twice")));
        }
        let field = schema.field(index);
        let Some(shape) = Shape::of(field.data_type()) else {
            let message = format!("column `{name}` is of type {}, by which rows cannot be grouped", field.data_type());
            return Err(StageError::config(pointer, message).help(format!("allowed are {KEYS}")));
        };
        let key = plan.read(index);
        plan.keys.push(key);
        plan.key_types.push((shape, declared(field.data_type())));
        fields.push(field.clone().with_data_type(declared(field.data_type())));
    }
    for (name, text) in &config.aggregates.0 {
        let pointer = format!("/aggregates/{}", escaped(name));
        if fields.iter().any(|field| field.name() == name) {
            return Err(StageError::config(pointer, format!("there is already a column `{name}`")).help("give it another name"));
        }
        let planned = plan.aggregate(schema, name, text, &pointer)?;
        let (data_type, nullable) = result(planned.function, planned.column.as_ref().map(|(_, of)| of));
        fields.push(Field::new(name, data_type, nullable));
        plan.results.push(planned);
    }
    plan.schema = Schema::new(fields).into();
    Ok(plan)
}

const KEYS: &str = "booleans, integers, floats, strings, dates, times, timestamps, durations and decimals";

// === impl Plan ===

impl Plan {
    /// Where in `reads` a column stands.
    fn read(&mut self, index: usize) -> usize {
        self.reads.iter().position(|&read| read == index).unwrap_or_else(|| {
            self.reads.push(index);
            self.reads.len() - 1
        })
    }

    fn aggregate(&mut self, schema: &Schema, name: &str, text: &str, pointer: &str) -> Result<Planned, StageError> {
        let Call { function, column } = call::read(text).map_err(|mistake| {
            StageError::Config(ConfigError {
                pointer: pointer.into(),
                offset: Some(mistake.offset as u32),
                message: mistake.message,
                help: mistake.help,
            })
        })?;
        let column = match column {
            None => None,
            Some((column, offset)) => {
                let index = column_index(schema, &column, pointer).map_err(|error| at(error, offset))?;
                let data_type = schema.field(index).data_type();
                fits(function, &column, data_type, pointer).map_err(|error| at(error, offset))?;
                Some((self.read(index), data_type.clone()))
            }
        };
        Ok(Planned { name: name.into(), function, column })
    }

    /// What must be the same for a snapshot to be taken up.
    pub fn fingerprint(&self) -> String {
        let keys = self.key_types.iter().map(|(_, data_type)| format!("{data_type};"));
        let results = self.results.iter().map(|Planned { name, function, column }| {
            let share = if let Function::Quantile(share) = function { share.to_bits() } else { 0 };
            let of = column.as_ref().map(|(read, of)| format!("{read} {of}")).unwrap_or_default();
            format!("{name}={}/{share}({of});", function.name())
        });
        keys.chain(results).collect()
    }
}

fn at(mut error: StageError, offset: usize) -> StageError {
    if let StageError::Config(error) = &mut error {
        error.offset = Some(offset as u32);
    }
    error
}

fn fits(function: Function, column: &str, data_type: &DataType, pointer: &str) -> Result<(), StageError> {
    let family = Family::of(data_type);
    let (fits, allowed) = match function {
        // These have no bitmap of nulls of their own.
        Function::Count => {
            let opaque = matches!(data_type, DataType::Union(..) | DataType::RunEndEncoded(..))
                || (matches!(data_type, DataType::Dictionary(..)) && family != Family::Text);
            (!opaque, "all but unions, run-end encoded columns and dictionaries of anything but strings")
        }
        Function::CountDistinct => (Shape::of(data_type).is_some(), KEYS),
        Function::Sum | Function::Mean | Function::Quantile(_) => (family.is_number(), "integers and floats"),
        Function::Min | Function::Max => (family != Family::Other, COMPARED),
    };
    if fits {
        return Ok(());
    }
    let message = format!("column `{column}` is of type {data_type}, of which there is no `{}`", function.name());
    Err(StageError::config(pointer, message).help(format!("allowed are {allowed}")))
}

const COMPARED: &str = "integers, floats, strings, dates, times, timestamps and durations";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Written;

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("carrier", DataType::Utf8, true),
            Field::new("dep_delay", DataType::Int32, true),
            Field::new("tags", DataType::new_list(DataType::Utf8, true), true),
            Field::new("kind", DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)), false),
        ])
    }

    fn config(group_by: &[&str], aggregates: &[(&str, &str)]) -> Config {
        Config {
            group_by: group_by.iter().map(|name| name.to_string()).collect(),
            aggregates: Written(aggregates.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()),
        }
    }

    fn mistake(group_by: &[&str], aggregates: &[(&str, &str)]) -> ConfigError {
        match plan(&config(group_by, aggregates), &schema()) {
            Err(StageError::Config(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    /// Protects against a mistake that is reported without saying where it is and what would be right.
    #[test]
    fn mistakes_are_pointed_at() {
        let error = mistake(&["carier"], &[]);
        assert_eq!((error.pointer.as_str(), error.help.as_deref()), ("/group_by/0", Some("did you mean `carrier`?")));
        let error = mistake(&["carrier"], &[("n", "count()"), ("delay/s", "mean(dep_dellay)")]);
        assert_eq!((error.pointer.as_str(), error.offset), ("/aggregates/delay~1s", Some(5)));
        assert_eq!(error.help.as_deref(), Some("did you mean `dep_delay`?"));
        let error = mistake(&[], &[("m", "mean( carrier )")]);
        assert_eq!((error.pointer.as_str(), error.offset), ("/aggregates/m", Some(6)));
        assert_eq!(error.message, "column `carrier` is of type Utf8, of which there is no `mean`");
        assert_eq!(error.help.as_deref(), Some("allowed are integers and floats"));
        let error = mistake(&["tags"], &[]);
        assert!(error.message.starts_with("column `tags` is of type List"), "{}", error.message);
        assert_eq!(mistake(&["carrier"], &[("carrier", "count()")]).pointer, "/aggregates/carrier");
        assert_eq!(mistake(&["carrier", "carrier"], &[]).pointer, "/group_by/1");
        assert_eq!(mistake(&[], &[]).pointer, "");
    }

    /// Protects against a column that crosses twice, and against types other than the documented ones.
    #[test]
    fn columns_are_read_once_and_types_are_as_documented() {
        let all = [("n", "count()"), ("s", "sum(dep_delay)"), ("m", "mean(dep_delay)"), ("x", "max(kind)"), ("t", "count(tags)")];
        let plan = plan(&config(&["kind"], &all), &schema()).unwrap();
        assert_eq!(plan.reads, [3, 1, 2]);
        let fields: Vec<_> = plan.schema.fields().iter().map(|field| (field.data_type(), field.is_nullable())).collect();
        let (text, whole, float) = (DataType::Utf8, DataType::Int64, DataType::Float64);
        assert_eq!(fields, [(&text, false), (&whole, false), (&whole, true), (&float, true), (&text, true), (&whole, false)]);
    }
}
