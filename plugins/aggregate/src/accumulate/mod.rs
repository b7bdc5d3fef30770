//! What is computed for each group: one accumulator for each function and column.

mod count;
mod distinct;
mod extreme;
mod mean;
mod quantile;
mod sum;
mod text_extreme;

use std::ops::Range;

use parshall_sdk::prelude::*;

use crate::{
    call::Function,
    keys::Shape,
    numbers::Family,
    saved::{Corrupt, Reader, Writer},
};

/// Keeps a state for each group. Groups are numbered from 0 and never go away.
pub trait Accumulator {
    /// There are so many groups now; those that are new have seen nothing.
    fn grow(&mut self, groups: usize);

    /// Takes a batch: the group of each row, and the column unless the function has none.
    fn take(&mut self, groups: &[u32], column: Option<&ArrayData>);

    /// The results for some groups. `share` is the quantile's, which shares its state with others.
    fn give(&mut self, groups: Range<usize>, share: f64) -> Result<ArrayData, StageError>;

    /// Lays the state down.
    fn save(&self, out: &mut Writer);

    /// Takes up the state of so many groups.
    fn restore(&mut self, groups: usize, saved: &mut Reader) -> Result<(), Corrupt>;
}

/// The accumulator for a function over a column of a type that it takes. The quantiles of a column share one.
pub fn accumulator(function: Function, data_type: Option<&DataType>) -> Box<dyn Accumulator> {
    let data_type = data_type.unwrap_or(&DataType::Null);
    let family = Family::of(data_type);
    match function {
        Function::Count => Box::new(count::Count::default()),
        Function::CountDistinct => Box::new(distinct::Distinct::new(Shape::of(data_type).expect("checked by the plan"))),
        Function::Sum if family == Family::Integer => Box::new(sum::Integers::new(data_type)),
        Function::Sum => Box::new(sum::Floats::default()),
        Function::Mean => Box::new(mean::Mean::default()),
        Function::Min if family == Family::Text => Box::new(text_extreme::Texts::new(false, data_type)),
        Function::Max if family == Family::Text => Box::new(text_extreme::Texts::new(true, data_type)),
        Function::Min if family == Family::Float => Box::new(extreme::Floats::new(false, data_type)),
        Function::Max if family == Family::Float => Box::new(extreme::Floats::new(true, data_type)),
        Function::Min => Box::new(extreme::Integers::new(false, data_type)),
        Function::Max => Box::new(extreme::Integers::new(true, data_type)),
        Function::Quantile(_) => Box::new(quantile::Sketch::default()),
    }
}

/// The type of a function's results and whether they can be null.
pub fn result(function: Function, data_type: Option<&DataType>) -> (DataType, bool) {
    match (function, data_type) {
        (Function::Count | Function::CountDistinct, _) => (DataType::Int64, false),
        (Function::Sum, Some(of)) if Family::of(of) == Family::Integer => (DataType::Int64, true),
        (Function::Min | Function::Max, Some(of)) => (crate::text::declared(of), true),
        _ => (DataType::Float64, true),
    }
}
