//! `IN` a list of constants.

use super::bits::bits;
use crate::value::{Data, Scalar, Value, Vector};

/// Constants of one kind, none of them null, sorted.
#[derive(Clone, Debug)]
pub enum List {
    Bool([bool; 2]),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Text(Vec<Box<str>>),
}

/// Up to here, comparing with each is faster than searching.
const FEW: usize = 8;

// === impl List ===

impl List {
    /// Of constants, unless one is null.
    pub fn of(constants: &[Scalar]) -> Option<Self> {
        let mut list = match constants.first()? {
            Scalar::Null => return None,
            Scalar::Bool(_) => Self::Bool([false; 2]),
            Scalar::Int(_) => Self::Int(Vec::new()),
            Scalar::Float(_) => Self::Float(Vec::new()),
            Scalar::Text(_) => Self::Text(Vec::new()),
        };
        for constant in constants {
            match (&mut list, constant) {
                (Self::Bool(flags), Scalar::Bool(flag)) => flags[usize::from(*flag)] = true,
                (Self::Int(list), Scalar::Int(value)) => list.push(*value),
                (Self::Float(list), Scalar::Float(value)) => list.push(canonical(*value)),
                (Self::Text(list), Scalar::Text(text)) => list.push((**text).into()),
                _ => return None,
            }
        }
        match &mut list {
            Self::Bool(_) => {}
            Self::Int(list) => list.sort_unstable(),
            Self::Float(list) => list.sort_unstable_by(f64::total_cmp),
            Self::Text(list) => list.sort_unstable(),
        }
        Some(list)
    }

    /// Which rows are in it.
    pub fn holds(&self, value: &Value) -> Value {
        let Value::Many(Vector { data, nulls }) = value else { unreachable!("a single value is repeated before") };
        let found = match (self, data) {
            (Self::Bool([_, true]), Data::Bool(values)) if self.is_both() => values | &!values,
            (Self::Bool([_, true]), Data::Bool(values)) => values.clone(),
            (Self::Bool(_), Data::Bool(values)) => !values,
            (Self::Int(list), Data::Int(values)) if list.len() <= FEW => {
                bits(values.len(), |row| list.iter().fold(false, |found, item| found | (*item == values[row])))
            }
            (Self::Int(list), Data::Int(values)) => bits(values.len(), |row| list.binary_search(&values[row]).is_ok()),
            (Self::Float(list), Data::Float(values)) => {
                bits(values.len(), |row| list.binary_search_by(|item| item.total_cmp(&canonical(values[row]))).is_ok())
            }
            (Self::Text(list), Data::Text(values)) if list.len() <= FEW => {
                bits(values.len(), |row| list.iter().any(|item| **item == *values.get(row)))
            }
            (Self::Text(list), Data::Text(values)) => {
                bits(values.len(), |row| list.binary_search_by(|item| (**item).cmp(values.get(row))).is_ok())
            }
            _ => unreachable!("the list was brought to the type of the value"),
        };
        Value::many(Data::Bool(found), nulls.clone())
    }

    fn is_both(&self) -> bool {
        matches!(self, Self::Bool([true, true]))
    }
}

/// One of the floats that compare as equal: there is one NaN and one zero.
fn canonical(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}
