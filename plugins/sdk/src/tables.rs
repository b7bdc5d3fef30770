//! Tables that the host reads and writes: they yield and take frames, so no row crosses the boundary.

use arrow_schema::{Schema, SchemaRef};

use crate::{
    abi::{List, Maybe, Outcome, TableError as Raw, imports::frames, imports::tables as host},
    error::StageError,
    frame::Frame,
    schema::{self, SentSchema},
};

/// Why a table could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// The location is not granted for this.
    Denied(String),
    /// There is nothing there.
    NotFound(String),
    /// The options are wrong, or contradict the location.
    Options(String),
    /// The data is not of the stated format, or does not fit the schema.
    Format(String),
    /// The storage did not answer; the same call may succeed later.
    Unavailable(String),
}

/// A frame that the stage owns, to give on.
pub struct OwnedFrame(u32);

/// A table that is being read.
pub struct Reader(u32);

/// A table that is being written. Dropped without `commit`, it leaves no trace.
pub struct Writer(u32);

// === impl TableError ===

impl TableError {
    /// The stage's error for it. What the author of the pipeline can mend is an error of the configuration, at the value
    /// that names the location.
    pub fn at(self, pointer: &str) -> StageError {
        match self {
            Self::Denied(message) | Self::NotFound(message) | Self::Options(message) => StageError::config(pointer, message),
            Self::Format(message) => StageError::Data(message),
            Self::Unavailable(message) => StageError::Unavailable(message),
        }
    }

    unsafe fn receive(error: Raw) -> Self {
        unsafe {
            match error {
                Raw::Denied(text) => Self::Denied(text.into_string()),
                Raw::NotFound(text) => Self::NotFound(text.into_string()),
                Raw::Options(text) => Self::Options(text.into_string()),
                Raw::Format(text) => Self::Format(text.into_string()),
                Raw::Unavailable(text) => Self::Unavailable(text.into_string()),
            }
        }
    }
}

/// Calls a function of the host that writes its result where it is told.
///
/// # Safety
/// `call` must have the host write a valid value through its argument.
unsafe fn ask<T>(call: impl FnOnce(*mut Outcome<T, Raw>)) -> Result<T, TableError> {
    let mut result = Outcome::Err(Raw::Unavailable(List::EMPTY));
    call(&mut result);
    match result {
        Outcome::Ok(value) => Ok(value),
        Outcome::Err(error) => Err(unsafe { TableError::receive(error) }),
    }
}

// === impl OwnedFrame ===

impl OwnedFrame {
    /// Number of rows.
    pub fn rows(&self) -> u64 {
        unsafe { frames::rows(self.0) }
    }

    /// Gives the handle away.
    pub(crate) fn into_handle(self) -> u32 {
        std::mem::ManuallyDrop::new(self).0
    }
}

impl Drop for OwnedFrame {
    fn drop(&mut self) {
        unsafe { frames::drop(self.0) };
    }
}

// === impl Reader ===

impl Reader {
    /// Opens the table at a location. `options` is a JSON object; see the documentation of `std:read`.
    pub fn open(location: &str, options: &str) -> Result<Self, TableError> {
        unsafe { ask(|result| host::reader_open(location.as_ptr(), location.len(), options.as_ptr(), options.len(), result)) }.map(Self)
    }

    /// The table's schema.
    pub fn schema(&self) -> Result<SchemaRef, StageError> {
        let mut result = crate::abi::Schema { fields: List::EMPTY, metadata: List::EMPTY };
        unsafe {
            host::reader_schema(self.0, &mut result);
            schema::receive(result)
        }
    }

    /// The next batch, or nothing at the end. Of a table that does not end, a batch of no rows while it has nothing now.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<OwnedFrame>, TableError> {
        match unsafe { ask(|result| host::reader_next(self.0, result)) }? {
            Maybe::None => Ok(None),
            Maybe::Some(handle) => Ok(Some(OwnedFrame(handle))),
        }
    }

    /// Where the next batch begins.
    pub fn position(&self) -> Vec<u8> {
        let mut result = List::EMPTY;
        unsafe {
            host::reader_position(self.0, &mut result);
            result.into_vec()
        }
    }

    /// Goes on from a position.
    pub fn seek(&mut self, position: &[u8]) -> Result<(), TableError> {
        unsafe { ask(|result| host::reader_seek(self.0, position.as_ptr(), position.len(), result)) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        unsafe { host::reader_drop(self.0) };
    }
}

// === impl Writer ===

impl Writer {
    /// Prepares to write a table. `options` is a JSON object; see the documentation of `std:write`.
    pub fn open(location: &str, schema: &Schema, options: &str) -> Result<Self, TableError> {
        let sent = SentSchema::new(schema);
        let schema = sent.abi();
        let (fields, metadata) = (schema.fields, schema.metadata);
        let call = |result| unsafe {
            host::writer_open(
                location.as_ptr(),
                location.len(),
                fields.as_ptr(),
                fields.len(),
                metadata.as_ptr(),
                metadata.len(),
                options.as_ptr(),
                options.len(),
                result,
            )
        };
        unsafe { ask(call) }.map(Self)
    }

    /// Adds a frame's rows.
    pub fn write(&mut self, frame: &Frame) -> Result<(), TableError> {
        unsafe { ask(|result| host::writer_write(self.0, frame.handle(), result)) }
    }

    /// Makes what was written durable and visible, all at once. Answers the rows made durable.
    pub fn commit(&mut self, last: bool) -> Result<u64, TableError> {
        unsafe { ask(|result| host::writer_commit(self.0, last.into(), result)) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        unsafe { host::writer_drop(self.0) };
    }
}
