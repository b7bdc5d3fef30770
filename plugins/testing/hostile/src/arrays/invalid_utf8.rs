//! Text that is not UTF-8.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "invalid-utf8",
    open: |_| fields([field("x", "u", 0)]),
    process: |rows| made(vec![node(rows)], vec![vec![], int32s(0..=rows as i32), vec![0xff; rows]]),
};
