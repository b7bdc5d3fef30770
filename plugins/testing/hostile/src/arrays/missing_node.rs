//! A column without a node.

use crate::lie::*;

pub const LIE: Lie =
    Lie { mode: "missing-node", open: |_| fields([field("x", "l", 0)]), process: |rows| made(vec![], vec![vec![], zeros(rows)]) };
