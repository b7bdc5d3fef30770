//! New rows, with a column of the input.

use parshall_sdk::abi::{Column, Columns, List, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("fresh-with-input-column", |rows| {
    let columns = Columns::Each(List::leak(vec![Column::Input(0)]));
    answer(output(Rows::Fresh(rows as u64), columns), vec![])
});
