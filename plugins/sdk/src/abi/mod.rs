//! The contract as it lies in memory, and the functions that cross the boundary. Nothing here knows of Arrow.
//!
//! The canonical ABI lays out records as `repr(C)` does and variants as `repr(C, u8)` does, so the types below *are*
//! what crosses: lifting is a pointer cast and lowering is filling in a pointer and a length. That is why there is no
//! binding generator here: it would copy every list once more, and a made column is a list. `componentize` checks every
//! signature against the WIT; the sizes are asserted in [`layout`].

pub mod imports;
mod layout;
mod list;
mod types;

pub use list::{List, Text};
pub use types::*;
