//! From batches to the bytes of a file, one encoder per format.

use arrow::{
    array::RecordBatch,
    csv::{Writer as CsvWriter, WriterBuilder as CsvBuilder},
    datatypes::SchemaRef,
    ipc::writer::FileWriter,
    json::LineDelimitedWriter,
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression as Codec, ZstdLevel},
    file::{metadata::KeyValue, properties::WriterProperties},
};

use super::{
    failure::{arrow_error, format_error, io_error, parquet_error},
    format::Format,
    options::{Compression, WriteOptions},
    output::{Output, Packed},
    text_types,
};
use crate::words::{carry, tables::TableError};

/// A row group is closed once it takes this much memory, however few its rows.
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

/// A file being encoded.
pub trait Encoder: Send {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError>;
    /// Ends the file, which is valid from then on even without any row.
    fn finish(self: Box<Self>) -> Result<Output, TableError>;
}

/// Begins a file. `continues` says that rows already precede.
pub fn begin(
    format: Format,
    name: &str,
    schema: &SchemaRef,
    options: &WriteOptions,
    output: Packed,
    continues: bool,
) -> Result<Box<dyn Encoder>, TableError> {
    let name = name.to_string();
    match format {
        Format::Parquet => {
            let writer = ArrowWriter::try_new(output, schema.clone(), Some(properties(options)));
            let writer = writer.map_err(|error| parquet_error(&name, "writing", &error))?;
            Ok(Box::new(ParquetEncoder { name, writer, row_group_rows: options.row_group_rows }))
        }
        Format::ArrowIpc => {
            let writer = FileWriter::try_new(output, schema).map_err(|error| arrow_error(&name, "writing", &error))?;
            Ok(Box::new(IpcEncoder { name, writer }))
        }
        Format::Csv => {
            let writer = csv(options, !continues && options.csv.header).build(output);
            Ok(Box::new(CsvEncoder { name, schema: schema.clone(), writer }))
        }
        Format::JsonLines => Ok(Box::new(JsonEncoder { name, writer: LineDelimitedWriter::new(output) })),
        Format::Lines | Format::Sqlite => Err(TableError::Options(format!("{} is not written as a file", format.name()))),
    }
}

/// How Parquet files are laid down.
pub fn properties(options: &WriteOptions) -> WriterProperties {
    let codec = match options.compression {
        Compression::Snappy => Codec::SNAPPY,
        Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::None => Codec::UNCOMPRESSED,
    };
    WriterProperties::builder()
        .set_compression(codec)
        .set_max_row_group_row_count(Some(options.row_group_rows))
        .set_created_by(concat!("parshall ", env!("CARGO_PKG_VERSION")).into())
        .build()
}

fn csv(options: &WriteOptions, header: bool) -> CsvBuilder {
    CsvBuilder::new()
        .with_header(header)
        .with_delimiter(options.csv.delimiter.unwrap_or(b','))
        .with_quote(options.csv.quote)
        .with_null(options.csv.null.clone())
}

struct ParquetEncoder {
    name: String,
    writer: ArrowWriter<Packed>,
    row_group_rows: usize,
}

impl Encoder for ParquetEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        let failed = |error| parquet_error(&self.name, "writing", &error);
        // In pieces, so that one huge batch does not become one huge row group in memory.
        let step = self.row_group_rows.min(1 << 16);
        for start in (0..batch.num_rows()).step_by(step) {
            let piece = batch.slice(start, step.min(batch.num_rows() - start));
            self.writer.write(&piece).map_err(failed)?;
            if self.writer.memory_size() > ROW_GROUP_BYTES {
                self.writer.flush().map_err(failed)?;
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Output, TableError> {
        let ParquetEncoder { name, mut writer, .. } = *self;
        for (key, value) in carry::stamp() {
            writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        }
        let packed = writer.into_inner().map_err(|error| parquet_error(&name, "finishing", &error))?;
        unpack(&name, packed)
    }
}

struct IpcEncoder {
    name: String,
    writer: FileWriter<Packed>,
}

impl Encoder for IpcEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.writer.write(batch).map_err(|error| arrow_error(&self.name, "writing", &error))
    }

    fn finish(mut self: Box<Self>) -> Result<Output, TableError> {
        // In the footer, not in the schema: it is the file's, and the schema is its columns'.
        for (key, value) in carry::stamp() {
            self.writer.write_metadata(key, value);
        }
        self.writer.finish().map_err(|error| arrow_error(&self.name, "finishing", &error))?;
        let packed = self.writer.into_inner().map_err(|error| arrow_error(&self.name, "finishing", &error))?;
        unpack(&self.name, packed)
    }
}

struct CsvEncoder {
    name: String,
    schema: SchemaRef,
    writer: CsvWriter<Packed>,
}

impl Encoder for CsvEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        write_text(&self.name, batch, |batch| self.writer.write(batch))
    }

    fn finish(mut self: Box<Self>) -> Result<Output, TableError> {
        // The header comes with the first batch, so that a file without rows needs an empty one.
        self.write(&RecordBatch::new_empty(self.schema.clone()))?;
        unpack(&self.name, self.writer.into_inner())
    }
}

struct JsonEncoder {
    name: String,
    writer: LineDelimitedWriter<Packed>,
}

impl Encoder for JsonEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        write_text(&self.name, batch, |batch| self.writer.write(batch))
    }

    fn finish(mut self: Box<Self>) -> Result<Output, TableError> {
        self.writer.finish().map_err(|error| arrow_error(&self.name, "finishing", &error))?;
        unpack(&self.name, self.writer.into_inner())
    }
}

fn write_text(
    name: &str,
    batch: &RecordBatch,
    write: impl FnOnce(&RecordBatch) -> Result<(), arrow::error::ArrowError>,
) -> Result<(), TableError> {
    let batch = text_types::in_utc(batch).map_err(|why| format_error(name, "writing", why))?;
    write(&batch).map_err(|error| arrow_error(name, "writing", &error))
}

fn unpack(name: &str, packed: Packed) -> Result<Output, TableError> {
    packed.finish().map_err(|error| io_error(name, "finishing", &error))
}
