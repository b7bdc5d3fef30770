//! Offsets of a list beyond its child.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "list-offsets-out-of-range",
    open: |_| fields([field("x", "+l", 1), field("item", "l", 0)]),
    process: |rows| {
        let offsets = int32s((0..=rows as i32).map(|offset| offset * 1000));
        made(vec![node(rows), node(1)], vec![vec![], offsets, vec![], zeros(1)])
    },
};
