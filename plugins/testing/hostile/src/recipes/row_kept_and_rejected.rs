//! A row that survives and is refused.

use parshall_sdk::abi::{Columns, Rows};

use crate::lie::*;

pub const LIE: Lie =
    Lie::about_recipe("row-kept-and-rejected", |_| answer(output(Rows::All, Columns::Untouched), vec![(0, "and yet it stays".into())]));
