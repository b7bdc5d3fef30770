//! Comparisons. Text is compared by its bytes, which is the order of its code points. Among floats NaN equals itself and
//! is greater than every number, as in PostgreSQL and DuckDB, so that comparing them is an order.

use std::cmp::Ordering;

use arrow_buffer::BooleanBuffer;

use super::{
    bits::bits,
    lanes::{self, Right},
};
use crate::{
    syntax::Comparison,
    value::{Data, Scalar, Strings, Value, Vector, union},
};

/// Compares operands of one kind, of which none is the single null and one at least has a value for each row.
pub fn compare(operator: Comparison, left: &Value, right: &Value) -> Value {
    let (operator, vector, other) = match (left, right) {
        (Value::Many(vector), other) => (operator, vector, other),
        (other, Value::Many(vector)) => (operator.mirrored(), vector, other),
        _ => unreachable!("single values are repeated before they are compared"),
    };
    let found = match (&vector.data, other) {
        (Data::Int(left), Value::One(Scalar::Int(right))) => lanes::compare(operator, left, Right::One(*right)),
        (Data::Int(left), Value::Many(Vector { data: Data::Int(right), .. })) => lanes::compare(operator, left, Right::Many(right)),
        (Data::Float(left), Value::One(Scalar::Float(right))) => lanes::compare(operator, left, Right::One(*right)),
        (Data::Float(left), Value::Many(Vector { data: Data::Float(right), .. })) => lanes::compare(operator, left, Right::Many(right)),
        (Data::Text(left), Value::One(Scalar::Text(right))) => texts(operator, left, |_| right),
        (Data::Text(left), Value::Many(Vector { data: Data::Text(right), .. })) => texts(operator, left, |row| right.get(row)),
        (Data::Bool(left), Value::One(Scalar::Bool(true))) => booleans(operator, left, &BooleanBuffer::new_set(left.len())),
        (Data::Bool(left), Value::One(Scalar::Bool(false))) => booleans(operator, left, &BooleanBuffer::new_unset(left.len())),
        (Data::Bool(left), Value::Many(Vector { data: Data::Bool(right), .. })) => booleans(operator, left, right),
        _ => unreachable!("operands were brought to one type"),
    };
    Value::many(Data::Bool(found), union(vector.nulls.as_ref(), other.nulls()))
}

#[inline(always)]
fn texts<'a>(operator: Comparison, left: &Strings, right: impl Fn(usize) -> &'a str) -> BooleanBuffer {
    match operator {
        // Lengths differ more often than not, and are compared first.
        Comparison::Equal => bits(left.len(), |row| left.get(row) == right(row)),
        Comparison::Unequal => bits(left.len(), |row| left.get(row) != right(row)),
        _ => bits(left.len(), |row| holds(operator, left.get(row).cmp(right(row)))),
    }
}

fn booleans(operator: Comparison, left: &BooleanBuffer, right: &BooleanBuffer) -> BooleanBuffer {
    match operator {
        Comparison::Equal => !&(left ^ right),
        Comparison::Unequal => left ^ right,
        Comparison::Less => &!left & right,
        Comparison::LessOrEqual => &!left | right,
        Comparison::Greater => left & &!right,
        Comparison::GreaterOrEqual => left | &!right,
    }
}

fn holds(operator: Comparison, order: Ordering) -> bool {
    match operator {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}
