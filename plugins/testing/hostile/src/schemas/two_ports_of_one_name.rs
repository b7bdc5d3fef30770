//! Two ports with the same name.

use parshall_sdk::abi::{List, Outcome, Port, Text};

use crate::lie::*;

pub const LIE: Lie =
    Lie::about_schema("two-ports-of-one-name", |schema| Outcome::Ok(List::leak(vec![Port { name: Text::of("out"), schema }; 2])));
