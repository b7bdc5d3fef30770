//! A dictionary key that has no value.

use parshall_sdk::abi::{Field, flags};

use crate::lie::*;

pub const LIE: Lie = Lie {
    mode: "bad-dictionary-key",
    open: |_| {
        let keys = Field { flags: flags::NULLABLE | flags::DICTIONARY_ENCODED, ..field("x", "i", 0) };
        fields([keys, field("", "u", 0)])
    },
    process: |rows| {
        let keys = int32s(std::iter::repeat_n(7, rows));
        made(vec![node(rows), node(1)], vec![vec![], keys, vec![], int32s([0, 1]), vec![b'a']])
    },
};
