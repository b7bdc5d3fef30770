//! The bytes a Parquet decoder asks for: local ones as they are asked for, remote ones a row group at a time.

use std::{
    io::{self, BufReader, Read},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use parquet::{
    errors::ParquetError,
    file::{
        metadata::ParquetMetaData,
        reader::{ChunkReader, Length},
    },
};

use super::store::Object;

/// A page header is smaller, mostly.
const HEADER_WINDOW: usize = 8 * 1024;

/// Where one row group's wanted column chunks lie.
type Group = Vec<Range<u64>>;

/// A row group's wanted bytes, by where they begin.
type Fetched = (usize, Vec<(u64, Bytes)>);

/// Serves a decoder. A remote store would otherwise be asked twice per page; it is asked once per row group, for the
/// wanted columns in parallel, at the price of holding their compressed bytes.
#[derive(Clone)]
pub struct Chunks(Arc<Inner>);

struct Inner {
    object: Arc<Object>,
    /// Empty for local objects: the page cache serves them.
    groups: Vec<Group>,
    /// The row group being decoded.
    held: Mutex<Option<Fetched>>,
}

impl Chunks {
    pub fn is_local(&self) -> bool {
        self.0.object.address.is_local
    }

    pub fn new(object: Object) -> Self {
        Chunks(Arc::new(Inner { object: Arc::new(object), groups: Vec::new(), held: Mutex::default() }))
    }

    /// Knows from now on which bytes belong together.
    pub fn with_groups(self, metadata: &ParquetMetaData, wanted: &[usize]) -> Self {
        if self.is_local() {
            return self;
        }
        let columns = metadata.file_metadata().schema_descr();
        let leaf_is_wanted = |leaf: usize| wanted.contains(&columns.get_column_root_idx(leaf));
        let group = |group: &parquet::file::metadata::RowGroupMetaData| {
            let leaves = group.columns().iter().enumerate().filter(|leaf| leaf_is_wanted(leaf.0));
            leaves
                .map(|leaf| leaf.1.byte_range())
                .filter(|range| range.1 > 0)
                .map(|(start, length)| start..start.saturating_add(length))
                .collect()
        };
        let groups = metadata.row_groups().iter().map(group).collect();
        Chunks(Arc::new(Inner { object: self.0.object.clone(), groups, held: Mutex::default() }))
    }

    /// The bytes from `start` on, as far as they are held; fetches the row group they belong to.
    fn held(&self, start: u64) -> Result<Option<Bytes>, ParquetError> {
        let owns = |group: &Group| group.iter().any(|range| range.contains(&start));
        let Some(group) = self.0.groups.iter().position(owns) else {
            return Ok(None);
        };
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !held.iter().any(|fetched| fetched.0 == group) {
            let ranges = &self.0.groups[group];
            let bytes = self.0.object.read_all(ranges).map_err(|error| ParquetError::External(Box::new(error)))?;
            *held = Some((group, ranges.iter().map(|range| range.start).zip(bytes).collect()));
        }
        let pieces = held.iter().filter(|fetched| fetched.0 == group).flat_map(|fetched| &fetched.1);
        let inside = |piece: &&(u64, Bytes)| piece.0 <= start && start - piece.0 < piece.1.len() as u64;
        Ok(pieces.into_iter().find(inside).map(|piece| piece.1.slice((start - piece.0) as usize..)))
    }

    fn bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if let Some(held) = self.held(start)?.filter(|held| held.len() >= length) {
            return Ok(held.slice(..length));
        }
        let end = start.checked_add(length as u64).ok_or_else(|| ParquetError::EOF("a range overflows".into()))?;
        self.0.object.read(start..end).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

// === impl ChunkReader for Chunks ===

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.object.size
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::with_capacity(HEADER_WINDOW, From { chunks: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.bytes(start, length)
    }
}

/// The object from a place on.
pub struct From {
    chunks: Chunks,
    at: u64,
}

impl Read for From {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.chunks.len().saturating_sub(self.at);
        let held = self.chunks.held(self.at).map_err(io::Error::other)?;
        let most = held.as_ref().map_or(left, |held| held.len() as u64);
        let count = most.min(out.len() as u64) as usize;
        let bytes = match held {
            Some(held) => held.slice(..count),
            None => self.chunks.bytes(self.at, count).map_err(io::Error::other)?,
        };
        out[..count].copy_from_slice(&bytes);
        self.at += count as u64;
        Ok(count)
    }
}
