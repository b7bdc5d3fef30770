//! A reason that is not UTF-8.

use parshall_sdk::abi::{Answer, Columns, List, Outcome, Rejection, Rows};

use crate::lie::*;

pub const LIE: Lie = Lie::about_recipe("invalid-reason", |rows| {
    let reason = Rejection { row: 0, reason: List::leak(vec![0xff; 9]) };
    let output = output(Rows::Bitmap(nobody(rows)), Columns::Untouched);
    Outcome::Ok(Answer { outputs: List::leak(vec![output]), rejections: List::leak(vec![reason]) })
});
