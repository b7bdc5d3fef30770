//! Fewer columns than the schema has.

use parshall_sdk::abi::{Columns, List, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("too-few-columns", |_| answer(output(Rows::All, Columns::Each(List::EMPTY)), vec![]));
