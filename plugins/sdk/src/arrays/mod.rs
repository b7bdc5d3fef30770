//! Columns: the contract's `arrays` and Arrow's arrays, both ways.

mod receive;
mod runs;
mod send;

pub use receive::Arrived;
pub use send::Sent;

#[cfg(test)]
mod tests;
