//! Offsets that go down.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "offsets-descending",
    open: |_| fields([field("x", "u", 0)]),
    process: |rows| {
        let offsets = int32s((0..=rows as i32).rev());
        made(vec![node(rows)], vec![vec![], offsets, vec![b'a'; rows]])
    },
};
