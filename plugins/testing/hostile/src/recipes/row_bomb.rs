//! Every row of the input a million times: rows are cheap to ask for.

use parshall_sdk::abi::{Answer, Columns, List, Outcome, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("row-bomb", |_| {
    let indices = List::leak(vec![0; 1_000_000]);
    let output = output(Rows::Indices(indices), Columns::Untouched);
    Outcome::Ok(Answer { outputs: List::leak(vec![output; 1000]), rejections: List::EMPTY })
});
