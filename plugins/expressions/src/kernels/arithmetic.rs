//! `+`, `-`, `*`, `/`, `%`. Nothing wraps around: an integer beyond int64 fails with its row. Loops are without a branch;
//! whether anything went wrong is gathered on the way, and where it did is looked for afterwards.

use arrow_buffer::{ArrowNativeType, NullBuffer, ScalarBuffer};

use super::{
    bits::bits,
    eights::{EIGHT, floated, mapped, zipped},
    lanes::floats,
};
use crate::{
    mistake::Failure,
    node::Active,
    syntax::Arithmetic,
    types::Type,
    value::{Data, Scalar, Value, Vector, union},
};

/// Values of one kind, one for each row or one for all.
#[derive(Clone, Copy)]
enum Side<'a, T> {
    One(T),
    Many(&'a [T]),
}

/// What floats are computed of: floats, or whole numbers that become floats on the way instead of a column of their own.
#[derive(Clone, Copy)]
enum Number<'a> {
    Floats(Side<'a, f64>),
    Whole(&'a [i64]),
}

/// Computes with operands of the result's kind, or whole ones for floats, of which none is the single null and one at least has a value for
/// each row.
pub fn compute(operator: Arithmetic, kind: &Type, left: &Value, right: &Value, offset: u32, active: Active) -> Result<Value, Failure> {
    let nulls = union(left.nulls(), right.nulls());
    if *kind == Type::Float {
        return Ok(of_floats(operator, number(left), number(right), nulls));
    }
    let (Some(left), Some(right)) = (int_side(left), int_side(right)) else { unreachable!("operands were brought to one type") };
    integers(operator, left, right, nulls, offset, active)
}

fn integers(
    operator: Arithmetic,
    left: Side<i64>,
    right: Side<i64>,
    nulls: Option<NullBuffer>,
    offset: u32,
    active: Active,
) -> Result<Value, Failure> {
    let (values, suspicious) = match operator {
        Arithmetic::Add => gathered(left, right, |left, right| {
            let sum = left.wrapping_add(right);
            (sum, (left ^ sum) & (right ^ sum))
        }),
        Arithmetic::Subtract => gathered(left, right, |left, right| {
            let difference = left.wrapping_sub(right);
            (difference, (left ^ right) & (left ^ difference))
        }),
        // Factors of 32 bits cannot overflow; of others it is found out one by one.
        Arithmetic::Multiply => gathered(left, right, |left, right| {
            (left.wrapping_mul(right), (left ^ i64::from(left as i32)) | (right ^ i64::from(right as i32)))
        }),
        Arithmetic::Remainder | Arithmetic::Divide => return Ok(remainders(left, right, nulls)),
    };
    let suspicious = if operator == Arithmetic::Multiply { suspicious != 0 } else { suspicious < 0 };
    if suspicious {
        let checked = match operator {
            Arithmetic::Add => i64::checked_add,
            Arithmetic::Subtract => i64::checked_sub,
            _ => i64::checked_mul,
        };
        for row in 0..values.len() {
            let (left, right) = (left.get(row), right.get(row));
            if checked(left, right).is_none() && counts(row, nulls.as_ref(), active) {
                let message = format!("{left} {} {right} is beyond int64", operator.sign());
                return Err(Failure { offset, row, message });
            }
        }
    }
    Ok(Value::many(Data::Int(values), nulls))
}

/// Of nothing but a divisor of zero there is no remainder: null.
fn remainders(left: Side<i64>, right: Side<i64>, nulls: Option<NullBuffer>) -> Value {
    let values = pairwise(left, right, |left, right| left.wrapping_rem(if right == 0 { 1 } else { right }));
    let rows = values.len();
    Value::many(Data::Int(values), without(nulls, rows, right, |divisor| divisor == 0))
}

fn of_floats(operator: Arithmetic, left: Number, right: Number, nulls: Option<NullBuffer>) -> Value {
    let values = match operator {
        Arithmetic::Add => each(left, right, |left, right| left + right),
        Arithmetic::Subtract => each(left, right, |left, right| left - right),
        Arithmetic::Multiply => each(left, right, |left, right| left * right),
        Arithmetic::Divide => each(left, right, |left, right| left / right),
        Arithmetic::Remainder => each(left, right, |left, right| left % right),
    };
    let nulls = match (operator, right) {
        (Arithmetic::Divide | Arithmetic::Remainder, Number::Floats(right)) => {
            without(nulls, values.len(), right, |divisor| divisor == 0.0)
        }
        (Arithmetic::Divide | Arithmetic::Remainder, Number::Whole(right)) => {
            without(nulls, values.len(), Side::Many(right), |divisor| divisor == 0)
        }
        _ => nulls,
    };
    Value::many(Data::Float(values), nulls)
}

/// One loop, whatever the operands are: a whole number becomes a float where it is computed with.
#[inline(always)]
fn each(left: Number, right: Number, compute: impl Fn(f64, f64) -> f64) -> ScalarBuffer<f64> {
    match (left, right) {
        (Number::Floats(left), Number::Floats(right)) => pairwise(left, right, compute),
        (Number::Whole(left), Number::Whole(right)) => floated(left, right, floats, floats, compute),
        (Number::Whole(left), Number::Floats(Side::Many(right))) => floated(left, right, floats, |floats| *floats, compute),
        (Number::Floats(Side::Many(left)), Number::Whole(right)) => floated(left, right, |floats| *floats, floats, compute),
        (Number::Whole(left), Number::Floats(Side::One(right))) => floated(left, left, floats, |_| [right; EIGHT], compute),
        (Number::Floats(Side::One(left)), Number::Whole(right)) => floated(right, right, |_| [left; EIGHT], floats, compute),
    }
}

/// `-x`.
pub fn negate(value: &Value, kind: &Type, offset: u32, active: Active) -> Result<Value, Failure> {
    match value {
        Value::Many(Vector { data: Data::Float(values), nulls }) => {
            Ok(Value::many(Data::Float(mapped(values, |value| -value)), nulls.clone()))
        }
        other => compute(Arithmetic::Subtract, kind, &Value::One(Scalar::Int(0)), other, offset, active),
    }
}

/// Whether what happens in a row is of any consequence.
pub fn counts(row: usize, nulls: Option<&NullBuffer>, active: Active) -> bool {
    nulls.is_none_or(|nulls| nulls.is_valid(row)) && active.is_none_or(|active| active.value(row))
}

/// The nulls, and the rows whose divisor is zero besides.
fn without<T: Copy>(nulls: Option<NullBuffer>, rows: usize, right: Side<T>, is_zero: impl Fn(T) -> bool) -> Option<NullBuffer> {
    match right {
        Side::One(divisor) if is_zero(divisor) => Some(NullBuffer::new_null(rows)),
        Side::One(_) => nulls,
        Side::Many(divisors) => {
            let whole = NullBuffer::new(bits(rows, |row| !is_zero(divisors[row])));
            if whole.null_count() == 0 { nulls } else { union(nulls.as_ref(), Some(&whole)) }
        }
    }
}

#[inline(always)]
fn pairwise<T: Copy, U: ArrowNativeType>(left: Side<T>, right: Side<T>, compute: impl Fn(T, T) -> U) -> ScalarBuffer<U> {
    match (left, right) {
        (Side::Many(left), Side::Many(right)) => zipped(left, right, compute),
        (Side::Many(left), Side::One(right)) => mapped(left, |left| compute(left, right)),
        (Side::One(left), Side::Many(right)) => mapped(right, |right| compute(left, right)),
        (Side::One(left), Side::One(right)) => vec![compute(left, right)].into(),
    }
}

/// The results, and all second results in one.
#[inline(always)]
fn gathered(left: Side<i64>, right: Side<i64>, compute: impl Fn(i64, i64) -> (i64, i64)) -> (ScalarBuffer<i64>, i64) {
    let all = std::cell::Cell::new(0);
    let values = pairwise(left, right, |left, right| {
        let (value, second) = compute(left, right);
        all.set(all.get() | second);
        value
    });
    (values, all.get())
}

fn int_side(value: &Value) -> Option<Side<'_, i64>> {
    match value {
        Value::One(Scalar::Int(value)) => Some(Side::One(*value)),
        Value::Many(Vector { data: Data::Int(values), .. }) => Some(Side::Many(values)),
        _ => None,
    }
}

fn number(value: &Value) -> Number<'_> {
    match value {
        Value::One(Scalar::Float(value)) => Number::Floats(Side::One(*value)),
        Value::One(Scalar::Int(value)) => Number::Floats(Side::One(*value as f64)),
        Value::Many(Vector { data: Data::Float(values), .. }) => Number::Floats(Side::Many(values)),
        Value::Many(Vector { data: Data::Int(values), .. }) => Number::Whole(values),
        _ => unreachable!("operands were brought to one type"),
    }
}

// === impl Side ===

impl<T: Copy> Side<'_, T> {
    fn get(&self, row: usize) -> T {
        match self {
            Self::One(value) => *value,
            Self::Many(values) => values[row],
        }
    }
}
