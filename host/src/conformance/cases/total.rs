//! What the reference stage `total` computes: how many values and their sum, by key in the order in which keys came.

use std::sync::Arc;

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, Float64Array, Int64Array, StringArray},
    datatypes::{DataType, Field, Float64Type, Int64Type, Schema},
};
use serde_json::{Value, json};

use super::{Case, must};
use crate::{
    conformance::{
        calls,
        card::{Asked, Finding, fails},
        subject::Subject,
    },
    words::{
        batch::{RecordBatch, SchemaRef},
        call::{CallError, StageError},
    },
};

pub const CASES: &[Case] = &[
    must("total: by key, in the order of coming", by_key),
    must("total: of one column, without a key", without_key),
    must("total: floating-point numbers", floating),
    must("total: sums wrap", wraps),
    must("total: no rows", no_rows),
    must("total: many keys", many_keys),
    must("total: it says that it has state", says_so),
    must("total: the snapshot is the contract's", snapshot_form),
    must("total: a column of another type", wrong_type),
    must("total: a column that is not there", no_such_column),
];

fn table(keys: Vec<Option<&str>>, values: ArrayRef) -> (SchemaRef, Arc<RecordBatch>) {
    let fields = vec![Field::new("label", DataType::Utf8, true), Field::new("value", values.data_type().clone(), true)];
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(keys)), values];
    (Arc::clone(&schema), Arc::new(RecordBatch::try_new(schema, columns).expect("columns of the schema")))
}

/// What comes out at the end, all of it.
fn totals(subject: &Subject, config: &Value, schema: &SchemaRef, batches: &[Arc<RecordBatch>]) -> Result<Option<RecordBatch>, Finding> {
    let opened = subject.open_with(config, schema, None);
    let (mut transform, ports) = opened.map_err(|error| Finding::failed(format!("opening with {config}"), &error))?;
    let names: Vec<_> = ports[0].schema.fields().iter().map(|field| field.name().clone()).collect();
    let wanted: &[&str] = if config.get("key").is_some() { &["label", "count", "sum"] } else { &["count", "sum"] };
    if names != wanted {
        return fails(format!("the columns are {names:?}, {wanted:?} were expected"));
    }
    let early = calls::process(&mut *transform, batches).map_err(|error| Finding::failed("`process` fails", &error))?;
    if early.outputs.iter().any(|(_, batch)| batch.num_rows() > 0) {
        return fails("something came out before the end");
    }
    Ok(calls::finish(&mut *transform)?.port(0))
}

fn by_key_config() -> Value {
    json!({ "key": "label", "value": "value" })
}

fn by_key(subject: &Subject) -> Asked {
    let values = |values: Vec<Option<i64>>| Arc::new(Int64Array::from(values)) as ArrayRef;
    let (schema, one) =
        table(vec![Some("b"), Some("a"), None, Some("b"), Some("")], values(vec![Some(1), Some(2), Some(3), Some(4), None]));
    let (_, two) = table(vec![Some("a"), Some("straße"), None], values(vec![Some(10), Some(20), None]));
    let Some(found) = totals(subject, &by_key_config(), &schema, &[one, two])? else { return fails("nothing came out") };
    let keys = StringArray::from(vec![Some("b"), Some("a"), None, Some(""), Some("straße")]);
    let counts = Int64Array::from(vec![2, 2, 1, 0, 1]);
    let sums = Int64Array::from(vec![5, 12, 3, 0, 20]);
    let wanted: [ArrayRef; 3] = [Arc::new(keys), Arc::new(counts), Arc::new(sums)];
    for (found, wanted) in found.columns().iter().zip(&wanted) {
        if found != wanted {
            return fails(format!("{found:?} came, {wanted:?} was expected"));
        }
    }
    Ok("5 keys, null among them".into())
}

fn without_key(subject: &Subject) -> Asked {
    let (schema, one) = table(vec![None; 3], Arc::new(Int64Array::from(vec![Some(1), None, Some(41)])));
    let found = totals(subject, &json!({ "value": "value" }), &schema, &[Arc::clone(&one), one])?;
    match found.as_ref().map(numbers).as_deref() {
        Some([(4, 84)]) => Ok("4 values, 84".into()),
        _ => fails(format!("4 values and 84 in one row were expected, {found:?} came")),
    }
}

/// The last two columns, where both are whole numbers.
fn numbers(batch: &RecordBatch) -> Vec<(i64, i64)> {
    let column =
        |back: usize| batch.column(batch.num_columns() - back).as_primitive_opt::<Int64Type>().map(|column| column.values().to_vec());
    column(2).into_iter().flatten().zip(column(1).into_iter().flatten()).collect()
}

fn floating(subject: &Subject) -> Asked {
    let (schema, one) = table(vec![Some("a"), Some("b"), Some("a")], Arc::new(Float64Array::from(vec![Some(0.1), None, Some(0.2)])));
    let Some(found) = totals(subject, &by_key_config(), &schema, &[one])? else { return fails("nothing came out") };
    let Some(sums) = found.column(2).as_primitive_opt::<Float64Type>() else {
        return fails(format!("the sum of Float64 is {}", found.column(2).data_type()));
    };
    if sums.values()[..] != [0.1 + 0.2, 0.0] || sums.null_count() > 0 {
        return fails(format!("{sums:?} came, {:?} and 0 were expected", 0.1 + 0.2));
    }
    Ok("added in the order of the rows".into())
}

