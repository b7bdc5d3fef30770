//! Takes memory until there is none: the limit on memory ends it.

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("alloc-bomb", |_| {
    loop {
        std::mem::forget(std::hint::black_box(vec![1u8; 1 << 20]));
    }
});
