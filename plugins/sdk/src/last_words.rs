//! What a panic says: left in memory, where the host finds it once the instance has trapped.

use std::{
    panic::{PanicHookInfo, set_hook},
    ptr::{addr_of_mut, write_volatile},
};

/// `parshall:trapped`, put together only when a panic writes it: where it stands, something was said.
const MARK: [u64; 2] = [u64::from_le_bytes(*b"parshall"), u64::from_le_bytes(*b":trapped")];

#[repr(C, align(8))]
struct Words {
    mark: [u64; 2],
    at: usize,
    length: usize,
}

static mut WORDS: Words = Words { mark: [0; 2], at: 0, length: 0 };

/// From now on, panics leave their words.
pub fn listen() {
    set_hook(Box::new(leave));
}

fn leave(panic: &PanicHookInfo) {
    let said = panic.to_string().leak();
    // A guest has one thread. Word by word, that the mark lies nowhere else.
    unsafe {
        write_volatile(addr_of_mut!(WORDS.mark[0]), MARK[0]);
        write_volatile(addr_of_mut!(WORDS.mark[1]), MARK[1]);
        write_volatile(addr_of_mut!(WORDS.at), said.as_ptr() as usize);
        write_volatile(addr_of_mut!(WORDS.length), said.len());
    }
}
