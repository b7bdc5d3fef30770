//! Puts a column together from parts of others.

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer};

use super::text::Builder;
use crate::{
    types::Type,
    value::{Data, Scalar, Value, Vector},
};

/// In each row the value whose bit is set, of which there is one at most; null where none is.
pub fn choose(kind: &Type, chosen: &[(BooleanBuffer, Value)], rows: usize) -> Value {
    // When one value is that of every row, it is the result.
    if let Some((_, value)) = chosen.iter().find(|(hits, _)| hits.count_set_bits() == rows) {
        return value.clone();
    }
    let mut valid = BooleanBufferBuilder::new(rows);
    valid.append_n(rows, false);
    for (hits, value) in chosen {
        for row in hits.set_indices().filter(|row| !is_null(value, *row)) {
            valid.set_bit(row, true);
        }
    }
    let nulls = Some(NullBuffer::new(valid.finish())).filter(|nulls| nulls.null_count() > 0);
    let data = match kind {
        Type::Bool => {
            let mut values = BooleanBufferBuilder::new(rows);
            values.append_n(rows, false);
            for (hits, value) in chosen {
                hits.set_indices().for_each(|row| values.set_bit(row, value.get(row) == Scalar::Bool(true)));
            }
            Data::Bool(values.finish())
        }
        Type::Float => Data::Float(
            fixed(chosen, rows, |value| match value {
                Value::Many(Vector { data: Data::Float(values), .. }) => Ok(values),
                Value::One(Scalar::Float(value)) => Err(*value),
                _ => Err(0.0),
            })
            .into(),
        ),
        Type::Text => Data::Text(texts(chosen, rows)),
        // Dates and timestamps besides integers.
        _ => Data::Int(
            fixed(chosen, rows, |value| match value {
                Value::Many(Vector { data: Data::Int(values), .. }) => Ok(values),
                Value::One(Scalar::Int(value)) => Err(*value),
                _ => Err(0),
            })
            .into(),
        ),
    };
    Value::many(data, nulls)
}

fn is_null(value: &Value, row: usize) -> bool {
    match value {
        Value::One(scalar) => *scalar == Scalar::Null,
        Value::Many(vector) => vector.is_null(row),
    }
}

/// `values` answers a value for each row, or one for all.
fn fixed<T: Copy + Default>(chosen: &[(BooleanBuffer, Value)], rows: usize, values: impl Fn(&Value) -> Result<&[T], T>) -> Vec<T> {
    let mut made = vec![T::default(); rows];
    for (hits, value) in chosen {
        match values(value) {
            Ok(values) => hits.set_indices().for_each(|row| made[row] = values[row]),
            Err(value) => hits.set_indices().for_each(|row| made[row] = value),
        }
    }
    made
}

fn texts(chosen: &[(BooleanBuffer, Value)], rows: usize) -> crate::value::Strings {
    let mut whose = vec![None; rows];
    for (hits, value) in chosen {
        hits.set_indices().for_each(|row| whose[row] = Some(value));
    }
    let mut builder = Builder::new(rows);
    for (row, value) in whose.into_iter().enumerate() {
        match value {
            Some(Value::Many(Vector { data: Data::Text(strings), .. })) => builder.extend(strings.get(row)),
            Some(Value::One(Scalar::Text(text))) => builder.extend(text),
            _ => {}
        }
        builder.end();
    }
    builder.finish()
}
