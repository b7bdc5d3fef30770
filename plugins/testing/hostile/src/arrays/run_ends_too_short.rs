//! Run ends that stop before the array does.

use parshall_sdk::abi::Field;

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "run-ends-too-short",
    open: |_| fields([field("x", "+r", 2), Field { flags: 0, ..field("run_ends", "i", 0) }, field("values", "l", 0)]),
    process: |rows| made(vec![node(rows), node(1), node(1)], vec![vec![], int32s([1]), vec![], zeros(1)]),
};
