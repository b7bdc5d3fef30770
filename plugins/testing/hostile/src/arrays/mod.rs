//! Arrays that are not what they say.

mod bad_dictionary_key;
mod bad_union_offsets;
mod bad_union_type_ids;
mod huge_length;
mod invalid_utf8;
mod list_offsets_out_of_range;
mod list_view_out_of_range;
mod made_count_mismatch;
mod missing_buffer;
mod missing_node;
mod null_in_required;
mod offsets_descending;
mod offsets_negative;
mod offsets_out_of_range;
mod run_ends_not_ascending;
mod run_ends_too_short;
mod short_validity;
mod split_character;
mod surplus_buffer;
mod surplus_node;
mod view_index_out_of_range;
mod wrong_length;
mod wrong_null_count;
mod wrong_view_prefix;

use crate::lie::Lie;

/// All of them.
pub const LIES: &[Lie] = &[
    bad_dictionary_key::LIE,
    bad_union_offsets::LIE,
    bad_union_type_ids::LIE,
    huge_length::LIE,
    invalid_utf8::LIE,
    list_offsets_out_of_range::LIE,
    list_view_out_of_range::LIE,
    made_count_mismatch::LIE,
    missing_buffer::LIE,
    missing_node::LIE,
    null_in_required::LIE,
    offsets_descending::LIE,
    offsets_negative::LIE,
    offsets_out_of_range::LIE,
    run_ends_not_ascending::LIE,
    run_ends_too_short::LIE,
    short_validity::LIE,
    split_character::LIE,
    surplus_buffer::LIE,
    surplus_node::LIE,
    view_index_out_of_range::LIE,
    wrong_length::LIE,
    wrong_null_count::LIE,
    wrong_view_prefix::LIE,
];