fn wraps(subject: &Subject) -> Asked {
    let (schema, one) = table(vec![Some("a"); 2], Arc::new(Int64Array::from(vec![i64::MAX, 2])));
    let found = totals(subject, &by_key_config(), &schema, &[one])?;
    match found.as_ref().map(numbers).as_deref() {
        Some([(2, sum)]) if *sum == i64::MIN + 1 => Ok("as two's complement does".into()),
        _ => fails(format!("{} was expected, {found:?} came", i64::MIN + 1)),
    }
}

/// With a key there is none; without one there is a row that says so.
fn no_rows(subject: &Subject) -> Asked {
    let (schema, empty) = table(vec![], Arc::new(Int64Array::from(Vec::<i64>::new())));
    let rows = |found: Option<RecordBatch>| found.map_or(0, |batch| batch.num_rows());
    let by_key = rows(totals(subject, &by_key_config(), &schema, &[Arc::clone(&empty)])?);
    let alone = totals(subject, &json!({ "value": "value" }), &schema, &[empty])?;
    match (by_key, alone.as_ref().map(numbers).as_deref()) {
        (0, Some([(0, 0)])) => Ok("no row by key, a row of noughts without".into()),
        _ => fails(format!("{by_key} rows by key, {alone:?} without")),
    }
}

fn many_keys(subject: &Subject) -> Asked {
    const KEYS: usize = 20_000;
    let keys: Vec<String> = (0..KEYS).map(|key| format!("key number {key}")).collect();
    let (schema, batch) = table(keys.iter().map(|key| Some(key.as_str())).collect(), Arc::new((0..KEYS as i64).collect::<Int64Array>()));
    let Some(found) = totals(subject, &by_key_config(), &schema, &[Arc::clone(&batch), batch])? else { return fails("nothing came out") };
    let right = |(row, found): (usize, (i64, i64))| found == (2, 2 * row as i64);
    let labels = found.column(0).as_string_opt::<i32>().is_some_and(|labels| (0..KEYS).all(|row| labels.value(row) == keys[row]));
    if found.num_rows() != KEYS || !labels || !numbers(&found).into_iter().enumerate().all(right) {
        return fails(format!("{} rows came, not all of them right; {KEYS} keys went in twice", found.num_rows()));
    }
    Ok(format!("{KEYS} keys in one batch, twice"))
}

fn says_so(subject: &Subject) -> Asked {
    if subject.stateful() { Ok("`stateful`".into()) } else { fails("`describe` says that it is stateless") }
}

/// Any language's `total` goes on from any other's snapshot: the form is part of the contract.
fn snapshot_form(subject: &Subject) -> Asked {
    let (schema, batch) = table(vec![Some("ab"), None, Some("ab")], Arc::new(Int64Array::from(vec![Some(5), Some(-1), Some(7)])));
    let opened = subject.open_with(&by_key_config(), &schema, None).map_err(|error| Finding::failed("opening", &error))?;
    let mut transform = opened.0;
    calls::process(&mut *transform, &[batch]).map_err(|error| Finding::failed("`process` fails", &error))?;
    let found = transform.snapshot().outcome.map_err(|error| Finding::failed("`snapshot` fails", &error))?;
    let mut wanted = b"total\x01lk".to_vec();
    wanted.extend(2_u32.to_le_bytes());
    for (key, count, sum) in [(Some("ab"), 2_i64, 12_i64), (None, 1, -1)] {
        wanted.extend(key.map_or(u32::MAX, |key| key.len() as u32).to_le_bytes());
        wanted.extend(key.unwrap_or_default().as_bytes());
        wanted.extend(count.to_le_bytes());
        wanted.extend(sum.to_le_bytes());
    }
    if found == wanted { Ok("to the byte".into()) } else { fails(format!("{found:?} came, {wanted:?} was expected")) }
}

fn wrong_type(subject: &Subject) -> Asked {
    let (schema, _) = table(vec![], Arc::new(StringArray::from(Vec::<&str>::new())));
    match subject.open_with(&by_key_config(), &schema, None) {
        Err(CallError::Stage(StageError::Schema { column: Some(column), message })) if column == "value" => Ok(message),
        Err(error) => fails(format!("text is to be a `schema` error of the column `value`: {error:?}")),
        Ok(_) => fails("a column of text is taken"),
    }
}

fn no_such_column(subject: &Subject) -> Asked {
    let (schema, _) = table(vec![], Arc::new(Int64Array::from(Vec::<i64>::new())));
    for (config, pointer) in [(json!({ "key": "lable", "value": "value" }), "/key"), (json!({ "value": "vlaue" }), "/value")] {
        match subject.open_with(&config, &schema, None) {
            Err(CallError::Stage(StageError::Config { pointer: told, .. })) if told == pointer => {}
            Err(error) => return fails(format!("{config} is to be a `config` error at {pointer:?}: {error:?}")),
            Ok(_) => return fails(format!("{config} is taken")),
        }
    }
    Ok("told at /key, at /value".into())
}
