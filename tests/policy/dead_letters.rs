//! The file of dead letters: every type comes back as it was, and a crash costs no more than the message that it cut off.

use std::{fs, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, ListArray, StringArray, StructArray, TimestampNanosecondArray},
    datatypes::{DataType, Field, Int32Type, Schema},
};
use parshall::{
    pipeline::{
        dead_letters::{Addressed, Head, Letter, Reader, Unwritable, Writer},
        policy::DeadLetters,
    },
    words::{batch::RecordBatch, call::CallError, digest::Digest, stage::Input, trace::SpanContext},
};

fn batch(first: i64) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(first), None, Some(first + 2), Some(first + 3)]));
    let words: DictionaryArray<Int32Type> = [Some("a"), Some("b"), None, Some("a")].into_iter().collect();
    let lists =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(first as i32)])]);
    let times = TimestampNanosecondArray::from(vec![1, 2, 3, 4]).with_timezone("Europe/Berlin");
    let inner: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z", "ß"]));
    let nested = StructArray::from(vec![(Arc::new(Field::new("s", DataType::Utf8, false)), inner)]);
    let columns: Vec<(&str, ArrayRef)> =
        vec![("n", numbers), ("word", Arc::new(words)), ("list", Arc::new(lists)), ("time", Arc::new(times)), ("nested", Arc::new(nested))];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn narrow() -> RecordBatch {
    let schema = Schema::new(vec![Field::new("only", DataType::Int32, false)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int32Array::from(vec![7, 8]))]).unwrap()
}

fn writer(folder: &Path) -> Writer {
    let input = |name: &str, batch: &RecordBatch| Input { name: name.into(), schema: batch.schema() };
    let head = Head {
        pipeline: "p".into(),
        file: folder.join("p.toml"),
        stage: "stage".into(),
        inputs: vec![input("wide", &batch(0)), input("narrow.out", &narrow())],
    };
    Writer::new(head, DeadLetters { rows: 10, ..DeadLetters::beside(folder) })
}

fn write(writer: &mut Writer, input: u32, batch: &RecordBatch, rows: &[(usize, usize)]) -> Result<(), Unwritable> {
    let error = CallError::Malformed("on purpose".into());
    let letters: Vec<_> =
        rows.iter().map(|&(first, end)| Letter { rows: first..end, error: &error, call: SpanContext::root(true) }).collect();
    let of = Addressed { input, batch, sequence: 7, component: "std:x", digest: Digest::of(b"x"), generation: 2 };
    writer.write(&of, &letters)
}

fn read(path: &Path) -> Vec<(usize, RecordBatch)> {
    let mut reader = Reader::open(path).unwrap();
    let mut read = Vec::new();
    while let Some(rows) = reader.read().unwrap() {
        read.push((rows.input, rows.batch));
    }
    read
}

/// Protects rows of every type, of several inputs, and a second dictionary in one stream.
#[test]
fn rows_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(folder.path());
    assert_eq!(writer.path(), None, "nothing is made before there is something to write");
    write(&mut writer, 0, &batch(10), &[(1, 2), (3, 4)]).unwrap();
    write(&mut writer, 1, &narrow(), &[(0, 2)]).unwrap();
    write(&mut writer, 0, &batch(20), &[(0, 4)]).unwrap();
    let path = writer.path().unwrap().to_owned();
    assert!(matches!(write(&mut writer, 0, &batch(30), &[(0, 4)]), Err(Unwritable::Full { setting: "rows", current: 8, .. })));
    drop(writer);
    let envelope = Reader::open(&path).unwrap().envelope;
    assert_eq!(
        (envelope.stage.as_str(), envelope.inputs[0].name.as_str(), envelope.inputs[1].name.as_str()),
        ("stage", "wide", "narrow.out")
    );
    let read = read(&path);
    let expected = [(0, arrow::compute::concat_batches(&batch(10).schema(), &[batch(10).slice(1, 1), batch(10).slice(3, 1)]).unwrap())];
    assert_eq!((read.len(), &read[0]), (3, &expected[0]));
    assert_eq!((&read[1], &read[2]), (&(1, narrow()), &(0, batch(20))));
}

/// Protects what was written before a crash: wherever the file is cut off, all whole messages are read, and the rest is no error.
#[test]
fn a_file_that_is_cut_off_is_read_as_far_as_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(folder.path());
    let mut ends = Vec::new();
    for first in [10, 20] {
        write(&mut writer, 0, &batch(first), &[(0, 4)]).unwrap();
        ends.push(fs::metadata(writer.path().unwrap()).unwrap().len());
    }
    // As `kill -9` leaves it: without its end.
    let whole = fs::read(writer.path().unwrap()).unwrap();
    let cut = folder.path().join("cut.arrows");
    for length in ends[0]..=ends[1] {
        fs::write(&cut, &whole[..length as usize]).unwrap();
        let read = read(&cut);
        assert_eq!(read.len(), if length == ends[1] { 2 } else { 1 }, "cut off at {length} of {}", ends[1]);
        assert_eq!(read[0].1, batch(10));
    }
}

/// Protects against anything else that bears the name.
#[test]
fn another_file_is_told_from_dead_letters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.arrows");
    for content in [&b""[..], b"n\n1\n", &[0xff; 100]] {
        fs::write(&path, content).unwrap();
        let error = Reader::open(&path).err().expect("it is none").to_string();
        assert!(error.contains("is no file of dead letters"), "{error}");
    }
}
