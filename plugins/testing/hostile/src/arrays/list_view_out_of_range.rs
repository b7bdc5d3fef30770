//! Sizes of a list view beyond its child.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "list-view-out-of-range",
    open: |_| fields([field("x", "+vl", 1), field("item", "l", 0)]),
    process: |rows| {
        let (offsets, sizes) = (int32s(std::iter::repeat_n(0, rows)), int32s(std::iter::repeat_n(1000, rows)));
        made(vec![node(rows), node(1)], vec![vec![], offsets, sizes, vec![], zeros(1)])
    },
};
