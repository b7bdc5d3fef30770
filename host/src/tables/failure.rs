//! How errors of the libraries below become the contract's: what happened, where, and whether a retry can help.

use std::{
    fmt::Display,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};

use ::parquet::errors::ParquetError;
use arrow::error::ArrowError;

use crate::words::tables::TableError;

/// Maps an I/O error at a named place.
pub fn io_error(name: &str, doing: &str, error: &io::Error) -> TableError {
    use io::ErrorKind::{AlreadyExists, InvalidData, InvalidInput, NotFound, PermissionDenied, UnexpectedEof};
    // Readers below a decoder can only speak of I/O errors; ours travel inside.
    if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<TableError>()) {
        return inner.clone();
    }
    let text = format!("{doing} {name:?}: {error}");
    match error.kind() {
        NotFound => TableError::NotFound(text),
        PermissionDenied => TableError::Denied(format!("{text} (refused by the system, not by a grant)")),
        AlreadyExists => TableError::Options(text),
        InvalidData | InvalidInput | UnexpectedEof => TableError::Format(text),
        _ => TableError::Unavailable(text),
    }
}

/// Maps an object store's error.
pub fn store_error(name: &str, doing: &str, error: &object_store::Error) -> TableError {
    use object_store::Error::{
        AlreadyExists, InvalidPath, NotFound, PermissionDenied, Precondition, Unauthenticated, UnknownConfigurationKey,
    };
    let text = format!("{doing} {name:?}: {error}");
    match error {
        NotFound { .. } => TableError::NotFound(format!("{doing} {name:?}: there is nothing there")),
        PermissionDenied { .. } | Unauthenticated { .. } => TableError::Denied(format!("{text} (refused by the storage, not by a grant)")),
        AlreadyExists { .. } | Precondition { .. } => TableError::Options(format!("{doing} {name:?}: it exists already")),
        InvalidPath { .. } | UnknownConfigurationKey { .. } => TableError::Options(text),
        _ => TableError::Unavailable(text),
    }
}

/// Maps an error of Arrow's readers and writers. I/O below them keeps its kind.
pub fn arrow_error(name: &str, doing: &str, error: &ArrowError) -> TableError {
    match error {
        ArrowError::IoError(_, error) => io_error(name, doing, error),
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<io::Error>() {
            Some(error) => io_error(name, doing, error),
            None => format_error(name, doing, inner),
        },
        other => format_error(name, doing, other),
    }
}

/// Maps an error of the Parquet reader and writer.
pub fn parquet_error(name: &str, doing: &str, error: &ParquetError) -> TableError {
    let inner = match error {
        ParquetError::External(inner) => inner,
        other => return format_error(name, doing, other),
    };
    match (inner.downcast_ref::<TableError>(), inner.downcast_ref::<io::Error>()) {
        (Some(error), _) => error.clone(),
        (None, Some(error)) => io_error(name, doing, error),
        (None, None) => format_error(name, doing, inner),
    }
}

/// The data is not what it was taken for.
pub fn format_error(name: &str, doing: &str, what: impl Display) -> TableError {
    TableError::Format(format!("{doing} {name:?}: {what}"))
}

/// Runs a decoder or encoder on data from outside. Some of the libraries panic on corrupt input; that is the data's
/// fault and must not take the host down. Whatever `work` borrowed is not used again after an error.
pub fn contained<T>(name: &str, doing: &str, work: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "no reason given".into());
        Err(format_error(name, doing, format_args!("the data is corrupt: {text}")))
    })
}
