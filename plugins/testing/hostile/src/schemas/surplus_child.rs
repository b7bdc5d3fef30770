//! A number with a child.

use crate::lie::*;

pub const LIE: Lie = Lie::about_schema("surplus-child", |_| fields([field("x", "l", 1), field("a", "l", 0)]));
