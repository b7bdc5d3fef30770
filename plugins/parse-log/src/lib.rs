//! Parses lines of web server access logs into columns. Lines that are none are rejected, with the reason and its place.
//!
//! `line` takes a line apart with the steps of `cursor` and the clock of `time`; `columns` puts batches together.

mod columns;
mod cursor;
mod line;
mod time;

use arrow_array::{LargeStringArray, StringArray, StringViewArray};
use arrow_buffer::BooleanBufferBuilder;
use parshall_sdk::prelude::*;

use columns::Columns;
use line::Format;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The column that holds the lines.
    #[serde(default = "line")]
    column: String,
    #[serde(default)]
    format: Format,
    /// Whether that column is kept.
    #[serde(default)]
    keep: bool,
}

fn line() -> String {
    "line".into()
}

struct ParseLog {
    column: usize,
    data_type: DataType,
    format: Format,
    /// Columns of the input that pass.
    passing: Vec<usize>,
}

impl Transform for ParseLog {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Parses lines of web server access logs into columns");

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        let column = column_index(&schema, &config.column, "/column")?;
        let data_type = schema.field(column).data_type().clone();
        if !matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
            let message = format!("it is of type {data_type}; lines are strings (utf8, large_utf8 or utf8_view)");
            return Err(StageError::schema(config.column, message));
        }
        let passing: Vec<usize> = (0..schema.fields().len()).filter(|&index| config.keep || index != column).collect();
        let mut fields: Vec<Field> = passing.iter().map(|&index| schema.field(index).clone()).collect();
        for made in columns::fields() {
            if fields.iter().any(|field| field.name() == made.name()) {
                let message = "the stage makes a column of this name: rename or drop the one that arrives";
                return Err(StageError::schema(made.name(), message));
            }
            fields.push(made);
        }
        let stage = Self { column, data_type, format: config.format, passing };
        Ok((stage, Port::out(Schema::new_with_metadata(fields, schema.metadata().clone()))))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        let data = frame.data(self.column)?;
        Ok(match self.data_type {
            DataType::Utf8 => self.parse(frame.rows(), StringArray::from(data).iter()),
            DataType::LargeUtf8 => self.parse(frame.rows(), LargeStringArray::from(data).iter()),
            _ => self.parse(frame.rows(), StringViewArray::from(data).iter()),
        })
    }
}

impl ParseLog {
    fn parse<'a>(&self, rows: usize, lines: impl Iterator<Item = Option<&'a str>>) -> Answer {
        let (mut columns, mut kept) = (Columns::new(rows), BooleanBufferBuilder::new(rows));
        let mut rejections = Vec::new();
        for (row, text) in lines.enumerate() {
            let entry = match text {
                None => Err("the line is null".into()),
                Some(text) => {
                    line::read(text, self.format).map_err(|mistake| format!("expected {} at byte {}", mistake.expected, mistake.at))
                }
            };
            kept.append(entry.is_ok());
            match entry {
                Ok(entry) => columns.push(&entry),
                Err(reason) => rejections.push(Rejection { row: row as u32, reason }),
            }
        }
        let rows = if rejections.is_empty() { Rows::All } else { Rows::Keep(kept.finish()) };
        let passing = self.passing.iter().map(|&index| Column::input(index));
        let made = columns.finish().into_iter().map(Column::Made);
        Answer::from(Output::of(rows).columns(passing.chain(made))).rejecting(rejections)
    }
}

export_transform!(ParseLog);
