//! Panics, which is a trap.

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("trap", |_| panic!("on purpose"));
