//! What computes. Operands come in one of four kinds, and at least one of them with a value for each row.

pub mod arithmetic;
pub mod bits;
pub mod boolean;
pub mod calendar;
pub mod cast;
pub mod choose;
pub mod compare;
pub mod eights;
#[cfg_attr(not(all(target_arch = "wasm32", target_feature = "simd128")), path = "lanes_scalar.rs")]
mod lanes;
pub mod like;
pub mod list;
pub mod number;
pub mod text;
pub mod time;
