//! What went wrong in storage below a decoder: decoders turn errors into text, and with it would be lost whether a
//! retry can help.

use std::sync::{Arc, Mutex, PoisonError};

use crate::words::tables::TableError;

/// The last error of one file's storage, shared by everything that reads it.
#[derive(Clone, Default)]
pub struct Fault(Arc<Mutex<Option<TableError>>>);

impl Fault {
    /// Remembers an error on its way up.
    pub fn note<T>(&self, result: Result<T, TableError>) -> Result<T, TableError> {
        if let Err(error) = &result {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        }
        result
    }

    /// The storage's error, if there was one, instead of what a decoder made of it.
    pub fn instead<T>(&self, result: Result<T, TableError>) -> Result<T, TableError> {
        result.map_err(|error| self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or(error))
    }
}
