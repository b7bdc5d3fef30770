//! A bitmap with fewer bits than rows.

use parshall_sdk::abi::{Columns, List, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("bitmap-too-short", |rows| {
    let bits = List::leak(vec![0xff; rows.div_ceil(8).max(1) - 1]);
    answer(output(Rows::Bitmap(bits), Columns::Untouched), vec![])
});
