//! A table written as one file: checked when opened, begun with the first row, visible with the last commit.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use arrow::{
    csv::reader::Format as CsvFormat,
    datatypes::{Schema, SchemaRef},
};

use super::{
    encoder::{self, Encoder},
    failure::{arrow_error, contained, io_error},
    fits,
    format::{Format, Named, unknown},
    held,
    options::{Mode, WriteOptions},
    output::{Output, Packed, Target},
    projection::same_columns,
};
use crate::words::{
    batch::RecordBatch,
    tables::{TableError, TableWriter},
};

/// Writes one file.
///
/// A commit that is not the last makes nothing visible and answers 0: a file appears whole or not at all. Whoever
/// keeps checkpoints therefore keeps none until the last commit.
pub struct Writer {
    target: Target,
    schema: SchemaRef,
    format: Format,
    options: WriteOptions,
    gzip: bool,
    state: State,
    rows: u64,
}

enum State {
    /// Nothing was touched.
    Idle,
    Open(Box<dyn Encoder>),
    /// An error has left half a file, which is gone.
    Failed,
    Done,
}

impl Writer {
    /// Checks everything that can be checked without touching the storage.
    pub fn open(target: Target, schema: SchemaRef, mut options: WriteOptions) -> Result<Self, TableError> {
        let name = target.name();
        let named = Named::of(name);
        let format = options.format.or(named.map(|named| named.format)).ok_or_else(|| unknown(name))?;
        options.check(format)?;
        if format == Format::Lines {
            return Err(TableError::Options(format!("writing {name:?}: text files are only read; write csv or json_lines")));
        }
        if named.is_some_and(|named| named.tabs) {
            options.csv.delimiter.get_or_insert(b'\t');
        }
        let gzip = format.takes_gzip() && name.to_ascii_lowercase().ends_with(".gz");
        fits::check(format, name, &schema, &options)?;
        let exists = target.exists()?;
        match options.mode {
            Mode::Fail if exists => {
                return Err(TableError::Options(format!(
                    "{name:?} exists already, and \"mode\" is \"fail\"; remove it, or choose \"replace\" or \"append\""
                )));
            }
            Mode::Append => check_append(&target, exists, format, gzip, &schema, &options)?,
            _ => {}
        }
        Ok(Writer { target, schema, format, options, gzip, state: State::Idle, rows: 0 })
    }

    fn begin(&self) -> Result<Box<dyn Encoder>, TableError> {
        let mut output = Output::begin(&self.target, self.options.mode != Mode::Fail)?;
        let mut continues = false;
        if let (Mode::Append, Target::Local { path, name }) = (self.options.mode, &self.target) {
            continues = continue_after(&mut output, path).map_err(|error| io_error(name, "copying", &error))?;
        }
        let packed = Packed::new(output, self.gzip);
        encoder::begin(self.format, self.target.name(), &self.schema, &self.options, packed, continues)
    }

    fn state_error(&self) -> TableError {
        let why = match self.state {
            State::Failed => "an earlier write failed, and what was written is gone",
            _ => "the last commit has been made",
        };
        TableError::Options(format!("writing {:?}: {why}; open it anew", self.target.name()))
    }

    /// The open encoder; until it is put back, an error leaves the writer failed.
    fn take(&mut self) -> Result<Box<dyn Encoder>, TableError> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Idle => self.begin(),
            State::Open(encoder) => Ok(encoder),
            other => {
                self.state = other;
                Err(self.state_error())
            }
        }
    }
}

// === impl TableWriter for Writer ===

impl TableWriter for Writer {
    fn format(&self) -> &'static str {
        self.format.name()
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        check_batch(self.target.name(), &self.schema, batch)?;
        let mut encoder = self.take()?;
        contained(self.target.name(), "writing", || encoder.write(batch))?;
        self.rows += batch.num_rows() as u64;
        self.state = State::Open(encoder);
        Ok(())
    }

    fn commit(&mut self, last: bool) -> Result<u64, TableError> {
        if !last {
            return match self.state {
                State::Idle | State::Open(_) => Ok(0),
                State::Failed | State::Done => Err(self.state_error()),
            };
        }
        let encoder = self.take()?;
        contained(self.target.name(), "finishing", || encoder.finish())?.publish()?;
        self.state = State::Done;
        Ok(self.rows)
    }
}

/// Requires a batch to have the columns that the table was opened with.
pub fn check_batch(name: &str, schema: &Schema, batch: &RecordBatch) -> Result<(), TableError> {
    if batch.schema_ref().fields() == schema.fields() {
        return Ok(());
    }
    same_columns((&format!("{name} as opened"), schema), ("the batch", batch.schema_ref()))
}

/// Appending rewrites aside: what is there is copied, new rows follow, and the whole takes the old one's place. So a
/// failed run leaves the old file as it was. Not for formats with a footer, nor for objects that cannot be copied
/// without being read.
fn check_append(
    target: &Target,
    exists: bool,
    format: Format,
    gzip: bool,
    schema: &Schema,
    options: &WriteOptions,
) -> Result<(), TableError> {
    let name = target.name();
    let refused = |what: &str| {
        TableError::Options(format!(
            "appending to {name:?} is not possible: {what}; write another file into the same folder and read the \
             folder as one table, or write \"sqlite:PATH\""
        ))
    };
    let Target::Local { path, .. } = target else {
        return Err(refused("objects in a bucket cannot be appended to"));
    };
    match format {
        _ if gzip => Err(refused("it is compressed as a whole")),
        Format::Csv if exists && options.csv.header => check_header(path, name, schema, options),
        Format::Csv | Format::JsonLines => Ok(()),
        other => Err(refused(&format!("{} files are closed once they are written", other.name()))),
    }
}

fn check_header(path: &Path, name: &str, schema: &Schema, options: &WriteOptions) -> Result<(), TableError> {
    let file = held::read(path).map_err(|error| io_error(name, "looking at", &error))?;
    let format = CsvFormat::default().with_header(true).with_delimiter(options.csv.delimiter.unwrap_or(b',')).with_quote(options.csv.quote);
    let header = format.infer_schema(file, Some(0)).map_err(|error| arrow_error(name, "looking at", &error))?.0;
    if header.fields().is_empty() {
        return Ok(());
    }
    let ours = schema.fields().iter().map(|field| field.name()).collect::<Vec<_>>();
    let theirs = header.fields().iter().map(|field| field.name().trim_start_matches('\u{feff}')).collect::<Vec<_>>();
    if ours == theirs {
        return Ok(());
    }
    Err(TableError::Format(format!(
        "appending to {name:?}: its columns are {theirs:?}, those to be written {ours:?}; they must be the same, in order"
    )))
}

/// Copies what is there and ends its last line. Answers whether there was anything.
fn continue_after(output: &mut Output, path: &Path) -> io::Result<bool> {
    let mut file = match held::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    io::copy(&mut file, output)?;
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last != *b"\n" {
        output.write_all(b"\n")?;
    }
    Ok(true)
}
