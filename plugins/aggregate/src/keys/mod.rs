//! Keys as bytes: rows encoded, hashed, and numbered in order of first appearance; and a way around for those that were met before.

mod copy;
mod decode;
mod interner;
mod known;
mod rows;
mod shape;
mod table;

pub use decode::{decode, is_row};
pub use interner::Interner;
pub use known::{Known, UNKNOWN};
pub use rows::Rows;
pub use shape::Shape;
pub use table::{Table, mix};
