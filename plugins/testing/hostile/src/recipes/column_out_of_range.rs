//! A column that there is not.

use parshall_sdk::abi::{Column, Columns, List, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("column-out-of-range", |_| {
    let columns = Columns::Each(List::leak(vec![Column::Input(1_000_000)]));
    answer(output(Rows::All, columns), vec![])
});
