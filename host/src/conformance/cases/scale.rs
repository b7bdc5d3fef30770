//! What the reference stage `scale` computes: one column times a factor, all others untouched and unread.

use std::sync::Arc;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, Float64Array, Int64Array},
    datatypes::{DataType, Field, Float64Type, Int64Type, Schema},
};
use serde_json::{Value, json};

use super::{Case, must};
use crate::{
    conformance::{
        arrays, calls,
        card::{Asked, Finding, fails},
        subject::Subject,
    },
    words::{
        batch::{RecordBatch, SchemaRef},
        call::{CallError, StageError},
        stage::Transformed,
        usage::{Origin, Usage},
    },
};

pub const CASES: &[Case] = &[
    must("scale: whole numbers, wrapping", whole_numbers),
    must("scale: floating-point numbers", floating),
    must("scale: the factor is 2 unless said", default_factor),
    must("scale: nulls are kept", nulls_kept),
    must("scale: nulls are rejected when told", nulls_rejected),
    must("scale: reads its column and no other", reads_one),
    must("scale: a column that is not there", no_such_column),
    must("scale: a column of another type", wrong_type),
    must("scale: a fraction for whole numbers", fraction),
    must("scale: `nulls` is one of two words", nulls_setting),
];

fn table(values: ArrayRef) -> (SchemaRef, Arc<RecordBatch>) {
    let rows = values.len();
    let fields = [("id", DataType::Int64, false), ("value", values.data_type().clone(), true), ("label", DataType::Utf8, true)];
    let schema: SchemaRef = Arc::new(Schema::new(fields.map(|(name, data_type, nullable)| Field::new(name, data_type, nullable)).to_vec()));
    let columns = vec![arrays::array(&DataType::Int64, rows, false), values, arrays::array(&DataType::Utf8, rows, true)];
    (Arc::clone(&schema), Arc::new(RecordBatch::try_new(schema, columns).expect("columns of the schema")))
}

fn scaled(subject: &Subject, config: &Value, values: ArrayRef) -> Result<(Arc<RecordBatch>, Transformed, Usage), Finding> {
    let (schema, batch) = table(values);
    let (mut transform, ports) =
        subject.open_with(config, &schema, None).map_err(|error| Finding::failed(format!("opening with {config}"), &error))?;
    if ports.len() != 1 || ports[0].name != "out" || ports[0].schema.fields() != schema.fields() {
        return fails("there is to be one port, `out`, of the input's schema");
    }
    let call = transform.process(0, &batch);
    let transformed = call.outcome.map_err(|error| Finding::failed("`process` fails", &error))?;
    calls::finish(&mut *transform)?;
    Ok((batch, transformed, call.usage))
}

fn expect(what: &str, found: &dyn arrow::array::Array, wanted: &dyn arrow::array::Array) -> Result<(), Finding> {
    match found.to_data() == wanted.to_data() {
        true => Ok(()),
        false => fails(format!("{what}: {found:?} came, {wanted:?} was expected")),
    }
}

fn only(transformed: &Transformed) -> Result<&RecordBatch, Finding> {
    match &transformed.outputs[..] {
        [(0, batch)] => Ok(batch),
        outputs => fails(format!("one batch is to come out, {} came", outputs.len())),
    }
}

const WHOLE: [Option<i64>; 6] = [Some(0), Some(-7), None, Some(i64::MAX), Some(i64::MIN), Some(123_456_789_012)];

fn whole_numbers(subject: &Subject) -> Asked {
    for factor in [3, -1, 0, 9_007_199_254_740_991_i64] {
        let config = json!({ "column": "value", "factor": factor });
        let (_, transformed, _) = scaled(subject, &config, Arc::new(Int64Array::from(WHOLE.to_vec())))?;
        let wanted: Int64Array = WHOLE.iter().map(|value| value.map(|value| value.wrapping_mul(factor))).collect();
        expect(&format!("times {factor}"), only(&transformed)?.column(1), &wanted)?;
    }
    Ok("4 factors, with overflow".into())
}

fn floating(subject: &Subject) -> Asked {
    let values = [Some(0.5), Some(-2.0), None, Some(1e300), Some(f64::INFINITY), Some(-0.0)];
    for factor in [1.5, -3.0, 1e100] {
        let config = json!({ "column": "value", "factor": factor });
        let (_, transformed, _) = scaled(subject, &config, Arc::new(Float64Array::from(values.to_vec())))?;
        let found = only(&transformed)?.column(1).as_primitive::<Float64Type>();
        for (row, value) in values.iter().enumerate() {
            let found = found.is_valid(row).then(|| found.value(row).to_bits());
            if found != value.map(|value| (value * factor).to_bits()) {
                return fails(format!("{value:?} times {factor} is {:?}", found.map(f64::from_bits)));
            }
        }
    }
    Ok("3 factors, to the bit".into())
}

