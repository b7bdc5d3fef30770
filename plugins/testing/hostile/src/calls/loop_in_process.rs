//! Never comes back from `process`: only fuel or the deadline ends it.

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("loop-in-process", |_| {
    loop {
        std::hint::spin_loop();
    }
});
