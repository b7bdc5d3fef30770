//! A row that there is not.

use parshall_sdk::abi::{Columns, List, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("index-out-of-range", |rows| {
    let indices = List::leak(vec![0, rows as u32]);
    answer(output(Rows::Indices(indices), Columns::Untouched), vec![])
});
