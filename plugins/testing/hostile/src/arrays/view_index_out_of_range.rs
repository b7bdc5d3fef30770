//! Views into a data buffer that is not there.

use parshall_sdk::abi::Node;

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "view-index-out-of-range",
    open: |_| fields([field("x", "vu", 0)]),
    process: |rows| {
        // Length 20, any prefix, buffer 9, offset 0.
        let view = int32s([20, i32::from_le_bytes(*b"aaaa"), 9, 0]);
        let node = Node { variadic: 1, ..node(rows) };
        made(vec![node], vec![vec![], view.repeat(rows), vec![b'a'; 20]])
    },
};
