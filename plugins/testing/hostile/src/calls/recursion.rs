//! Calls itself for ever: the stack ends it.

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("recursion", |rows| {
    std::hint::black_box(deeper(rows as u64));
    everything()
});

#[inline(never)]
#[allow(unconditional_recursion)]
fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    deeper(depth + 1) + room[(depth % 64) as usize]
}
