//! A port with the name that belongs to the host.

use parshall_sdk::abi::{List, Outcome, Port, Text};

use crate::lie::*;

pub const LIE: Lie =
    Lie::about_schema("port-named-rejected", |schema| Outcome::Ok(List::leak(vec![Port { name: Text::of("rejected"), schema }])));
