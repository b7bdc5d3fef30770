//! Recipes that cannot be carried out.

mod bitmap_too_short;
mod column_out_of_range;
mod duplicate_rejection;
mod fresh_untouched;
mod fresh_with_input_column;
mod huge_reason;
mod index_out_of_range;
mod invalid_reason;
mod keeps_the_frame;
mod port_out_of_range;
mod rejection_out_of_range;
mod row_bomb;
mod row_kept_and_rejected;
mod too_few_columns;

use crate::lie::Lie;

/// All of them.
pub const LIES: &[Lie] = &[
    bitmap_too_short::LIE,
    column_out_of_range::LIE,
    duplicate_rejection::LIE,
    fresh_untouched::LIE,
    fresh_with_input_column::LIE,
    huge_reason::LIE,
    index_out_of_range::LIE,
    invalid_reason::LIE,
    keeps_the_frame::LIE,
    port_out_of_range::LIE,
    rejection_out_of_range::LIE,
    row_bomb::LIE,
    row_kept_and_rejected::LIE,
    too_few_columns::LIE,
];
