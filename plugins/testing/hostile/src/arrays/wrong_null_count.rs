//! A null count that is not that of the bitmap.

use parshall_sdk::abi::Node;

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "wrong-null-count",
    open: |_| fields([field("x", "l", 0)]),
    process: |rows| {
        let node = Node { null_count: 1, ..node(rows) };
        made(vec![node], vec![vec![0xff; rows.div_ceil(8)], zeros(rows)])
    },
};
