//! Everything a Rust stage needs. A stage implements [`Extract`], [`Transform`] or [`Load`] and exports it; the README
//! has one in twenty lines.
//!
//! From the boundary inwards: [`abi`] is the contract as it lies in memory, `schema` and `arrays` turn it into Arrow and
//! back, [`Frame`] reads and [`Answer`] replies, `exports` is what the host calls, `memory` is the allocator.

pub mod abi;
mod answer;
mod arrays;
pub mod config;
mod describe;
mod error;
pub mod exports;
mod frame;
mod last_words;
// Unit tests run natively, on the system's allocator.
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
mod memory;
mod nearest;
mod ports;
mod reply;
mod schema;
mod stage;
pub mod state;
pub mod tables;
pub mod telemetry;

pub use answer::{Answer, Column, Output, Projection, Rejection, Rows};
pub use describe::Description;
pub use error::{ConfigError, StageError};
pub use frame::Frame;
pub use nearest::nearest;
pub use ports::{Input, Port, column_index, columns_are, same_schema, typed_index};
pub use stage::{Extract, Extracted, Load, NoConfig, Receipt, Transform, Values};

/// What a stage's source begins with.
pub mod prelude {
    pub use crate::{
        Answer, Column, Description, Extract, Extracted, Frame, Input, Load, NoConfig, Output, Port, Projection, Receipt, Rejection, Rows,
        StageError, Transform, Values, column_index, describe, export_extract, export_load, export_transform, same_schema, typed_index,
    };
    pub use arrow_array::{Array, ArrayRef};
    pub use arrow_data::ArrayData;
    pub use arrow_schema::{DataType, Field, Schema, SchemaRef};
    pub use serde::Deserialize;
}
