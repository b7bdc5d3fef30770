//! What was computed, as Arrow has it.

use arrow_buffer::{Buffer, NullBuffer};
use arrow_data::ArrayData;

use crate::{
    types::Type,
    value::{Data, Scalar, Value, Vector},
};

/// A column of this type.
pub fn array(value: &Value, kind: &Type, rows: usize) -> ArrayData {
    let (data, nulls) = match (kind, value) {
        (Type::Null, _) => return ArrayData::new_null(&kind.data_type(), rows),
        (_, Value::One(Scalar::Null)) => (zeros(kind, rows), Some(NullBuffer::new_null(rows))),
        (_, Value::One(_)) => match value.repeated(rows) {
            Value::Many(vector) => (vector.data, None),
            Value::One(_) => unreachable!("it has just been repeated"),
        },
        (_, Value::Many(Vector { data, nulls })) => (data.clone(), nulls.clone()),
    };
    let builder = ArrayData::builder(kind.data_type()).len(rows).nulls(nulls);
    let builder = match data {
        Data::Bool(bits) => builder.add_buffer(bits.sliced()),
        Data::Int(days) if *kind == Type::Date => {
            builder.add_buffer(Buffer::from_vec(days.iter().map(|day| *day as i32).collect::<Vec<_>>()))
        }
        Data::Int(values) => builder.add_buffer(values.into_inner()),
        Data::Float(values) => builder.add_buffer(values.into_inner()),
        Data::Text(strings) => builder.add_buffer(strings.offsets.into_inner()).add_buffer(strings.bytes),
    };
    // Kernels make as many values as there are rows, of the kind of the node's type.
    unsafe { builder.build_unchecked() }
}

fn zeros(kind: &Type, rows: usize) -> Data {
    let zero = match kind {
        Type::Bool => Scalar::Bool(false),
        Type::Float => Scalar::Float(0.0),
        Type::Text => Scalar::Text("".into()),
        _ => Scalar::Int(0),
    };
    match Value::One(zero).repeated(rows) {
        Value::Many(vector) => vector.data,
        Value::One(_) => unreachable!("it has just been repeated"),
    }
}
