//! A port that was not declared.

use parshall_sdk::abi::{Columns, Output, Rows};

use crate::lie::*;

pub const LIE: Lie =
    Lie::about_recipe("port-out-of-range", |_| answer(Output { port: 7, ..output(Rows::All, Columns::Untouched) }, vec![]));
