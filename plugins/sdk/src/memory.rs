//! The guest's allocator: size classes, free lists, nothing else. Every block that a buffer may live in is aligned for
//! any Arrow value, so what the host copies in need not be copied again to align it.
//!
//! A stage allocates the same few sizes batch after batch, and each list that crosses is one allocation through
//! `cabi_realloc`; taking a block from a list and putting it back is all that must be fast. Blocks are never merged:
//! memory is bounded by the sum, over the classes, of the most that was in use at once.

use std::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
};

/// Arrow's buffers in a wasm32 guest ask for this; every block of at least this size is aligned to it.
const BLOCK: usize = 64;
const PAGE: usize = 65_536;
/// Four classes for each doubling, up to 4 GiB.
const CLASSES: usize = 4 * 32;

/// Size-class allocator over `memory.grow`.
pub struct Blocks(UnsafeCell<State>);

struct State {
    /// Heads of the lists of free blocks, linked through their first word.
    free: [*mut u8; CLASSES],
    /// What has never been handed out.
    next: usize,
    end: usize,
}

// A guest has one thread.
unsafe impl Sync for Blocks {}

// === impl Blocks ===

impl Blocks {
    /// Without any memory yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(State { free: [std::ptr::null_mut(); CLASSES], next: 0, end: 0 }))
    }
}

unsafe impl GlobalAlloc for Blocks {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let state = unsafe { &mut *self.0.get() };
        let class = class_of(layout);
        let head = state.free[class];
        if head.is_null() {
            return state.carve(size_of_class(class));
        }
        state.free[class] = unsafe { *head.cast::<*mut u8>() };
        head
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let state = unsafe { &mut *self.0.get() };
        let class = class_of(layout);
        unsafe { *block.cast::<*mut u8>() = state.free[class] };
        state.free[class] = block;
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if class_of(layout) == class_of(wanted) {
            return block;
        }
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            unsafe {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        moved
    }
}

// === impl State ===

impl State {
    #[cold]
    fn carve(&mut self, size: usize) -> *mut u8 {
        let start = if size < BLOCK { self.next } else { self.next.next_multiple_of(BLOCK) };
        match start.checked_add(size) {
            Some(stop) if stop <= self.end => {
                self.next = stop;
                start as *mut u8
            }
            _ => self.grow(size),
        }
    }

    #[cfg(target_arch = "wasm32")]
    fn grow(&mut self, size: usize) -> *mut u8 {
        let pages = size.div_ceil(PAGE);
        let before = core::arch::wasm32::memory_grow(0, pages);
        if before == usize::MAX {
            return std::ptr::null_mut();
        }
        let start = before * PAGE;
        // Memory grows in one piece unless somebody else grew it meanwhile; then what was left is given up.
        if self.end != start {
            self.next = start;
        }
        self.end = start + pages * PAGE;
        self.carve(size)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn grow(&mut self, _: usize) -> *mut u8 {
        std::ptr::null_mut()
    }
}

/// 16, 32, 48, 64, 128, 192, 256, then four steps to each doubling.
#[inline]
fn class_of(layout: Layout) -> usize {
    let size = layout.size().max(layout.align()).max(1);
    match size {
        ..=64 => (size - 1) / 16,
        65..=256 => 3 + (size - 1) / 64,
        _ => {
            let doubling = (usize::BITS - (size - 1).leading_zeros()) as usize - 9;
            7 + 4 * doubling + ((size - 1) >> (doubling + 6)) - 4
        }
    }
}

fn size_of_class(class: usize) -> usize {
    match class {
        0..=3 => 16 * (class + 1),
        4..=6 => 64 * (class - 2),
        _ => {
            let (doubling, step) = ((class - 7) / 4, (class - 7) % 4);
            (5 + step) << (doubling + 6)
        }
    }
}

/// The canonical ABI's allocator. Blocks are aligned better than asked for: a `list<u8>` may become any array.
///
/// # Safety
/// Called by the host with what it called it with before.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    use std::alloc::{alloc, handle_alloc_error, realloc};
    if size == 0 {
        return align as *mut u8;
    }
    let layout = unsafe { Layout::from_size_align_unchecked(size, align) };
    let block = if old_size == 0 {
        unsafe { alloc(layout) }
    } else {
        unsafe { realloc(old, Layout::from_size_align_unchecked(old_size, align), size) }
    };
    if block.is_null() {
        handle_alloc_error(layout);
    }
    block
}

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static BLOCKS: Blocks = Blocks::new();

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a class that is smaller than what it is handed out for, or wastes more than a quarter.
    #[test]
    fn classes_fit_tightly() {
        for size in (1..5000).chain([65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, (1 << 31) - 1]) {
            let class = class_of(Layout::from_size_align(size, 1).unwrap());
            let block = size_of_class(class);
            assert!(block >= size, "{size} bytes do not fit class {class} of {block}");
            assert!(block - size < 64.max(size / 4 + 1), "{size} bytes waste a block of {block}");
            assert!(block < 64 || block % 64 == 0, "blocks of {block} do not keep Arrow's alignment");
            assert!(class < CLASSES);
        }
    }

    /// Protects against a block of a small size but a large alignment that is aligned too little.
    #[test]
    fn alignment_counts_as_size() {
        assert_eq!(size_of_class(class_of(Layout::from_size_align(8, 64).unwrap())), 64);
    }
}
