//! Schemas that mean nothing, or that are not the stage's to declare.

mod bad_format;
mod deep_schema;
mod missing_child;
mod port_named_rejected;
mod surplus_child;
mod two_ports_of_one_name;
mod wrong_child_count;

use crate::lie::Lie;

/// All of them.
pub const LIES: &[Lie] = &[
    bad_format::LIE,
    deep_schema::LIE,
    missing_child::LIE,
    port_named_rejected::LIE,
    surplus_child::LIE,
    two_ports_of_one_name::LIE,
    wrong_child_count::LIE,
];
