//! A reason of a million bytes, and one that ends within a letter where it is cut.

use parshall_sdk::abi::{Columns, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("huge-reason", |rows| {
    let reason = "ä".repeat(500_000);
    answer(output(Rows::Bitmap(nobody(rows)), Columns::Untouched), vec![(0, reason)])
});
