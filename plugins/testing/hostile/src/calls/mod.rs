//! Calls that do not go as calls should.

mod alloc_bomb;
mod errors;
mod loop_in_open;
mod loop_in_process;
mod out_of_bounds;
mod recursion;
mod stray_pointer;
mod trap;

use crate::lie::Lie;

/// All of them.
pub const LIES: &[Lie] = &[
    alloc_bomb::LIE,
    errors::CONFIG,
    errors::SCHEMA,
    errors::DATA,
    errors::UNAVAILABLE,
    errors::INTERNAL,
    loop_in_open::LIE,
    loop_in_process::LIE,
    out_of_bounds::LIE,
    recursion::LIE,
    stray_pointer::LIE,
    trap::LIE,
];
