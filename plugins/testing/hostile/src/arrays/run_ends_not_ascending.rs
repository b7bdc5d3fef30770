//! Run ends that do not go up.

use parshall_sdk::abi::Field;

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "run-ends-not-ascending",
    open: |_| fields([field("x", "+r", 2), Field { flags: 0, ..field("run_ends", "i", 0) }, field("values", "l", 0)]),
    process: |rows| {
        let ends = int32s([rows as i32, rows as i32]);
        made(vec![node(rows), node(2), node(2)], vec![vec![], ends, vec![], zeros(2)])
    },
};
