//! A null in a column that cannot hold any.

use parshall_sdk::abi::{Field, Node};

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "null-in-required",
    open: |_| fields([Field { flags: 0, ..field("x", "l", 0) }]),
    process: |rows| {
        let node = Node { null_count: rows as u64, ..node(rows) };
        made(vec![node], vec![vec![0; rows.div_ceil(8)], zeros(rows)])
    },
};
