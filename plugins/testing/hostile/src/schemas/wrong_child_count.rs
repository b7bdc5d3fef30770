//! A list with two children.

use crate::lie::*;

pub const LIE: Lie = Lie::about_schema("wrong-child-count", |_| fields([field("x", "+l", 2), field("a", "l", 0), field("b", "l", 0)]));
