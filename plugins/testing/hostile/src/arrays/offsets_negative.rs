//! Offsets below 0.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "offsets-negative",
    open: |_| fields([field("x", "u", 0)]),
    process: |rows| {
        let offsets = int32s((0..=rows as i32).map(|offset| offset - 1));
        made(vec![node(rows)], vec![vec![], offsets, vec![b'a'; rows]])
    },
};
