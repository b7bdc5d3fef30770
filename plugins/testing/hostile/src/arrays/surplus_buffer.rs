//! A buffer that belongs to nothing.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "surplus-buffer",
    open: |_| fields([field("x", "l", 0)]),
    process: |rows| made(vec![node(rows)], vec![vec![], zeros(rows), zeros(rows)]),
};
