//! A refused row that there is not.

use parshall_sdk::abi::{Columns, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("rejection-out-of-range", |rows| {
    answer(output(Rows::Bitmap(nobody(rows)), Columns::Untouched), vec![(rows, "not there".into())])
});
