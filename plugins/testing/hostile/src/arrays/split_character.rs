//! Text that is UTF-8 as a whole and not value by value.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "split-character",
    open: |_| fields([field("x", "u", 0)]),
    process: |rows| {
        // Every value is one byte, and every two bytes are one letter.
        let bytes = "ä".bytes().cycle().take(rows.next_multiple_of(2)).collect();
        made(vec![node(rows)], vec![vec![], int32s(0..=rows as i32), bytes])
    },
};
