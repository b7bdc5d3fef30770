//! Whether a format can hold a schema: told before the first row, by column and type.

use std::sync::Arc;

use arrow::{
    array::new_empty_array,
    datatypes::{DataType, Field, Schema, SchemaRef},
    json::writer::{EncoderOptions, make_encoder},
};
use parquet::arrow::ArrowWriter;

use super::{failure::contained, format::Format, options::WriteOptions, text_types, type_names};
use crate::words::tables::TableError;

/// Refuses the first column that the format cannot hold, and names it.
pub fn check(format: Format, name: &str, schema: &Schema, options: &WriteOptions) -> Result<(), TableError> {
    if schema.fields().is_empty() && format != Format::ArrowIpc {
        return Err(TableError::Format(format!("writing {name:?}: the table has no columns")));
    }
    check_names(name, schema)?;
    for field in schema.fields() {
        let why = match format {
            Format::Csv => (!csv_holds(field.data_type())).then(String::new),
            Format::Sqlite => (!sqlite_holds(field.data_type())).then(String::new),
            Format::JsonLines => json_refusal(field),
            Format::Parquet => parquet_refusal(field, options),
            Format::ArrowIpc | Format::Lines => None,
        };
        if let Some(why) = why {
            let because = if why.is_empty() { why } else { format!(" ({why})") };
            return Err(TableError::Format(format!(
                "writing {name:?}: {} cannot hold column {:?} of type {}{because}; convert it before, drop it, or \
                 write parquet or arrow_ipc",
                format.name(),
                field.name(),
                type_names::show(field.data_type())
            )));
        }
    }
    Ok(())
}

/// Two columns of one name could not be told apart by whoever reads the table.
fn check_names(name: &str, schema: &Schema) -> Result<(), TableError> {
    let mut seen = std::collections::HashSet::new();
    match schema.fields().iter().find(|field| !seen.insert(field.name())) {
        None => Ok(()),
        Some(field) => Err(TableError::Format(format!("writing {name:?}: two columns are named {:?}; rename one", field.name()))),
    }
}

/// What CSV can hold so that the same text is read back as the same value.
fn csv_holds(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => csv_holds(values),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean | DataType::Null => true,
        DataType::Date32 | DataType::Date64 | DataType::Time32(_) | DataType::Time64(_) | DataType::Timestamp(..) => true,
        other => other.is_numeric(),
    }
}

/// What SQLite can hold; how is told in `sqlite_write`.
pub fn sqlite_holds(data_type: &DataType) -> bool {
    match data_type {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => true,
        other => csv_holds(other),
    }
}

fn json_refusal(field: &Arc<Field>) -> Option<String> {
    let written = text_types::decoded(&Schema::new(vec![field.clone()]), false);
    let field = &written.fields()[0];
    let probe = || {
        let empty = new_empty_array(field.data_type());
        let made = make_encoder(field, &empty, &EncoderOptions::default()).map(drop);
        made.map_err(|error| TableError::Format(error.to_string()))
    };
    contained(field.name(), "encoding", probe).err().map(|error| error.to_string())
}

/// Asks the encoder itself, with nothing to encode: what it takes changes from version to version.
fn parquet_refusal(field: &Arc<Field>, options: &WriteOptions) -> Option<String> {
    let probe = || {
        let schema: SchemaRef = Arc::new(Schema::new(vec![field.clone()]));
        let batch = arrow::array::RecordBatch::new_empty(schema.clone());
        let properties = super::encoder::properties(options);
        let written = ArrowWriter::try_new(std::io::sink(), schema, Some(properties)).and_then(|mut writer| {
            writer.write(&batch)?;
            writer.close().map(drop)
        });
        written.map_err(|error| TableError::Format(error.to_string()))
    };
    contained(field.name(), "encoding", probe).err().map(|error| error.to_string())
}
