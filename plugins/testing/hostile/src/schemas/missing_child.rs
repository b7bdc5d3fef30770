//! A struct whose children do not follow.

use crate::lie::*;

pub const LIE: Lie = Lie::about_schema("missing-child", |_| fields([field("x", "+s", 3), field("a", "l", 0)]));
