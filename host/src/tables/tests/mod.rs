//! What tables promise, by format and by danger. Everything goes through `Tables`, as stages do.

mod claims;
mod follow;
mod fuzz;
mod generate;
mod grants;
mod location;
mod modes;
mod options;
mod position;
mod remote;
mod round_trip;
mod text;
mod tricks;

use std::{path::Path, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    compute::concat_batches,
    datatypes::SchemaRef,
};
use tempfile::TempDir;

use super::NativeTables;
use crate::words::{
    grants::{Grants, Place},
    tables::{TableError, TableReader, TableWriter, Tables},
};

/// A folder with `data/` granted for both, and everything beside it granted for nothing.
struct Bench {
    folder: TempDir,
    tables: NativeTables,
    grants: Grants,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let place = Place::Path(folder.path().join("data"));
        let grants = Grants { read: vec![place.clone()], write: vec![place], base: folder.path().into(), ..Grants::default() };
        Bench { folder, tables: NativeTables::default(), grants }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn reader(&self, location: &str, options: &str) -> Result<Box<dyn TableReader>, TableError> {
        self.tables.reader(&self.grants, location, options)
    }

    fn writer(&self, location: &str, schema: SchemaRef, options: &str) -> Result<Box<dyn TableWriter>, TableError> {
        self.tables.writer(&self.grants, location, schema, options)
    }

    /// All rows as one batch.
    fn read(&self, location: &str, options: &str) -> Result<RecordBatch, TableError> {
        let mut reader = self.reader(location, options)?;
        all(&mut *reader)
    }

    /// How many rows there are, without putting them together.
    fn read_all(&self, location: &str) -> Result<usize, TableError> {
        let mut reader = self.reader(location, "{}")?;
        let mut rows = 0;
        while let Some(batch) = reader.next()? {
            rows += batch.num_rows();
        }
        Ok(rows)
    }

    fn write(&self, location: &str, batches: &[RecordBatch], options: &str) -> Result<u64, TableError> {
        let mut writer = self.writer(location, batches[0].schema(), options)?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.commit(true)
    }

    /// Every file below the folder, sorted.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(self.folder.path(), self.folder.path(), &mut found);
        found.sort();
        found
    }
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.strip_prefix(root).unwrap().display().to_string());
        if path.is_dir() && !path.is_symlink() {
            walk(root, &path, found);
        }
    }
}

fn all(reader: &mut dyn TableReader) -> Result<RecordBatch, TableError> {
    let mut batches = Vec::new();
    while let Some(batch) = reader.next()? {
        batches.push(batch);
    }
    Ok(concat_batches(&reader.schema(), &batches).unwrap())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// `id` from `from` on, and `name` with a null at every third row.
fn people(from: i64, rows: i64) -> RecordBatch {
    let ids = Int64Array::from_iter_values(from..from + rows);
    let names = (from..from + rows).map(|id| (id % 3 != 0).then(|| format!("n{id}")));
    batch(vec![("id", Arc::new(ids)), ("name", Arc::new(names.collect::<StringArray>()))])
}

/// One column per kind of value, each with a null.
fn kinds() -> RecordBatch {
    let decimals = Decimal128Array::from(vec![Some(12345), None, Some(-1)]).with_precision_and_scale(10, 2).unwrap();
    let times = TimestampMicrosecondArray::from(vec![Some(1_700_000_000_123_456), None, Some(0)]);
    batch(vec![
        ("int", Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MIN)]))),
        ("small", Arc::new(Int32Array::from(vec![Some(-7), None, Some(7)]))),
        ("float", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(-2.5)]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("text", Arc::new(StringArray::from(vec![Some("a,\"b\"\nc"), None, Some("ü€")]))),
        ("day", Arc::new(Date32Array::from(vec![Some(19_000), None, Some(-1)]))),
        ("time", Arc::new(times.clone())),
        ("instant", Arc::new(times.with_timezone("UTC"))),
        ("money", Arc::new(decimals)),
    ])
}

fn blobs() -> ArrayRef {
    Arc::new(BinaryArray::from_opt_vec(vec![Some(b"\x00\xff"), None, Some(b"")]))
}

/// Requires an error whose text holds every given part.
fn assert_error<T>(result: Result<T, TableError>, kind: fn(String) -> TableError, parts: &[&str]) {
    let Err(error) = result else { panic!("this must fail") };
    let text = error.to_string();
    assert_eq!(error, kind(text.clone()), "another kind of error");
    for part in parts {
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    }
}
