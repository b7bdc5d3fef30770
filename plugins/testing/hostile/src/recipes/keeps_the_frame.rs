//! Does not give the frame back before the call returns.

use crate::lie::*;

/// The handle is given back by whoever calls `process`, except in this mode.
pub const LIE: Lie = Lie::about_recipe("keeps-the-frame", |_| everything());
