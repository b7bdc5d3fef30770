//! A Parquet or Arrow IPC file that is read once, when its writer is done with it: what it holds is known from its end.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    time::{Duration, SystemTime},
};

use crate::{
    tables::{
        arrow_ipc_read::IpcFile, failure::contained, failure::io_error, format::Format, options::ReadOptions, parquet_read::ParquetFile,
        reader::FileReader, store::Address,
    },
    words::tables::TableError,
};

/// A writer that rests longer is worth a warning.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where reading a file stands.
#[derive(Debug, Default)]
pub struct Whole {
    /// Rows read.
    pub rows: u64,
    /// Whether these are all.
    pub is_done: bool,
    /// Size and time of change when it was last found not to be whole.
    unfinished: Option<(u64, i64, i64)>,
    has_warned: bool,
}

/// What looking at a file found.
pub enum Look {
    /// It is whole. Its rows that were read before are behind it.
    Whole(Box<dyn FileReader>),
    /// It is done, or not whole yet, or gone.
    Nothing,
}

impl Whole {
    pub fn new(rows: u64, is_done: bool) -> Self {
        Whole { rows, is_done, ..Whole::default() }
    }

    /// Opens the file, if it has become whole.
    pub fn look(&mut self, address: &Address, format: Format, options: &ReadOptions) -> Result<Look, TableError> {
        if self.is_done {
            return Ok(Look::Nothing);
        }
        let meta = match fs::metadata(address.path()) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Look::Nothing),
            Err(error) => return Err(io_error(&address.name, "looking at", &error)),
        };
        let now = (meta.len(), meta.mtime(), meta.mtime_nsec());
        if self.unfinished == Some(now) {
            self.warn_of_rest(address, &meta, None);
            return Ok(Look::Nothing);
        }
        match open(address, format, options) {
            Ok(mut file) => {
                skip(&mut *file, address, self.rows)?;
                Ok(Look::Whole(file))
            }
            Err(TableError::Format(why)) => {
                self.unfinished = Some(now);
                self.warn_of_rest(address, &meta, Some(&why));
                Ok(Look::Nothing)
            }
            Err(TableError::NotFound(_)) => Ok(Look::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Says once that the file seems to have been given up.
    fn warn_of_rest(&mut self, address: &Address, meta: &fs::Metadata, why: Option<&str>) {
        let rests = meta.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
        if !self.has_warned && rests.is_some_and(|rests| rests >= PATIENCE) {
            self.has_warned = true;
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            let name = &address.name;
            tracing::warn!(file = %name, "{name:?} is not whole and has not changed for {} s{why}: it is read once it is", PATIENCE.as_secs());
        }
    }
}

/// A file that is whole; a `Format` error if it is not.
pub fn open(address: &Address, format: Format, options: &ReadOptions) -> Result<Box<dyn FileReader>, TableError> {
    let opened = contained(&address.name, "opening", || {
        if format == Format::Parquet {
            return Ok(Box::new(ParquetFile::open(address, options)?) as Box<dyn FileReader>);
        }
        let file = IpcFile::open(address, options)?;
        match file.is_whole()? {
            true => Ok(Box::new(file) as Box<dyn FileReader>),
            false => Err(TableError::Format("its end marker is missing".into())),
        }
    });
    address.fault.instead(opened)
}

fn skip(file: &mut dyn FileReader, address: &Address, rows: u64) -> Result<(), TableError> {
    let skipped = address.fault.instead(file.skip(rows))?;
    if skipped < rows {
        return Err(TableError::Format(format!(
            "{rows} rows of {:?} were read before, and it has only {skipped}; was it replaced?",
            address.name
        )));
    }
    Ok(())
}
