//! Functions of numbers.

use arrow_buffer::NullBuffer;

use super::{arithmetic::counts, bits::bits, eights::mapped};
use crate::{
    mistake::Failure,
    node::Active,
    value::{Data, Scalar, Value, Vector, union},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Abs,
    Round,
    Floor,
    Ceil,
    Sqrt,
}

// === impl Function ===

impl Function {
    /// Its operands are floats, or an int64 for `abs`; `round` may be told a number of digits, an int64.
    pub fn apply(self, operands: &[Value], _: usize, offset: u32, active: Active) -> Result<Value, Failure> {
        if operands.iter().any(Value::is_null) {
            return Ok(Value::NULL);
        }
        let single = operands.iter().all(|operand| matches!(operand, Value::One(_)));
        let digits = operands.get(1);
        let rows = operands.iter().find_map(rows_of).unwrap_or(1);
        let value = operands[0].repeated(rows);
        let Value::Many(vector) = &value else { unreachable!("it has just been repeated") };
        let nulls = union(vector.nulls.as_ref(), digits.and_then(Value::nulls));
        let result = match (&vector.data, self) {
            (Data::Int(values), _) => absolute(values, nulls, offset, active)?,
            (Data::Float(values), Self::Round) if digits.is_some() => rounded(values, digits.unwrap_or(&Value::NULL), nulls),
            (Data::Float(values), _) => self.simple(values, nulls),
            _ => unreachable!("operands were brought to numbers"),
        };
        Ok(if single { Value::One(result.get(0)) } else { result })
    }

    fn simple(self, values: &[f64], nulls: Option<NullBuffer>) -> Value {
        let made = match self {
            Self::Abs => mapped(values, f64::abs),
            // A call for each: there is nothing to share.
            Self::Round => values.iter().map(|value| value.round()).collect(),
            Self::Floor => mapped(values, f64::floor),
            Self::Ceil => mapped(values, f64::ceil),
            Self::Sqrt => mapped(values, f64::sqrt),
        };
        let nulls = if self == Self::Sqrt { without_negatives(values, nulls) } else { nulls };
        Value::many(Data::Float(made), nulls)
    }
}

/// Of a negative number there is no root: null, as when divided by zero.
fn without_negatives(values: &[f64], nulls: Option<NullBuffer>) -> Option<NullBuffer> {
    let whole = NullBuffer::new(bits(values.len(), |row| values[row] >= 0.0 || values[row].is_nan()));
    if whole.null_count() == 0 { nulls } else { union(nulls.as_ref(), Some(&whole)) }
}

fn rounded(values: &[f64], digits: &Value, nulls: Option<NullBuffer>) -> Value {
    let digits = |row: usize| match digits {
        Value::One(Scalar::Int(digits)) => *digits,
        Value::Many(Vector { data: Data::Int(digits), .. }) => digits[row],
        _ => 0,
    };
    let round = |(row, value): (usize, &f64)| {
        let factor = 10f64.powi(digits(row).clamp(-400, 400) as i32);
        let scaled = value * factor;
        // More digits than a float has leave it as it is.
        if scaled.is_finite() && factor != 0.0 {
            scaled.round() / factor
        } else if factor == 0.0 {
            0.0
        } else {
            *value
        }
    };
    Value::many(Data::Float(values.iter().enumerate().map(round).collect()), nulls)
}

fn absolute(values: &[i64], nulls: Option<NullBuffer>, offset: u32, active: Active) -> Result<Value, Failure> {
    let beyond = |row: &usize| values[*row] == i64::MIN && counts(*row, nulls.as_ref(), active);
    if let Some(row) = (0..values.len()).find(beyond) {
        return Err(Failure { offset, row, message: format!("abs({}) is beyond int64", i64::MIN) });
    }
    Ok(Value::many(Data::Int(mapped(values, i64::wrapping_abs)), nulls))
}

fn rows_of(value: &Value) -> Option<usize> {
    match value {
        Value::Many(Vector { data: Data::Int(values), .. }) => Some(values.len()),
        Value::Many(Vector { data: Data::Float(values), .. }) => Some(values.len()),
        _ => None,
    }
}
