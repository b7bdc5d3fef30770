//! Never comes back from `open`.

use crate::lie::*;

pub const LIE: Lie = Lie::about_schema("loop-in-open", |_| {
    loop {
        std::hint::spin_loop();
    }
});
