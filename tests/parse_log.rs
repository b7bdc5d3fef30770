//! `std:parse-log` on lines as servers write them, good and bad.

use std::sync::Arc;

use arrow::{array::*, compute::cast, datatypes::*};
use parshall::words::{
    call::{CallError, StageError},
    stage::{Component as _, Transformed},
};
use serde_json::{Value, json};

use crate::components;

const LINES: [Option<&str>; 8] = [
    Some(
        r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://example.com/" "Mozilla/4.08 \"x\"""#,
    ),
    Some(r#"10.0.0.1 - - 10/Oct/2000:13:55:36 "GET / HTTP/1.0" 200 1"#),
    Some(r#"2001:db8::1 - - [29/Feb/2024:23:59:59 +0530] "\x16\x03\x01" 400 226 "-" "-""#),
    None,
    Some(r#"host - - [01/Jan/1970:00:00:00 +0000] "POST /a?b=c d HTTP/1.1" 304 -"#),
    Some(""),
    Some(r#"host - - [30/Feb/2024:00:00:00 +0000] "-" 408 0"#),
    Some("host - \"\" [01/Jan/1970:00:00:01 +0000] \"GET /old\" 200 5\r"),
];

fn table(lines: &[Option<&str>]) -> Arc<RecordBatch> {
    let line: ArrayRef = Arc::new(StringArray::from(lines.to_vec()));
    let number: ArrayRef = Arc::new(Int32Array::from_iter_values(0..lines.len() as i32));
    Arc::new(RecordBatch::try_from_iter_with_nullable([("line", line, true), ("number", number, false)]).unwrap())
}

fn parsed(config: Value, batch: &Arc<RecordBatch>) -> Transformed {
    let (mut stage, ports) = components::transform("parse-log", config, &batch.schema());
    let transformed = stage.process(0, batch).outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(transformed.outputs[0].1.schema(), ports[0].schema);
    assert!(stage.finish().outcome.unwrap().is_none());
    transformed
}

fn texts<'a>(batch: &'a RecordBatch, column: &str) -> Vec<Option<&'a str>> {
    batch[column].as_string::<i32>().iter().collect()
}

/// Protects against a field in the wrong column, a null that is none, and a bad line that costs the good ones.
#[test]
fn parse_log_takes_lines_apart_and_rejects_what_is_none() {
    let out = parsed(json!({}), &table(&LINES));
    let batch = &out.outputs[0].1;
    let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    let made = ["host", "identity", "user", "time", "method", "path", "protocol", "status", "bytes", "referer", "user_agent"];
    assert_eq!(names, [&["number"][..], &made[..]].concat(), "what else arrives passes, the line does not");
    assert_eq!(batch["number"].as_primitive::<Int32Type>().values(), &[0, 2, 4, 7]);
    assert_eq!(texts(batch, "host"), [Some("127.0.0.1"), Some("2001:db8::1"), Some("host"), Some("host")]);
    assert_eq!(texts(batch, "identity"), [None; 4]);
    assert_eq!(texts(batch, "user"), [Some("frank"), None, None, Some("")]);
    // `date -d '2000-10-10 13:55:36 -0700' +%s` and so on.
    let times = TimestampMicrosecondArray::from(vec![971_211_336_000_000, 1_709_231_399_000_000, 0, 1_000_000]).with_timezone("UTC");
    assert_eq!(batch["time"].as_ref(), &times as &dyn Array);
    assert_eq!(texts(batch, "method"), [Some("GET"), None, Some("POST"), Some("GET")]);
    assert_eq!(texts(batch, "path"), [Some("/apache_pb.gif"), None, Some("/a?b=c d"), Some("/old")]);
    assert_eq!(texts(batch, "protocol"), [Some("HTTP/1.0"), None, Some("HTTP/1.1"), None]);
    assert_eq!(batch["status"].as_ref(), &Int32Array::from(vec![200, 400, 304, 200]) as &dyn Array);
    assert_eq!(batch["bytes"].as_ref(), &Int64Array::from(vec![Some(2326), Some(226), None, Some(5)]) as &dyn Array);
    assert_eq!(texts(batch, "referer"), [Some("http://example.com/"), None, None, None]);
    assert_eq!(texts(batch, "user_agent"), [Some("Mozilla/4.08 \"x\""), None, None, None]);
    let rejections: Vec<_> = out.rejections.iter().map(|rejection| (rejection.row, rejection.reason.as_str())).collect();
    let day = "expected a day that the month has at byte 10";
    assert_eq!(rejections, [(1, "expected `[` at byte 13"), (3, "the line is null"), (5, "expected a host at byte 0"), (6, day)]);
}

/// Protects against the line being lost where it is wanted, and against strings of another type being misread.
#[test]
fn parse_log_keeps_the_line_and_reads_every_type_of_string() {
    for data_type in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
        let (plain, expected) = (table(&LINES), parsed(json!({}), &table(&LINES)));
        let line = cast(&plain["line"], &data_type).unwrap();
        let batch = RecordBatch::try_from_iter_with_nullable([("number", Arc::clone(&plain["number"]), false), ("raw", line, true)]);
        let out = parsed(json!({ "column": "raw", "keep": true }), &Arc::new(batch.unwrap().slice(0, 8)));
        let (out, expected) = (&out.outputs[0].1, &expected.outputs[0].1);
        assert_eq!(out["raw"].data_type(), &data_type);
        assert_eq!(cast(&out["raw"], &DataType::Utf8).unwrap().as_string::<i32>().value(0), LINES[0].unwrap());
        assert_eq!(out["path"].as_ref(), expected["path"].as_ref());
        assert_eq!(out["time"].as_ref(), expected["time"].as_ref());
    }
}

/// Protects against a format that is asked for and not insisted on.
#[test]
fn parse_log_insists_on_a_format() {
    let rejected = |format: &str| -> Vec<u32> {
        let out = parsed(json!({ "format": format }), &table(&LINES));
        out.rejections.iter().map(|rejection| rejection.row).collect()
    };
    assert_eq!(rejected("combined"), [1, 3, 4, 5, 6, 7]);
    assert_eq!(rejected("common"), [0, 1, 2, 3, 5, 6]);
}

/// Protects against batches without lines, or without a good one, being answered with anything but nothing.
#[test]
fn parse_log_of_nothing() {
    assert_eq!(parsed(json!({}), &table(&[])).outputs[0].1.num_rows(), 0);
    let out = parsed(json!({}), &table(&[Some("rubbish"), None]));
    assert_eq!((out.outputs[0].1.num_rows(), out.rejections.len()), (0, 2));
}

/// Protects against a column that cannot be parsed, or a name that is taken, being found out only by the first batch.
#[test]
fn parse_log_points_at_mistakes() {
    let refused = |config: Value, columns: Vec<Field>| {
        let opening = components::opening(config, &[Arc::new(Schema::new(columns))]);
        match components::load("parse-log").open_transform(&opening).outcome {
            Err(CallError::Stage(error)) => error,
            other => panic!("{:?}", other.map(|_| ())),
        }
    };
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    match refused(json!({ "column": "lien" }), vec![field("line", DataType::Utf8)]) {
        StageError::Config { pointer, help, .. } => {
            assert_eq!((pointer.as_str(), help.as_deref()), ("/column", Some("did you mean `line`?")))
        }
        other => panic!("{other}"),
    }
    let error = refused(json!({}), vec![field("line", DataType::Int64)]);
    assert!(error.to_string().starts_with("column `line`: it is of type Int64"), "{error}");
    let error = refused(json!({}), vec![field("line", DataType::Utf8), field("status", DataType::Utf8)]);
    assert!(error.to_string().starts_with("column `status`: the stage makes"), "{error}");
}
