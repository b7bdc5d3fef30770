//! Reads beyond the end of its memory.

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("out-of-bounds", |_| {
    // The last byte of what 32 bits can address: no limit lets a memory reach it.
    let beyond = std::hint::black_box(u32::MAX as usize) as *const u8;
    std::hint::black_box(unsafe { beyond.read_volatile() });
    everything()
});
