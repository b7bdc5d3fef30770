//! What the host offers. Only what a stage calls ends up among its component's imports.
//!
//! A flattened parameter list is that of the canonical ABI: a list is two words, a result longer than one word is
//! written where the last parameter points.

use super::{Arrays, Attribute, FrameError, List, Maybe, Outcome, Schema, SpanContext, StateError, TableError};

/// Declares imports, and stand-ins that cannot be called for a native build, which runs unit tests only.
macro_rules! imports {
    ($module:literal { $($(#[doc = $doc:literal])* $name:literal fn $function:ident($($parameter:ident: $type:ty),*) $(-> $result:ty)?;)* }) => {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = $module)]
        unsafe extern "C" {
            $($(#[doc = $doc])* #[link_name = $name] pub fn $function($($parameter: $type),*) $(-> $result)?;)*
        }
        $(#[cfg(not(target_arch = "wasm32"))]
        $(#[doc = $doc])*
        ///
        /// # Safety
        /// Never returns: there is no host in a native build.
        pub unsafe fn $function($(_: $type),*) $(-> $result)? {
            unreachable!("no host to call `{}` of", $name)
        })*
    };
}

/// `parshall:stage/frames`.
pub mod frames {
    use super::*;
    imports!("parshall:stage/frames@0.1.0" {
        /// Copies columns in.
        "[method]frame.read" fn read(frame: u32, columns: *const u32, count: usize, result: *mut Outcome<Arrays, FrameError>);
        /// The number of rows.
        "[method]frame.rows" fn rows(frame: u32) -> u64;
        /// Gives the handle back.
        "[resource-drop]frame" fn drop(frame: u32);
    });
}

/// `parshall:stage/tables`.
pub mod tables {
    use super::*;
    imports!("parshall:stage/tables@0.1.0" {
        /// Opens a table for reading.
        "[static]reader.open" fn reader_open(location: *const u8, location_len: usize, options: *const u8, options_len: usize, result: *mut Outcome<u32, TableError>);
        /// Its schema.
        "[method]reader.schema" fn reader_schema(reader: u32, result: *mut Schema);
        /// Its next batch.
        "[method]reader.next" fn reader_next(reader: u32, result: *mut Outcome<Maybe<u32>, TableError>);
        /// Where that begins.
        "[method]reader.position" fn reader_position(reader: u32, result: *mut List<u8>);
        /// Goes on from there.
        "[method]reader.seek" fn reader_seek(reader: u32, position: *const u8, position_len: usize, result: *mut Outcome<(), TableError>);
        /// Closes it.
        "[resource-drop]reader" fn reader_drop(reader: u32);
        /// Prepares to write a table.
        "[static]writer.open" fn writer_open(location: *const u8, location_len: usize, fields: *const super::super::Field, fields_len: usize, metadata: *const super::super::Pair, metadata_len: usize, options: *const u8, options_len: usize, result: *mut Outcome<u32, TableError>);
        /// Adds rows.
        "[method]writer.write" fn writer_write(writer: u32, frame: u32, result: *mut Outcome<(), TableError>);
        /// Makes them durable.
        "[method]writer.commit" fn writer_commit(writer: u32, last: i32, result: *mut Outcome<u64, TableError>);
        /// Closes it.
        "[resource-drop]writer" fn writer_drop(writer: u32);
    });
}

/// `parshall:stage/telemetry`.
pub mod telemetry {
    use super::*;
    imports!("parshall:stage/telemetry@0.1.0" {
        /// The current call's context.
        "current" fn current(result: *mut Maybe<SpanContext>);
        /// Writes a log record.
        "log" fn log(level: i32, message: *const u8, message_len: usize, attributes: *const Attribute, attributes_len: usize);
        /// Adds to a counter.
        "count" fn count(name: *const u8, name_len: usize, by: u64);
        /// Observes a value.
        "observe" fn observe(name: *const u8, name_len: usize, value: f64);
        /// Begins a span.
        "[constructor]span" fn span_new(name: *const u8, name_len: usize) -> u32;
        /// Sets an attribute; a variant's payload travels flattened.
        "[method]span.set" fn span_set(span: u32, key: *const u8, key_len: usize, case: i32, first: i64, second: usize);
        /// Adds an event.
        "[method]span.event" fn span_event(span: u32, name: *const u8, name_len: usize, attributes: *const Attribute, attributes_len: usize);
        /// Marks it as failed.
        "[method]span.fail" fn span_fail(span: u32, message: *const u8, message_len: usize);
        /// Ends it.
        "[resource-drop]span" fn span_drop(span: u32);
    });
}

/// `parshall:stage/state`.
pub mod state {
    use super::*;
    imports!("parshall:stage/state@0.1.0" {
        /// The value of a key.
        "get" fn get(key: *const u8, key_len: usize, result: *mut Outcome<Maybe<List<u8>>, StateError>);
        /// Sets it.
        "set" fn set(key: *const u8, key_len: usize, value: *const u8, value_len: usize, result: *mut Outcome<(), StateError>);
        /// Removes it.
        "delete" fn delete(key: *const u8, key_len: usize, result: *mut Outcome<(), StateError>);
    });
}
