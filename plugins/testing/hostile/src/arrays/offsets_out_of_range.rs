//! Offsets beyond the bytes.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "offsets-out-of-range",
    open: |_| fields([field("x", "u", 0)]),
    process: |rows| {
        let offsets = int32s((0..=rows as i32).map(|offset| offset * 1000));
        made(vec![node(rows)], vec![vec![], offsets, vec![b'a'; rows]])
    },
};
