//! A validity bitmap that ends before the values do.

use parshall_sdk::abi::Node;

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "short-validity",
    open: |_| fields([field("x", "l", 0)]),
    process: |rows| {
        let node = Node { null_count: rows as u64, ..node(rows) };
        made(vec![node], vec![vec![0; (rows / 8).max(1) - 1], zeros(rows)])
    },
};
