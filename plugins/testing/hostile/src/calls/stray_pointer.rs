//! Answers with a list that lies outside its memory.

use parshall_sdk::abi::{Columns, List, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("stray-pointer", |rows| {
    let nowhere = List::from_words(0xffff_0000 as *const u8, rows.div_ceil(8));
    answer(output(Rows::Bitmap(nowhere), Columns::Untouched), vec![])
});
