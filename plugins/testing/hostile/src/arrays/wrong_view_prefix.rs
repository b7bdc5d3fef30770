//! Views whose prefix is not that of the bytes.

use parshall_sdk::abi::Node;

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "wrong-view-prefix",
    open: |_| fields([field("x", "vu", 0)]),
    process: |rows| {
        let view = int32s([20, i32::from_le_bytes(*b"bbbb"), 0, 0]);
        let node = Node { variadic: 1, ..node(rows) };
        made(vec![node], vec![vec![], view.repeat(rows), vec![b'a'; 20]])
    },
};
