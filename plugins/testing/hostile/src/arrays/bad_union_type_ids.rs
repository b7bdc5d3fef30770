//! Type ids that no child has.

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "bad-union-type-ids",
    open: |_| fields([field("x", "+us:0,1", 2), field("a", "l", 0), field("b", "l", 0)]),
    process: |rows| {
        let nodes = vec![node(rows); 3];
        made(nodes, vec![vec![5; rows], vec![], zeros(rows), vec![], zeros(rows)])
    },
};
