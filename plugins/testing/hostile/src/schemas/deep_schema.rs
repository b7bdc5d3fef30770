//! A type nested ten thousand deep.

use parshall_sdk::abi::{List, Schema};

use crate::lie::*;

pub const LIE: Lie = Lie::about_schema("deep-schema", |_| {
    let mut nested = vec![field("x", "+l", 1); 10_000];
    nested.push(field("x", "l", 0));
    as_it_came(Schema { fields: List::leak(nested), metadata: List::EMPTY })
});
