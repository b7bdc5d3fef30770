//! Three-valued logic, as Kleene has it: what is unknown stays so unless the other operand decides.

use arrow_buffer::{BooleanBuffer, NullBuffer};

use crate::value::{Data, Scalar, Value, Vector};

/// The rows that are true and those that are false; where neither, null.
struct Truth {
    truths: BooleanBuffer,
    falsehoods: BooleanBuffer,
}

// === impl Truth ===

impl Truth {
    fn of(value: &Value, rows: usize) -> Self {
        let (set, unset) = (|| BooleanBuffer::new_set(rows), || BooleanBuffer::new_unset(rows));
        match value {
            Value::One(Scalar::Bool(true)) => Self { truths: set(), falsehoods: unset() },
            Value::One(Scalar::Bool(false)) => Self { truths: unset(), falsehoods: set() },
            Value::Many(Vector { data: Data::Bool(bits), nulls: None }) => Self { truths: bits.clone(), falsehoods: !bits },
            Value::Many(Vector { data: Data::Bool(bits), nulls: Some(nulls) }) => {
                Self { truths: bits & nulls.inner(), falsehoods: &!bits & nulls.inner() }
            }
            _ => Self { truths: unset(), falsehoods: unset() },
        }
    }

    fn value(self) -> Value {
        let known = NullBuffer::new(&self.truths | &self.falsehoods);
        Value::many(Data::Bool(self.truths), Some(known).filter(|known| known.null_count() > 0))
    }
}

pub fn and(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::One(left), Value::One(right)) => Value::One(match (left, right) {
            (Scalar::Bool(false), _) | (_, Scalar::Bool(false)) => Scalar::Bool(false),
            (Scalar::Bool(true), other) | (other, Scalar::Bool(true)) => other,
            _ => Scalar::Null,
        }),
        (Value::One(Scalar::Bool(false)), _) | (_, Value::One(Scalar::Bool(false))) => Value::One(Scalar::Bool(false)),
        (Value::One(Scalar::Bool(true)), other) | (other, Value::One(Scalar::Bool(true))) => other,
        (Value::Many(Vector { data: Data::Bool(left), nulls: None }), Value::Many(Vector { data: Data::Bool(right), nulls: None })) => {
            Value::many(Data::Bool(&left & &right), None)
        }
        (left, right) => {
            let rows = rows_of(&left).max(rows_of(&right));
            let (left, right) = (Truth::of(&left, rows), Truth::of(&right, rows));
            Truth { truths: &left.truths & &right.truths, falsehoods: &left.falsehoods | &right.falsehoods }.value()
        }
    }
}

pub fn or(left: Value, right: Value) -> Value {
    not(and(not(left), not(right)))
}

pub fn not(value: Value) -> Value {
    match value {
        Value::One(Scalar::Bool(flag)) => Value::One(Scalar::Bool(!flag)),
        Value::Many(Vector { data: Data::Bool(bits), nulls }) => Value::many(Data::Bool(!&bits), nulls),
        null => null,
    }
}

/// `IS NULL`, or `IS NOT NULL`.
pub fn is_null(value: &Value, negated: bool) -> Value {
    match value {
        Value::One(scalar) => Value::One(Scalar::Bool((*scalar == Scalar::Null) != negated)),
        Value::Many(Vector { nulls: None, .. }) => Value::One(Scalar::Bool(negated)),
        Value::Many(Vector { nulls: Some(nulls), .. }) => {
            let valid = nulls.inner();
            Value::many(Data::Bool(if negated { valid.clone() } else { !valid }), None)
        }
    }
}

/// `IS [NOT] TRUE`, `IS [NOT] FALSE`: never null.
pub fn is_truth(value: Value, truth: bool, negated: bool) -> Value {
    let asked = if truth { value } else { not(value) };
    match asked {
        Value::One(scalar) => Value::One(Scalar::Bool((scalar == Scalar::Bool(true)) != negated)),
        many => {
            let truths = truths(&many, rows_of(&many));
            Value::many(Data::Bool(if negated { !&truths } else { truths }), None)
        }
    }
}

/// The rows that are true.
pub fn truths(value: &Value, rows: usize) -> BooleanBuffer {
    match value {
        Value::Many(Vector { data: Data::Bool(bits), nulls: None }) => bits.clone(),
        Value::Many(Vector { data: Data::Bool(bits), nulls: Some(nulls) }) => bits & nulls.inner(),
        Value::One(Scalar::Bool(true)) => BooleanBuffer::new_set(rows),
        _ => BooleanBuffer::new_unset(rows),
    }
}

fn rows_of(value: &Value) -> usize {
    match value {
        Value::Many(Vector { data: Data::Bool(bits), .. }) => bits.len(),
        _ => 0,
    }
}
