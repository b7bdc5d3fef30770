//! The values at given places: what dictionaries and run-end-encoded columns stand for.

use arrow_array::{Array, BooleanArray, Int64Array, StringArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, ScalarBuffer};

use crate::Values;

/// Picks values by place.
pub trait Gather {
    /// The value at each place, null where there is no place.
    fn gather(&self, places: &[Option<usize>]) -> Self;
}

// === impl Gather ===

impl Gather for Values {
    fn gather(&self, places: &[Option<usize>]) -> Self {
        match self {
            Self::Null(_) => Self::Null(places.len()),
            Self::Bool(array) => {
                let bits = BooleanBuffer::collect_bool(places.len(), |row| places[row].is_some_and(|place| array.value(place)));
                Self::Bool(BooleanArray::new(bits, nulls(array.nulls(), places)))
            }
            Self::Int(array) => Self::Int(integers(array, places)),
            Self::Date(array) => Self::Date(integers(array, places)),
            Self::Time(array) => Self::Time(integers(array, places)),
            Self::Float(array) => {
                Self::Float(arrow_array::Float64Array::new(numbers(array.values(), places), nulls(array.nulls(), places)))
            }
            Self::Text(array) => Self::Text(strings(array, places)),
        }
    }
}

fn integers(array: &Int64Array, places: &[Option<usize>]) -> Int64Array {
    Int64Array::new(numbers(array.values(), places), nulls(array.nulls(), places))
}

fn numbers<N: ArrowNativeType>(values: &[N], places: &[Option<usize>]) -> ScalarBuffer<N> {
    places.iter().map(|place| place.map_or(N::default(), |place| values[place])).collect()
}

fn strings(array: &StringArray, places: &[Option<usize>]) -> StringArray {
    places.iter().map(|place| place.filter(|place| array.is_valid(*place)).map(|place| array.value(place))).collect()
}

fn nulls(nulls: Option<&NullBuffer>, places: &[Option<usize>]) -> Option<NullBuffer> {
    let valid = |place: &Option<usize>| place.is_some_and(|place| nulls.is_none_or(|nulls| nulls.is_valid(place)));
    if nulls.is_none() && places.iter().all(Option::is_some) {
        return None;
    }
    Some(NullBuffer::new(BooleanBuffer::collect_bool(places.len(), |row| valid(&places[row]))))
}
