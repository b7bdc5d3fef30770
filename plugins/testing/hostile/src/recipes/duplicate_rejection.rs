//! A row that is refused twice.

use parshall_sdk::abi::{Columns, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("duplicate-rejection", |rows| {
    let twice = vec![(0, "once".into()), (0, "twice".into())];
    answer(output(Rows::Bitmap(nobody(rows)), Columns::Untouched), twice)
});
