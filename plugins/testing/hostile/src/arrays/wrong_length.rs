//! An array whose buffer is shorter than its length says.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "wrong-length",
    open: |_| fields([field("x", "l", 0)]),
    process: |rows| made(vec![node(rows)], vec![vec![], zeros(rows / 2)]),
};
