//! An array with fewer values than there are surviving rows.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "made-count-mismatch",
    open: |_| fields([field("x", "l", 0)]),
    process: |rows| made(vec![node(rows / 2)], vec![vec![], zeros(rows / 2)]),
};
