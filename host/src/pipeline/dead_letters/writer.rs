//! Writing dead letters: appended one message at a time, each durable before the other rows of its batch go on.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    mem,
    path::{Path, PathBuf},
    time::SystemTime,
};

use arrow::{datatypes::SchemaRef, error::ArrowError, ipc::writer::StreamWriter, temporal_conversions::timestamp_ms_to_datetime};

use super::{
    ENDING,
    letters::{self, Addressed, Letter},
};
use crate::{pipeline::policy::DeadLetters, words::stage::Input};

/// Whose letters they are.
#[derive(Clone, Debug)]
pub struct Head {
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline file.
    pub file: PathBuf,
    /// The stage.
    pub stage: String,
    /// What feeds it.
    pub inputs: Vec<Input>,
}

/// Why letters could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// There are as many as there may be.
    #[error("the dead letters are full: `{setting}` in [dead_letters] allows {allowed}, and `{path}` has {current}")]
    Full {
        /// `rows` or `bytes`.
        setting: &'static str,
        /// The setting.
        allowed: u64,
        /// What is there.
        current: u64,
        /// The file.
        path: String,
    },
    /// The machine.
    #[error("the dead letters cannot be written to `{path}`: {error}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The rows.
    #[error("the rows cannot be written as dead letters: {0}")]
    Rows(#[from] ArrowError),
}

/// The file of a stage and run, made when there is something to write.
pub struct Writer {
    head: Head,
    settings: DeadLetters,
    open: Option<Open>,
}

struct Open {
    path: PathBuf,
    file: File,
    stream: StreamWriter<Vec<u8>>,
    schema: SchemaRef,
    rows: u64,
    bytes: u64,
}

// === impl Writer ===

impl Writer {
    /// Writes nothing yet.
    pub fn new(head: Head, settings: DeadLetters) -> Self {
        Writer { head, settings, open: None }
    }

    /// From now on for these inputs and within these bounds. Where the inputs are the same, the file is.
    pub fn set(&mut self, head: Head, settings: DeadLetters) {
        if head.inputs != self.head.inputs {
            self.open = None;
        }
        (self.head, self.settings) = (head, settings);
    }

    /// Where they are, if there are any.
    pub fn path(&self) -> Option<&Path> {
        self.open.as_ref().map(|open| open.path.as_path())
    }

    /// Appends letters. When this answers well, they are durable.
    pub fn write(&mut self, of: &Addressed<'_>, letters: &[Letter<'_>]) -> Result<(), Unwritable> {
        let rows: u64 = letters.iter().map(|letter| letter.rows.len() as u64).sum();
        let open = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(Open::new(&self.head, &self.settings)?),
        };
        // What still comes by an input that is gone has the columns of the first: `plan/alike.rs`.
        let input = if (of.input as usize) < self.head.inputs.len() { of.input } else { 0 };
        let of = &Addressed { input, ..*of };
        open.room("rows", self.settings.rows, open.rows, rows)?;
        open.stream.write(&letters::batch(&open.schema, &self.head.stage, of, letters)?)?;
        let encoded = mem::take(open.stream.get_mut());
        open.room("bytes", self.settings.bytes, open.bytes, encoded.len() as u64)?;
        open.append(&encoded)?;
        open.rows += rows;
        Ok(())
    }
}

impl Drop for Writer {
    /// The end marker, for readers that ask for one. Without it the file is whole nevertheless.
    fn drop(&mut self) {
        if let Some(open) = &mut self.open
            && open.stream.finish().is_ok()
        {
            let encoded = mem::take(open.stream.get_mut());
            let _ = open.append(&encoded);
        }
    }
}

// === impl Open ===

impl Open {
    fn new(head: &Head, settings: &DeadLetters) -> Result<Self, Unwritable> {
        let schema = letters::schema(&head.pipeline, &head.file, &head.stage, &head.inputs);
        let stream = StreamWriter::try_new(Vec::new(), &schema)?;
        let folder = &settings.folder;
        fs::create_dir_all(folder).map_err(|error| Unwritable::Io { path: folder.display().to_string(), error })?;
        let (path, file) = create(folder, &head.stage)?;
        let mut open = Open { path, file, stream, schema, rows: 0, bytes: 0 };
        let encoded = mem::take(open.stream.get_mut());
        open.append(&encoded)?;
        // The name is durable once its folder is.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| open.failed(error))?;
        Ok(open)
    }

    fn room(&self, setting: &'static str, allowed: u64, current: u64, more: u64) -> Result<(), Unwritable> {
        if current.saturating_add(more) <= allowed {
            return Ok(());
        }
        Err(Unwritable::Full { setting, allowed, current, path: self.path.display().to_string() })
    }

    fn append(&mut self, encoded: &[u8]) -> Result<(), Unwritable> {
        let written = self.file.write_all(encoded).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a message is cut off again, where that is still possible.
            let _ = self.file.set_len(self.bytes);
            return Err(self.failed(error));
        }
        self.bytes += encoded.len() as u64;
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Unwritable {
        Unwritable::Io { path: self.path.display().to_string(), error }
    }
}

/// A file that was not there: `STAGE-TIME.arrows`, with a number where there is one already.
fn create(folder: &Path, stage: &str) -> Result<(PathBuf, File), Unwritable> {
    let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as i64);
    let time = timestamp_ms_to_datetime(now).map_or_else(|| now.to_string(), |time| time.format("%Y%m%dT%H%M%S%3fZ").to_string());
    for number in 1_u64.. {
        let more = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{stage}-{time}{more}.{ENDING}"));
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Unwritable::Io { path: path.display().to_string(), error }),
        }
    }
    unreachable!("there are fewer files than numbers")
}
