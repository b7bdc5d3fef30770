//! Parquet, read: only the wanted columns, row group after row group.

use arrow::datatypes::SchemaRef;
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};

use super::{
    failure::{arrow_error, contained, parquet_error},
    options::ReadOptions,
    parquet_chunks::Chunks,
    projection::Projection,
    reader::FileReader,
    store::{Address, Object},
};
use crate::words::{batch::RecordBatch, tables::TableError};

/// A Parquet file being read.
pub struct ParquetFile {
    name: String,
    chunks: Chunks,
    metadata: ArrowReaderMetadata,
    projection: Projection,
    batch_rows: usize,
    /// Made with the first batch, when it is known what was skipped.
    reader: Option<ParquetRecordBatchReader>,
    skip: u64,
}

impl ParquetFile {
    pub fn open(address: &Address, options: &ReadOptions) -> Result<Self, TableError> {
        let object = Object::open(address)?;
        let chunks = Chunks::new(object);
        let metadata = ArrowReaderMetadata::load(&chunks, ArrowReaderOptions::new())
            .map_err(|error| parquet_error(&address.name, "opening", &error))?;
        let projection = Projection::new(&address.name, metadata.schema(), options.columns.as_deref())?;
        let chunks = chunks.with_groups(metadata.metadata(), &projection.wanted);
        Ok(ParquetFile { name: address.name.clone(), chunks, metadata, projection, batch_rows: options.batch_rows, reader: None, skip: 0 })
    }

    /// Rows of every row group. Corrupt files claim negative ones.
    fn group_rows(&self) -> Vec<u64> {
        let groups = self.metadata.metadata().row_groups().iter();
        groups.map(|group| group.num_rows().try_into().unwrap_or(0)).collect()
    }

    fn start(&self) -> Result<ParquetRecordBatchReader, TableError> {
        let rows = self.group_rows();
        let (mut first, mut offset) = (0, self.skip);
        while first < rows.len() && offset >= rows[first] {
            offset -= rows[first];
            first += 1;
        }
        let columns = self.projection.wanted.iter().copied();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns);
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.chunks.clone(), self.metadata.clone())
            .with_row_groups((first..rows.len()).collect())
            .with_offset(offset as usize)
            .with_projection(mask)
            .with_batch_size(self.batch_rows)
            .build()
            .map_err(|error| parquet_error(&self.name, "reading", &error))
    }
}

// === impl FileReader for ParquetFile ===

impl FileReader for ParquetFile {
    fn file_schema(&self) -> SchemaRef {
        self.metadata.schema().clone()
    }

    fn schema(&self) -> SchemaRef {
        self.projection.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let name = self.name.clone();
        contained(&name, "reading", || {
            if self.reader.is_none() {
                self.reader = Some(self.start()?);
            }
            let Some(batch) = self.reader.as_mut().and_then(Iterator::next) else {
                return Ok(None);
            };
            let batch = batch.map_err(|error| arrow_error(&name, "reading", &error))?;
            self.projection.apply(&name, batch).map(Some)
        })
    }

    fn skip(&mut self, rows: u64) -> Result<u64, TableError> {
        self.skip = rows.min(self.group_rows().iter().sum());
        Ok(self.skip)
    }
}