fn default_factor(subject: &Subject) -> Asked {
    let (_, transformed, _) = scaled(subject, &json!({ "column": "value" }), Arc::new(Int64Array::from(vec![21])))?;
    match only(&transformed)?.column(1).as_primitive::<Int64Type>().value(0) {
        42 => Ok("21 becomes 42".into()),
        found => fails(format!("21 becomes {found}")),
    }
}

fn nulls_kept(subject: &Subject) -> Asked {
    let config = json!({ "column": "value", "factor": 3, "nulls": "keep" });
    let (batch, transformed, _) = scaled(subject, &config, arrays::array(&DataType::Int64, 100, true))?;
    let out = only(&transformed)?;
    if out.num_rows() != 100 || !transformed.rejections.is_empty() {
        return fails(format!("{} of 100 rows came, {} were rejected", out.num_rows(), transformed.rejections.len()));
    }
    let wanted: Int64Array = batch.column(1).as_primitive::<Int64Type>().unary(|value| value * 3);
    expect("the column", out.column(1), &wanted)?;
    for index in [0, 2] {
        expect("another column", out.column(index), batch.column(index))?;
    }
    Ok(format!("{} of 100", wanted.null_count()))
}

fn nulls_rejected(subject: &Subject) -> Asked {
    for (rows, nullable) in [(100, true), (10, false)] {
        let values = arrays::array(&DataType::Float64, rows, nullable);
        let config = json!({ "column": "value", "factor": 2, "nulls": "reject" });
        let (batch, transformed, _) = scaled(subject, &config, Arc::clone(&values))?;
        let refused: Vec<u32> = transformed.rejections.iter().map(|rejection| rejection.row).collect();
        let nulls: Vec<u32> = (0..rows as u32).filter(|row| values.is_null(*row as usize)).collect();
        if refused != nulls {
            return fails(format!("rows {refused:?} were rejected, {nulls:?} are null"));
        }
        if let Some(rejection) = transformed.rejections.iter().find(|rejection| rejection.reason != "`value` is null") {
            return fails(format!("the reason is {:?}, not \"`value` is null\"", rejection.reason));
        }
        let out = only(&transformed)?;
        let keep = arrow::compute::is_not_null(&values).expect("nulls can be told");
        let kept = arrow::compute::filter_record_batch(&batch, &keep).expect("rows can be kept");
        let wanted: Float64Array = kept.column(1).as_primitive::<Float64Type>().unary(|value| value * 2.0);
        expect("the column", out.column(1), &wanted)?;
        for index in [0, 2] {
            expect("another column", out.column(index), kept.column(index))?;
        }
    }
    Ok("with rows and reasons".into())
}

fn reads_one(subject: &Subject) -> Asked {
    let config = json!({ "column": "value" });
    let (_, _, usage) = scaled(subject, &config, arrays::array(&DataType::Int64, 1_000, false))?;
    if usage.columns_read != [1] {
        return fails(format!("columns {:?} crossed, column 1 is needed", usage.columns_read));
    }
    let origins = &usage.origins[0].columns;
    if origins[..] != [Origin::Passed(0), Origin::Made, Origin::Passed(2)] {
        return fails(format!("the others are to pass untouched, and the columns come from {origins:?}"));
    }
    Ok(format!("{} bytes in, {} out, {} stayed", usage.bytes_read, usage.bytes_made, usage.bytes_stayed))
}

fn no_such_column(subject: &Subject) -> Asked {
    config_error(subject, &[("column", json!("vlaue"))], "/column", DataType::Int64)
}

fn fraction(subject: &Subject) -> Asked {
    config_error(subject, &[("factor", json!(1.5))], "/factor", DataType::Int64)
}

fn nulls_setting(subject: &Subject) -> Asked {
    config_error(subject, &[("nulls", json!("drop"))], "/nulls", DataType::Int64)
}

fn config_error(subject: &Subject, changes: &[(&str, Value)], pointer: &str, data_type: DataType) -> Asked {
    let (schema, _) = table(arrays::array(&data_type, 1, true));
    let config = subject.config_with(changes);
    match subject.open_with(&config, &schema, None) {
        Err(CallError::Stage(StageError::Config { pointer: told, message, .. })) if told == pointer => Ok(message),
        Err(error) => fails(format!("{config} is to be a `config` error at {pointer:?}: {error:?}")),
        Ok(_) => fails(format!("{config} is taken")),
    }
}

fn wrong_type(subject: &Subject) -> Asked {
    let (schema, _) = table(arrays::array(&DataType::Utf8, 1, true));
    match subject.open_with(&json!({ "column": "value" }), &schema, None) {
        Err(CallError::Stage(StageError::Schema { column: Some(column), message })) if column == "value" => Ok(message),
        Err(error) => fails(format!("text is to be a `schema` error of the column `value`: {error:?}")),
        Ok(_) => fails("a column of text is taken"),
    }
}
