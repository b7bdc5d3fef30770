//! Tables that do not end: every row once, in order, whatever grows, joins, is replaced or vanishes meanwhile.

use std::{
    fs,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::{
    array::{Array, AsArray, Int64Array, RecordBatch, StringArray},
    compute::concat_batches,
    datatypes::Int64Type,
};

use super::{Bench, assert_error, batch, people};
use crate::words::tables::{TableError, TableReader};

/// What is there now.
fn now(reader: &mut dyn TableReader) -> RecordBatch {
    let mut batches = Vec::new();
    loop {
        match reader.next().unwrap().expect("it does not end") {
            batch if batch.num_rows() == 0 => break concat_batches(&reader.schema(), &batches).unwrap(),
            batch => batches.push(batch),
        }
    }
}

/// What comes, until there are so many rows.
fn until(reader: &mut dyn TableReader, rows: usize) -> RecordBatch {
    let began = Instant::now();
    let mut batches = vec![now(reader)];
    while batches.iter().map(RecordBatch::num_rows).sum::<usize>() < rows {
        assert!(began.elapsed() < Duration::from_secs(20), "only {batches:?}");
        std::thread::sleep(Duration::from_millis(5));
        batches.push(now(reader));
    }
    concat_batches(&reader.schema(), &batches).unwrap()
}

fn texts(batch: &RecordBatch) -> Vec<&str> {
    batch.column(0).as_string::<i32>().iter().flatten().collect()
}

fn append(bench: &Bench, name: &str, bytes: impl AsRef<[u8]>) {
    let file = fs::OpenOptions::new().append(true).create(true).open(bench.path(name));
    file.unwrap().write_all(bytes.as_ref()).unwrap();
}

/// Numbers that are random enough and the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Texts of the three formats with the same rows: an id, and a name with what makes trouble in it.
fn written(format: &str, rows: i64) -> Vec<u8> {
    let name = |id: i64| match id % 4 {
        0 => format!("größe {id}"),
        1 => format!("a,{id} \"so\" \u{1f980}"),
        2 => format!("line {id}{}", if format == "csv" { "\nand another" } else { "" }),
        _ => "x".repeat(id as usize % 50),
    };
    let quoted = |text: String| format!("\"{}\"", text.replace('"', "\"\""));
    let mut text = String::from(if format == "csv" { "\u{feff}id,name\n" } else { "" });
    for id in 0..rows {
        text += &match format {
            "csv" => format!("{id},{}\r\n", quoted(name(id))),
            "jsonl" => format!("{}\n", serde_json::json!({"id": id, "name": name(id)})),
            _ => format!("{id} {}\n", name(id)),
        };
    }
    text.into_bytes()
}

/// Protects against rows lost, repeated, torn or out of order, however a writer's bytes arrive: pieces end inside of lines, of
/// quotes and of characters. And against a position from which anything else than the rest follows.
#[test]
fn what_grows_is_read_once_and_in_order_whatever_the_pieces() {
    for (format, seed) in [("csv", 1), ("jsonl", 2), ("txt", 3), ("csv", 4), ("jsonl", 5), ("txt", 6)] {
        let (bench, mut dice) = (Bench::new(), Dice(seed * 0x9e37_79b9));
        let (location, options) = (format!("data/a.{format}"), r#"{"follow":true,"batch_rows":7}"#);
        let options = match format {
            "txt" => options.to_owned(),
            _ => options.replace('}', r#","schema":{"id":"int64","name":"utf8"}}"#),
        };
        let bytes = written(format, 400);
        bench.put("data/whole/a.csv", &bytes);
        bench.put(&format!("data/whole/a.{format}"), &bytes);
        let whole = bench.read(&format!("data/whole/a.{format}"), "{}").unwrap();
        bench.put(&location, "");
        let mut reader = bench.reader(&location, &options).unwrap();
        let (mut written, mut read, mut positions) = (0, 0, vec![(0, reader.position())]);
        while written < bytes.len() {
            let piece = (1 + dice.below(300)).min(bytes.len() - written);
            append(&bench, &location, &bytes[written..written + piece]);
            written += piece;
            for _ in 0..dice.below(12) {
                let batch = reader.next().unwrap().unwrap();
                assert!(batch.num_rows() <= 7);
                assert_eq!(batch.columns(), whole.slice(read, batch.num_rows()).columns(), "{format}: after {read} rows");
                read += batch.num_rows();
                positions.push((read, reader.position()));
            }
        }
        let rest = now(&mut *reader);
        assert_eq!((rest.columns(), rest.num_rows()), (whole.slice(read, 400 - read).columns(), 400 - read), "{format}: the last rows");
        for (read, position) in positions.into_iter().step_by(5) {
            let mut other = bench.reader(&location, &options).unwrap();
            other.seek(&position).unwrap();
            assert_eq!(now(&mut *other).columns(), whole.slice(read, 400 - read).columns(), "{format}: from row {read}");
        }
    }
}

/// Protects against half a line that is taken for a line, and a blocked or costly look at a file where nothing is new.
#[test]
fn an_unfinished_line_waits() {
    let bench = Bench::new();
    bench.put("data/a.log", "one\ntw");
    let mut reader = bench.reader("data/a.log", r#"{"follow":true}"#).unwrap();
    assert_eq!(texts(&now(&mut *reader)), ["one"]);
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 0);
    append(&bench, "data/a.log", "o");
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 0);
    append(&bench, "data/a.log", "\nthree\n");
    assert_eq!(texts(&now(&mut *reader)), ["two", "three"]);
}

/// Protects against a file that is cut short (as by `>` in a shell) and read on in the middle of nowhere.
#[test]
fn a_file_cut_short_is_read_from_its_beginning() {
    let bench = Bench::new();
    bench.put("data/a.csv", "n\n1\n2\n3\n");
    let mut reader = bench.reader("data/a.csv", r#"{"follow":true}"#).unwrap();
    assert_eq!(now(&mut *reader).num_rows(), 3);
    bench.put("data/a.csv", "n\n777\n");
    assert_eq!(now(&mut *reader)["n"].as_primitive::<Int64Type>().values(), &[777]);
    let position = reader.position();
    bench.put("data/a.csv", "n\n");
    let mut other = bench.reader("data/a.csv", r#"{"follow":true,"schema":{"n":"int64"}}"#).unwrap();
    other.seek(&position).unwrap();
    append(&bench, "data/a.csv", "8\n");
    assert_eq!(now(&mut *other)["n"].as_primitive::<Int64Type>().values(), &[8], "cut short while nobody read");
}

/// Protects against a file that is begun anew, or lost, without a word.
#[test]
fn what_happens_to_files_is_logged() {
    let bench = Bench::new();
    let told = heard(|| {
        bench.put("data/a.log", "one\ntwo\n");
        bench.put("data/b.log", "one\n");
        let mut reader = bench.reader("data/*.log", r#"{"follow":true}"#).unwrap();
        assert_eq!(now(&mut *reader).num_rows(), 3);
        bench.put("data/a.log", "x\n");
        assert_eq!(texts(&now(&mut *reader)), ["x"]);
        bench.put("data/new", "replaced\n");
        fs::rename(bench.path("data/new"), bench.path("data/a.log")).unwrap();
        assert_eq!(texts(&until(&mut *reader, 1)), ["replaced"]);
        append(&bench, "data/b.log", "unfinished");
        now(&mut *reader);
        fs::remove_file(bench.path("data/b.log")).unwrap();
        now(&mut *reader);
    });
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("\"data/a.log\" was cut short") && told[1].contains("\"data/a.log\" was replaced"), "{told:?}");
    assert!(told[2].contains("\"data/b.log\""), "{told:?}");
}

/// The warnings of this thread.
fn heard(work: impl FnOnce()) -> Vec<String> {
    use tracing::{
        Event, Metadata, Subscriber,
        field::{Field, Visit},
        span,
    };
    #[derive(Clone, Default)]
    struct Heard(Arc<std::sync::Mutex<Vec<String>>>);
    impl Visit for Heard {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            if field.name() == "message" {
                self.0.lock().unwrap().push(format!("{value:?}"));
            }
        }
    }
    impl Subscriber for Heard {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() <= tracing::Level::WARN
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }
    let heard = Heard::default();
    // As long as there is one subscriber only, `tracing` asks that of whichever thread comes by an event first, which is none
    // for the tests beside this one, and remembers the answer for all threads.
    let _second = tracing::Dispatch::new(heard.clone());
    tracing::subscriber::with_default(heard.clone(), work);
    let told = heard.0.lock().unwrap();
    told.clone()
}

/// Protects against lines lost where logs are rotated: the old file is read to its end, also what its writer adds late, and
/// the new one from its beginning.
#[test]
fn a_replaced_file_is_read_to_its_end_and_the_new_one_from_its_beginning() {
    let bench = Bench::new();
    bench.put("data/a.log", "one\n");
    let mut reader = bench.reader("data/a.log", r#"{"follow":true}"#).unwrap();
    assert_eq!(texts(&now(&mut *reader)), ["one"]);
    append(&bench, "data/a.log", "two\n");
    fs::rename(bench.path("data/a.log"), bench.path("data/a.log.1")).unwrap();
    bench.put("data/a.log", "new\n");
    assert_eq!(texts(&now(&mut *reader)), ["two"]);
    append(&bench, "data/a.log.1", "three\nnever finished");
    assert_eq!(texts(&until(&mut *reader, 3)), ["three", "never finished", "new"]);
    fs::remove_file(bench.path("data/a.log")).unwrap();
    assert_eq!(now(&mut *reader).num_rows(), 0, "a file that is gone is waited for");
    bench.put("data/a.log", "again\n");
    assert_eq!(texts(&until(&mut *reader, 1)), ["again"]);
}

/// Protects against a file of a pattern that is forgotten, read twice or held up by another that grows.
#[test]
fn files_join_and_grow_side_by_side() {
    let bench = Bench::new();
    bench.put("data/b.log", "b1\n");
    let mut reader = bench.reader("data/*.log", r#"{"follow":true}"#).unwrap();
    assert_eq!(texts(&now(&mut *reader)), ["b1"]);
    for (name, text) in [("c", "c1\nc2\n"), ("a", "a1\n"), ("b", "b2\n")] {
        append(&bench, &format!("data/{name}.log"), text);
    }
    let mut found = until(&mut *reader, 4);
    let mut sorted = texts(&found);
    sorted.sort_unstable();
    assert_eq!(sorted, ["a1", "b2", "c1", "c2"]);
    let position = reader.position();
    append(&bench, "data/a.log", "a2\n");
    append(&bench, "data/d.log", "d1\n");
    found = until(&mut *reader, 2);
    assert_eq!(texts(&found).len(), 2);
    let mut other = bench.reader("data/*.log", r#"{"follow":true}"#).unwrap();
    other.seek(&position).unwrap();
    let rest = until(&mut *other, 2);
    let (mut one, mut two) = (texts(&found), texts(&rest));
    one.sort_unstable();
    two.sort_unstable();
    assert_eq!((one.as_slice(), two.as_slice()), (&["a2", "d1"][..], &["a2", "d1"][..]));
    fs::remove_file(bench.path("data/a.log")).unwrap();
    append(&bench, "data/d.log", "d2\n");
    assert_eq!(texts(&until(&mut *reader, 1)), ["d2"], "a file that vanished");
}

/// Protects against half a file: of Parquet and Arrow, only the end says what there is. And against one such file that holds
/// up all later ones.
#[test]
fn files_with_a_footer_are_read_when_they_are_whole() {
    for (extension, format) in [("parquet", "parquet"), ("arrow", "arrow_ipc"), ("arrows", "arrow_ipc")] {
        let bench = Bench::new();
        for (name, from) in [("a", 0), ("b", 10), ("c", 20)] {
            bench.write(&format!("data/made/{name}.{extension}"), &[people(from, 10)], "{}").unwrap();
        }
        let bytes = |name: &str| fs::read(bench.path(&format!("data/made/{name}.{extension}"))).unwrap();
        let ids = |batch: &RecordBatch| batch["id"].as_primitive::<Int64Type>().values().to_vec();
        fs::create_dir(bench.path("data/in")).unwrap();
        bench.put(&format!("data/in/a.{extension}"), bytes("a"));
        let options = format!(r#"{{"follow":true,"format":"{format}","batch_rows":4}}"#);
        let mut reader = bench.reader("data/in", &options).unwrap();
        assert_eq!(ids(&reader.next().unwrap().unwrap()), [0, 1, 2, 3]);
        let position = reader.position();
        assert_eq!(ids(&now(&mut *reader)), (4..10).collect::<Vec<_>>());
        // Every beginning of a file that is no file.
        let whole = bytes("b");
        for end in [0, 4, 8, whole.len() / 2, whole.len() - 1] {
            bench.put(&format!("data/in/b.{extension}"), &whole[..end]);
            assert_eq!(now(&mut *reader).num_rows(), 0, "{extension}: {end} bytes of {}", whole.len());
        }
        bench.put(&format!("data/in/c.{extension}"), bytes("c"));
        assert_eq!(ids(&until(&mut *reader, 10)), (20..30).collect::<Vec<_>>(), "{extension}: b is not whole");
        let later = reader.position();
        bench.put(&format!("data/in/b.{extension}"), &whole);
        assert_eq!(ids(&until(&mut *reader, 10)), (10..20).collect::<Vec<_>>());
        for (position, rest) in [(position, (4..30).collect::<Vec<_>>()), (later, (10..20).collect())] {
            let mut other = bench.reader("data/in", &options).unwrap();
            other.seek(&position).unwrap();
            assert_eq!(ids(&now(&mut *other)), rest, "{extension}");
        }
    }
}

/// Protects against a table whose columns change on the way, and against an error that does not say which file it is about.
#[test]
fn what_does_not_fit_is_named() {
    let bench = Bench::new();
    let failure = |reader: &mut dyn TableReader| {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            reader.next()?;
        }
        Ok(())
    };
    bench.put("data/a.csv", "id,name\n1,x\n");
    let mut reader = bench.reader("data/*.csv", r#"{"follow":true}"#).unwrap();
    now(&mut *reader);
    bench.put("data/b.csv", "id,other\n1,x\n");
    assert_error(failure(&mut *reader), TableError::Format, &["data/b.csv", "\"other\"", "\"name\"", "data/a.csv"]);
    let mut reader = bench.reader("data/a.csv", r#"{"follow":true,"batch_rows":2}"#).unwrap();
    append(&bench, "data/a.csv", "2,x\n3,x\n4,x\nfive,x\n");
    assert_error(failure(&mut *reader), TableError::Format, &["data/a.csv", "line 6", "\"five\"", "\"id\"", "int64"]);
    bench.put("data/a.jsonl", "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":\n3}\n");
    let mut reader = bench.reader("data/a.jsonl", r#"{"follow":true,"batch_rows":2,"schema":{"id":"int64"},"infer_rows":1}"#).unwrap();
    assert_error(failure(&mut *reader), TableError::Format, &["data/a.jsonl", "line 4"]);
    bench.put("data/a.txt", b"fine\nbad \xff\n");
    let mut reader = bench.reader("data/a.txt", r#"{"follow":true}"#).unwrap();
    assert_error(failure(&mut *reader), TableError::Format, &["data/a.txt", "line 2", "byte 5"]);
    bench.write("data/a.parquet", &[people(0, 3)], "{}").unwrap();
    let mut reader = bench.reader("data/*.parquet", r#"{"follow":true}"#).unwrap();
    now(&mut *reader);
    let other = batch(vec![("id", Arc::new(StringArray::from(vec!["1"])))]);
    bench.write("data/b.parquet", &[other], "{}").unwrap();
    assert_error(failure(&mut *reader), TableError::Format, &["data/b.parquet", "utf8", "int64", "data/a.parquet"]);
}

/// Protects against columns that are guessed from nothing.
#[test]
fn where_nothing_is_yet_the_columns_are_stated() {
    let bench = Bench::new();
    fs::create_dir(bench.path("data/in")).unwrap();
    bench.put("data/a.csv", "id,name\n");
    for (location, format) in [("data/in", "csv"), ("data/in", "json_lines"), ("data/in", "parquet"), ("data/a.csv", "csv")] {
        let options = format!(r#"{{"follow":true,"format":"{format}"}}"#);
        assert_error(bench.reader(location, &options).map(drop), TableError::Options, &["nothing yet", "\"schema\""]);
    }
    for (extension, format) in [("csv", "csv"), ("jsonl", "json_lines"), ("parquet", "parquet"), ("arrow", "arrow_ipc")] {
        let options = format!(r#"{{"follow":true,"format":"{format}","schema":{{"id":"int64","name":"utf8"}}}}"#);
        let mut reader = bench.reader("data/in", &options).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().num_rows(), 0);
        bench.write(&format!("data/in/a.{extension}"), &[people(1, 2)], "{}").unwrap();
        assert_eq!(until(&mut *reader, 2).columns(), people(1, 2).columns(), "{format}");
    }
    assert_eq!(bench.reader("data/in", r#"{"follow":true,"format":"lines"}"#).unwrap().schema().field(0).name(), "line");
    assert_error(bench.reader("data/none.log", r#"{"follow":true}"#).map(drop), TableError::NotFound, &["data/none.log", "must exist"]);
}

/// Protects against an option that is silently without effect.
#[test]
fn what_cannot_be_followed_is_refused() {
    let bench = Bench::new();
    bench.write("sqlite:data/a.db", &[people(0, 3)], r#"{"table":"t"}"#).unwrap();
    for location in ["sqlite:data/a.db", "data/a.db", "s3://b/a.csv"] {
        assert_error(bench.reader(location, r#"{"follow":true}"#).map(drop), TableError::Options, &["\"follow\"", "not followed"]);
    }
    bench.write("data/a.csv.gz", &[people(0, 3)], "{}").unwrap();
    assert_error(bench.reader("data/a.csv.gz", r#"{"follow":true}"#).map(drop), TableError::Options, &["data/a.csv.gz", "compressed"]);
    assert_error(bench.reader("data/a", r#"{"follow":true}"#).map(drop), TableError::Options, &["format"]);
    let (text, followed) = (r#"{"schema":{"id":"int64"}}"#, r#"{"schema":{"id":"int64","name":"utf8"},"follow":true}"#);
    bench.write("data/a.parquet", &[people(0, 3)], "{}").unwrap();
    assert_error(bench.reader("data/a.parquet", text).map(drop), TableError::Options, &["schema"]);
    bench.reader("data/a.parquet", followed).unwrap();
}

/// Protects against a position that is taken for another's, and one that has no bound.
#[test]
fn positions_are_their_own_and_bounded() {
    let bench = Bench::new();
    for number in 0..5000 {
        bench.put(&format!("data/in/{number:05}.log"), format!("{number}\n"));
    }
    let mut reader = bench.reader("data/in/*.log", r#"{"follow":true}"#).unwrap();
    let all = now(&mut *reader);
    assert_eq!(texts(&all), (0..5000).map(|number| number.to_string()).collect::<Vec<_>>());
    let position = reader.position();
    assert!(position.len() < 4096 * 24, "{} bytes", position.len());
    let mut other = bench.reader("data/in/*.log", r#"{"follow":true}"#).unwrap();
    other.seek(&position).unwrap();
    assert_eq!(now(&mut *other).num_rows(), 0, "what was read beyond the bound is not read again");
    append(&bench, "data/in/04999.log", "more\n");
    append(&bench, "data/in/05000.log", "new\n");
    assert_eq!(texts(&until(&mut *other, 2)), ["more", "new"]);
    let plain = bench.reader("data/in/00000.log", "{}").unwrap().position();
    for bytes in [&plain[..], b"", b"\x02", b"\x02\x05ab", &position[..position.len() - 1], &[&position[..], b"x"].concat()] {
        assert_error(other.seek(bytes), TableError::Options, &["position"]);
    }
    assert!(bench.reader("data/in/00000.log", "{}").unwrap().seek(&position).is_err());
}

/// Protects against a projection that is not kept where files are followed.
#[test]
fn chosen_columns_and_dialects_hold() {
    let bench = Bench::new();
    bench.put("data/a.csv", "1;'x;\ny';2.5\n");
    let options = r#"{"follow":true,"csv":{"header":false,"delimiter":";","quote":"'"},"schema":{"a":"int64","b":"utf8","c":"float64"},"columns":["c","a"]}"#;
    let mut reader = bench.reader("data/a.csv", options).unwrap();
    append(&bench, "data/a.csv", "2;'';");
    append(&bench, "data/a.csv", "\n");
    let table = now(&mut *reader);
    assert_eq!(table.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["c", "a"]);
    assert_eq!(*table["a"].as_primitive::<Int64Type>(), Int64Array::from(vec![1, 2]));
    assert!(table["c"].is_valid(0) && table["c"].is_null(1));
}
