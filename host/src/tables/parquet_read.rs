//! Parquet, read: only the wanted columns, row group after row group.

use arrow::datatypes::SchemaRef;
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};

use super::{
    failure::{arrow_error, contained, parquet_error},
    options::ReadOptions,
    origin,
    parquet_chunks::Chunks,
    projection::Projection,
    reader::FileReader,
    store::{Address, Object},
};
use crate::words::{batch::RecordBatch, tables::TableError, trace::SpanContext};

/// A Parquet file being read.
pub struct ParquetFile {
    name: String,
    chunks: Chunks,
    metadata: ArrowReaderMetadata,
    file_schema: SchemaRef,
    origin: Option<SpanContext>,
    projection: Projection,
    batch_rows: usize,
    /// Over the row groups begun last. The first one is made with the first batch, when it is known what was skipped.
    reader: Option<ParquetRecordBatchReader>,
    /// The first row group not begun.
    group: usize,
    /// Rows of it to go past.
    skip: u64,
}

impl ParquetFile {
    pub fn open(address: &Address, options: &ReadOptions) -> Result<Self, TableError> {
        let object = Object::open(address)?;
        let chunks = Chunks::new(object);
        let metadata = ArrowReaderMetadata::load(&chunks, ArrowReaderOptions::new())
            .map_err(|error| parquet_error(&address.name, "opening", &error))?;
        let pairs = metadata.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        let origin = origin::of(pairs.map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap_or_default())));
        // Arrow's reader takes the file's key-value metadata for the schema's.
        let file_schema = origin::without(metadata.schema());
        let projection = Projection::new(&address.name, &file_schema, options.columns.as_deref())?;
        let chunks = chunks.with_groups(metadata.metadata(), &projection.wanted);
        Ok(ParquetFile {
            name: address.name.clone(),
            chunks,
            metadata,
            file_schema,
            origin,
            projection,
            batch_rows: options.batch_rows,
            reader: None,
            group: 0,
            skip: 0,
        })
    }

    /// Rows of every row group. Corrupt files claim negative ones.
    fn group_rows(&self) -> Vec<u64> {
        let groups = self.metadata.metadata().row_groups().iter();
        groups.map(|group| group.num_rows().try_into().unwrap_or(0)).collect()
    }

    /// Begins the next row groups: of a remote object one, whose bytes are held meanwhile, so that its batches end with
    /// it; of a local one all.
    fn start(&mut self) -> Result<Option<ParquetRecordBatchReader>, TableError> {
        let count = self.metadata.metadata().num_row_groups();
        if self.group >= count {
            return Ok(None);
        }
        let end = if self.chunks.is_local() { count } else { self.group + 1 };
        let columns = self.projection.wanted.iter().copied();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(self.chunks.clone(), self.metadata.clone())
            .with_row_groups((self.group..end).collect())
            .with_offset(self.skip as usize)
            .with_projection(mask)
            .with_batch_size(self.batch_rows)
            .build()
            .map_err(|error| parquet_error(&self.name, "reading", &error))?;
        (self.group, self.skip) = (end, 0);
        Ok(Some(reader))
    }

    fn decode(&mut self) -> Result<Option<RecordBatch>, TableError> {
        loop {
            if self.reader.is_none() {
                self.reader = self.start()?;
            }
            let Some(reader) = &mut self.reader else { return Ok(None) };
            if let Some(batch) = reader.next() {
                return batch.map(Some).map_err(|error| arrow_error(&self.name, "reading", &error));
            }
            self.reader = None;
        }
    }
}

// === impl FileReader for ParquetFile ===

impl FileReader for ParquetFile {
    fn file_schema(&self) -> SchemaRef {
        self.file_schema.clone()
    }

    fn origin(&self) -> Option<SpanContext> {
        self.origin
    }

    fn schema(&self) -> SchemaRef {
        self.projection.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let name = self.name.clone();
        contained(&name, "reading", || match self.decode()? {
            Some(batch) => self.projection.apply(&name, batch).map(Some),
            None => Ok(None),
        })
    }

    fn skip(&mut self, rows: u64) -> Result<u64, TableError> {
        let mut left = rows;
        for (group, count) in self.group_rows().into_iter().enumerate() {
            if left < count {
                (self.group, self.skip) = (group, left);
                return Ok(rows);
            }
            left -= count;
        }
        self.group = usize::MAX;
        Ok(rows - left)
    }
}
