//! Schemas: the contract's fields, depth-first with C data interface format strings, and Arrow's.

mod format;
mod receive;
mod send;

pub use receive::receive;
pub use send::SentSchema;

pub(crate) use format::{child_count, parse, said, write};

#[cfg(test)]
mod tests;
