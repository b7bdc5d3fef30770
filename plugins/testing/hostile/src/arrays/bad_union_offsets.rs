//! Offsets of a dense union beyond its children.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "bad-union-offsets",
    open: |_| fields([field("x", "+ud:0,1", 2), field("a", "l", 0), field("b", "l", 0)]),
    process: |rows| {
        let offsets = int32s(std::iter::repeat_n(1_000_000, rows));
        made(vec![node(rows); 3], vec![vec![0; rows], offsets, vec![], zeros(rows), vec![], zeros(rows)])
    },
};
