//! A format string that means nothing.

use crate::lie::*;

pub const LIE: Lie = Lie::about_schema("bad-format", |_| fields([field("x", "?!", 0)]));
