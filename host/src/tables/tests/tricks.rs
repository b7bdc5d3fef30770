//! Ways around a grant: spellings that mean something else to somebody, links that come after the check, journals that lead elsewhere.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use arrow::{array::AsArray, datatypes::Int64Type};

use super::{Bench, assert_error, people};
use crate::{
    tables::sqlite::Database,
    words::{
        delivery::Delivery,
        grants::Place,
        tables::{TableError, TableWriter},
    },
};

const TABLE: &str = r#"{"table":"t"}"#;

/// Protects what is outside against a location that is one thing when it is checked and another when it is opened.
#[test]
fn no_url_is_read_in_two_ways() {
    let bench = Bench::new();
    bench.put("secret.csv", "a\n1\n");
    bench.put("data/ok.csv", "a\n1\n");
    let folder = bench.folder.path().display().to_string();
    let mut opened = Vec::new();
    for location in [
        // Whose file is it? This machine's, or nobody's.
        format!("file://elsewhere{folder}/data/ok.csv"),
        format!("file://localhost@elsewhere{folder}/data/ok.csv"),
        format!("file://user@localhost{folder}/data/ok.csv"),
        format!("file://localhost:80{folder}/data/ok.csv"),
        format!("file://localhosts{folder}/data/ok.csv"),
        format!("file://127.0.0.1{folder}/data/ok.csv"),
        // Encoded once, twice, badly, and what must not be encoded.
        format!("file://{folder}/data/%2e%2e/secret.csv"),
        format!("file://{folder}/data/.%2E/secret.csv"),
        format!("file://{folder}/data/%252e%252e/secret.csv"),
        format!("file://{folder}/data%2F..%2Fsecret.csv"),
        format!("file://{folder}/data/%c0%ae%c0%ae/secret.csv"),
        format!("file://{folder}/data/%2/secret.csv"),
        format!("file://{folder}/secret.csv%00{folder}/data/ok.csv"),
        format!("file://{folder}/secret.csv?{folder}/data/ok.csv"),
        format!("file://{folder}/secret.csv#{folder}/data/ok.csv"),
        format!("file:///{folder}/data/../secret.csv"),
        format!("FILE://{folder}/data/../secret.csv"),
        // No scheme at all, though it looks like one.
        format!("file:{folder}/secret.csv"),
        "file:secret.csv".into(),
        "data\\..\\secret.csv".into(),
        "data/..\\secret.csv".into(),
        "data/.../secret.csv".into(),
        "data/..%2fsecret.csv".into(),
        "data/\u{ff0e}\u{ff0e}/secret.csv".into(),
        "data//..//secret.csv".into(),
        "data/ok.csv/../../secret.csv".into(),
        "data/ok.csv/../../data/../secret.csv".into(),
    ] {
        let read = bench.reader(&location, r#"{"format":"csv"}"#).and_then(|mut reader| reader.next());
        opened.extend(read.is_ok().then_some(location));
    }
    assert!(opened.is_empty(), "opened: {opened:#?}");
    for location in ["sqlite:file:secret.csv?mode=rwc", "sqlite:file:///secret.db?vfs=unix", "sqlite:data/../secret.db", "sqlite::memory:"]
    {
        assert!(bench.reader(location, TABLE).is_err() && bench.writer(location, people(0, 1).schema(), TABLE).is_err(), "{location}");
    }
    let outside = bench.files().into_iter().filter(|name| !name.starts_with("data")).collect::<Vec<_>>();
    assert_eq!(outside, ["secret.csv"], "nothing was created");
}

/// Protects buckets, and keys in them, that are not granted: a URL has a user, a port, a query and case to play with.
#[test]
fn no_spelling_of_a_bucket_leads_elsewhere() {
    let mut bench = Bench::new();
    let place = Place::Url("s3://b/data/".into());
    (bench.grants.read, bench.grants.write) = (vec![place.clone()], vec![place]);
    let store = Arc::new(object_store::memory::InMemory::new());
    for bucket in ["s3://b", "s3://B", "s3://b@evil", "s3://evil@b", "s3://b:443", "s3://b.", "s3://b?", "s3://b#", "s3a://b"] {
        bench.tables.stores.insert(bucket, store.clone());
    }
    bench.write("s3://b/data/ok.csv", &[people(0, 1)], "{}").unwrap();
    assert_eq!(bench.read("s3://b/data/ok.csv", "{}").unwrap(), people(0, 1));
    for location in [
        "s3://b@evil/data/ok.csv",
        "s3://evil@b/data/ok.csv",
        "s3://b:443/data/ok.csv",
        "s3://b./data/ok.csv",
        "s3://b?/data/ok.csv",
        "s3://b#/data/ok.csv",
        "s3://B/data/ok.csv",
        "s3a://b/data/ok.csv",
        "s3://b/DATA/ok.csv",
        "s3://b/data",
        "s3://b/data%2fok.csv",
        "s3://b//data/ok.csv",
        "s3:///b/data/ok.csv",
        "s3://b/data/../ok.csv",
        "s3://b/data/%2e%2e/ok.csv",
        "s3://b/data/.%2E/ok.csv",
        "s3://b/data/%2e/ok.csv",
        "s3://b/other/../data/ok.csv",
    ] {
        assert!(bench.reader(location, r#"{"format":"csv"}"#).is_err(), "{location}");
        assert!(bench.writer(location, people(0, 1).schema(), r#"{"format":"csv"}"#).is_err(), "{location}");
    }
}

/// Protects against a grant that is written as a URL and grants another folder than it says, or nothing.
#[test]
fn a_file_url_grants_the_folder_that_it_says() {
    let mut bench = Bench::new();
    bench.put("my data/a.csv", "a\n1\n");
    bench.put("my%20data/a.csv", "a\n1\n");
    bench.grants.read = vec![Place::Url(format!("FILE://localhost{}/my%20data/", bench.folder.path().display()))];
    assert_eq!(bench.read("my data/a.csv", "{}").unwrap().num_rows(), 1);
    assert_error(bench.reader("my%20data/a.csv", "{}").map(drop), TableError::Denied, &["not granted"]);
}

/// Protects files outside against a table whose later files become links once it is open.
#[test]
fn a_file_that_becomes_a_link_is_not_read() {
    let bench = Bench::new();
    bench.put("outside/secret.csv", "n\n666\n");
    for name in ["data/a.csv", "data/b.csv"] {
        bench.put(name, "n\n1\n");
    }
    let mut reader = bench.reader("data", r#"{"format":"csv","columns":["n"]}"#).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 1);
    fs::remove_file(bench.path("data/b.csv")).unwrap();
    symlink(bench.path("outside/secret.csv"), bench.path("data/b.csv")).unwrap();
    assert!(reader.next().is_err());
}

/// Puts a link to `outside` where a folder was, which is kept elsewhere.
fn swap(bench: &Bench, folder: &str) {
    fs::rename(bench.path(folder), bench.path("moved")).unwrap();
    symlink(bench.path("outside"), bench.path(folder)).unwrap();
}

/// Every writer of files and databases, into a folder `data/out` that is there; and how its rows become visible.
const WRITERS: [(&str, &str); 6] = [
    ("data/out/a.csv", "{}"),
    ("data/out/a.parquet", r#"{"mode":"fail"}"#),
    ("data/out/a.csv", r#"{"mode":"append"}"#),
    ("data/out/", r#"{"format":"csv"}"#),
    ("sqlite:data/out/a.db", TABLE),
    ("data/out/deep/er/a.jsonl", "{}"),
];

fn outside(bench: &Bench) -> Vec<PathBuf> {
    fs::read_dir(bench.path("outside")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn write_all(writer: &mut dyn TableWriter) -> Result<u64, TableError> {
    writer.write(&people(0, 3))?;
    writer.commit(true)
}

/// Protects what is outside against a folder that becomes a link after it was checked, before anything was written.
#[test]
fn writing_does_not_follow_a_link_that_comes_after_the_check() {
    for (location, options) in WRITERS {
        let bench = Bench::new();
        fs::create_dir_all(bench.path("data/out")).unwrap();
        fs::create_dir(bench.path("outside")).unwrap();
        let mut writer = bench.writer(location, people(0, 1).schema(), options).unwrap();
        swap(&bench, "data/out");
        assert!(write_all(&mut *writer).is_err(), "{location}");
        drop(writer);
        assert_eq!(outside(&bench), [] as [&Path; 0], "{location} {options}");
    }
}

/// Protects what is outside against a folder that becomes a link while it is written to.
#[test]
fn a_file_appears_in_the_folder_that_it_was_begun_in_or_nowhere() {
    for (location, options) in WRITERS {
        let bench = Bench::new();
        fs::create_dir_all(bench.path("data/out")).unwrap();
        fs::create_dir(bench.path("outside")).unwrap();
        let mut writer = bench.writer(location, people(0, 1).schema(), options).unwrap();
        writer.write(&people(0, 3)).unwrap();
        swap(&bench, "data/out");
        let committed = writer.commit(true);
        drop(writer);
        assert_eq!(outside(&bench), [] as [&Path; 0], "{location} {options}: {committed:?}");
        if location == "data/out/a.csv" {
            assert_eq!(committed.unwrap(), 3);
            assert!(bench.path("moved/a.csv").is_file());
        }
    }
}

/// Protects a file outside against a link that takes the place of the file to be written.
#[test]
fn a_link_in_the_place_of_a_target_is_replaced_or_refused() {
    for (location, options) in [WRITERS[0], WRITERS[1], WRITERS[2], WRITERS[4]] {
        let bench = Bench::new();
        bench.put("outside/kept", "kept");
        fs::create_dir_all(bench.path("data/out")).unwrap();
        let mut writer = bench.writer(location, people(0, 1).schema(), options).unwrap();
        symlink(bench.path("outside/kept"), bench.path(location.trim_start_matches("sqlite:"))).unwrap();
        let _ = write_all(&mut *writer);
        drop(writer);
        assert_eq!(fs::read_to_string(bench.path("outside/kept")).unwrap(), "kept", "{location} {options}");
    }
}

/// Protects a file outside against being written by another name: a file that is written is another one, which takes the name.
#[test]
fn a_hard_link_is_replaced_and_not_written_through() {
    for mode in ["replace", "append"] {
        let bench = Bench::new();
        bench.put("outside/kept", "id,name\n0,n0\n");
        fs::hard_link(bench.path("outside/kept"), bench.path("data/a.csv")).unwrap();
        bench.write("data/a.csv", &[people(1, 1)], &format!(r#"{{"mode":"{mode}"}}"#)).unwrap();
        assert_eq!(fs::read_to_string(bench.path("outside/kept")).unwrap(), "id,name\n0,n0\n", "{mode}");
        assert_ne!(fs::read_to_string(bench.path("data/a.csv")).unwrap(), "id,name\n0,n0\n", "{mode}");
    }
}

/// Protects what is outside against parts that are put in place, or cleared away, by whoever goes on with a run.
#[test]
fn settling_does_not_follow_a_link() {
    let mut bench = Bench::new();
    let delivery = Arc::new(Delivery::new("0a1b2c3d".into(), 0, None));
    bench.tables = super::NativeTables::delivering(delivery.clone());
    fs::create_dir_all(bench.path("data/out")).unwrap();
    bench.put("outside/.part-0a1b2c3d-000001.csv.aside", "kept");
    let mut writer = bench.writer("data/out/", people(0, 1).schema(), r#"{"format":"csv"}"#).unwrap();
    writer.write(&people(0, 3)).unwrap();
    writer.commit(false).unwrap();
    swap(&bench, "data/out");
    assert!(delivery.advance().is_err());
    assert_eq!(outside(&bench), [bench.path("outside/.part-0a1b2c3d-000001.csv.aside")]);
}

/// A journal that says that its transaction spans other databases too, and that `other` has their names.
fn journal_naming(database: &Path, other: &Path) -> Vec<u8> {
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let pages = (fs::metadata(database).unwrap().len() / 4096) as u32;
    let mut journal = MAGIC.to_vec();
    [0, 7, pages, 512, 4096_u32].iter().for_each(|word| journal.extend(word.to_be_bytes()));
    journal.resize(512, 0);
    let name = other.as_os_str().as_encoded_bytes();
    let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    journal.extend((0x4000_0000_u32 / 4096 + 1).to_be_bytes());
    journal.extend(name);
    journal.extend((name.len() as u32).to_be_bytes());
    journal.extend(sum.to_be_bytes());
    journal.extend(MAGIC);
    journal
}

/// Protects every file of this user: SQLite looks into the file that a journal names, and removes it.
#[test]
fn a_journal_that_names_a_file_elsewhere_is_refused() {
    let bench = Bench::new();
    bench.write("sqlite:data/a.db", &[people(0, 2)], TABLE).unwrap();
    let (database, journal) = (bench.path("data/a.db"), bench.path("data/a.db-journal"));
    bench.put("outside/secret.csv", "a\n1\n");
    let secret = bench.path("outside/secret.csv");
    fs::write(&journal, journal_naming(&database, &secret)).unwrap();
    for mode in ["append", "replace", "fail"] {
        let options = format!(r#"{{"table":"t","mode":"{mode}"}}"#);
        assert_error(
            bench.writer("sqlite:data/a.db", people(0, 1).schema(), &options).map(drop),
            TableError::Denied,
            &["\"sqlite:data/a.db\"", "names another file", "\"data/a.db-journal\""],
        );
    }
    assert!(bench.read("sqlite:data/a.db", TABLE).is_err(), "who only reads cannot roll it back");
    assert!(secret.exists() && journal.exists());
    let opened = rusqlite::Connection::open(&database).unwrap();
    opened.query_row("SELECT count(*) FROM t", [], |_| Ok(())).unwrap();
    assert!(!secret.exists(), "by SQLite alone it is gone: the journal is one that it takes");
}

/// Protects every file of this user also when the journal comes after it was looked for: SQLite looks for one before each transaction.
#[test]
fn a_journal_that_comes_later_leads_nowhere() {
    let bench = Bench::new();
    let location = "sqlite:data/a.db";
    bench.write(location, &[people(0, 2)], TABLE).unwrap();
    let real = bench.folder.path().canonicalize().unwrap();
    let database = Database { path: real.join("data/a.db"), name: location.into() };
    let (ours, theirs) = (database.open_to_write().unwrap(), rusqlite::Connection::open(&database.path).unwrap());
    bench.put("outside/secret.csv", "a\n1\n");
    let secret = bench.path("outside/secret.csv");
    let count = |connection: &rusqlite::Connection| connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
    fs::write(bench.path("data/a.db-journal"), journal_naming(&database.path, &secret)).unwrap();
    let first = count(&ours);
    assert!(secret.exists(), "{first:?}");
    assert_eq!(count(&ours).unwrap(), 2);
    fs::write(bench.path("data/a.db-journal"), journal_naming(&database.path, &secret)).unwrap();
    assert_eq!(count(&theirs).unwrap(), 2);
    assert!(!secret.exists(), "by SQLite alone it is gone");
}

/// Protects what is outside against a folder that becomes a link while a database in it is open: journals appear and go by name.
#[test]
#[cfg(target_os = "linux")]
fn a_database_stays_in_the_folder_that_it_was_opened_in() {
    for journal in ["delete", "wal"] {
        let bench = Bench::new();
        bench.write("sqlite:data/out/a.db", &[people(0, 2)], TABLE).unwrap();
        rusqlite::Connection::open(bench.path("data/out/a.db")).unwrap().pragma_update(None, "journal_mode", journal).unwrap();
        fs::create_dir(bench.path("outside")).unwrap();
        let kept = ["a.db", "a.db-journal", "a.db-wal", "a.db-shm"].map(|name| bench.path("outside").join(name));
        kept.iter().for_each(|path| fs::write(path, "kept").unwrap());
        let real = bench.folder.path().canonicalize().unwrap();
        let database = Database { path: real.join("data/out/a.db"), name: "a.db".into() };
        let connection = database.open_to_write().unwrap();
        swap(&bench, "data/out");
        connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (7, 'seven')").unwrap();
        let beside = if journal == "wal" { "moved/a.db-wal" } else { "moved/a.db-journal" };
        assert!(bench.path(beside).is_file(), "{journal}");
        connection.execute_batch("COMMIT").unwrap();
        drop(connection);
        assert!(kept.iter().all(|path| fs::read_to_string(path).unwrap() == "kept"), "{journal}");
        assert_eq!(fs::read_dir(bench.path("moved")).unwrap().count(), 1, "{journal}: nothing stays beside it");
        let rows = rusqlite::Connection::open(bench.path("moved/a.db")).unwrap();
        assert_eq!(rows.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 3, "{journal}");
    }
}

/// Protects what connections share, memory beside a write-ahead log, against going by the path of one that is closed.
#[test]
fn connections_to_one_database_close_in_any_order() {
    let bench = Bench::new();
    for folder in ["data/one", "data/two"] {
        bench.write(&format!("sqlite:{folder}/a.db"), &[people(0, 2)], TABLE).unwrap();
        rusqlite::Connection::open(bench.path(folder).join("a.db")).unwrap().pragma_update(None, "journal_mode", "wal").unwrap();
    }
    let real = bench.folder.path().canonicalize().unwrap();
    let open = |name: &str| Database { path: real.join(name), name: name.into() }.open_to_write().unwrap();
    let write = |connection: &rusqlite::Connection| connection.execute_batch("INSERT INTO t VALUES (7, 'seven')").unwrap();
    let (first, second) = (open("data/one/a.db"), open("data/one/a.db"));
    write(&first);
    write(&second);
    drop(first);
    // Whoever comes next may get the descriptor that has become free.
    let other = open("data/two/a.db");
    write(&other);
    write(&second);
    drop(second);
    let names = |folder: &str| fs::read_dir(bench.path(folder)).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names("data/one"), ["a.db"]);
    assert_eq!(names("data/two").len(), 3, "the other is open: {:?}", names("data/two"));
    drop(other);
    assert_eq!(names("data/two"), ["a.db"]);
    let rows = |name: &str| bench.read(&format!("sqlite:{name}"), TABLE).unwrap().num_rows();
    assert_eq!((rows("data/one/a.db"), rows("data/two/a.db")), (5, 3));
}

/// Protects against a link beside a database, by whose name SQLite opens its journal.
#[test]
fn a_link_in_the_place_of_a_journal_is_not_followed() {
    for name in ["a.db-journal", "a.db-wal"] {
        let bench = Bench::new();
        bench.write("sqlite:data/a.db", &[people(0, 2)], TABLE).unwrap();
        fs::create_dir(bench.path("outside")).unwrap();
        symlink(bench.path("outside/new"), bench.path("data").join(name)).unwrap();
        let options = r#"{"table":"t","mode":"append"}"#;
        let _ = bench.writer("sqlite:data/a.db", people(0, 1).schema(), options).and_then(|mut writer| write_all(&mut *writer));
        assert_eq!(outside(&bench), [] as [&Path; 0], "{name}");
    }
}

/// Protects what is outside against somebody who exchanges a folder and a link, again and again, while it is listed, read and written to.
#[test]
#[cfg(target_os = "linux")]
fn nobody_is_fast_enough_to_lead_outside() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let bench = Bench::new();
    bench.put("outside/a.csv", "n\n666\n");
    bench.put("data/out/a.csv", "n\n1\n");
    symlink(bench.path("outside"), bench.path("data/link")).unwrap();
    let (folder, link) = (bench.path("data/out"), bench.path("data/link"));
    let (is_over, exchanges) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE).unwrap();
                exchanges.fetch_add(1, Ordering::Relaxed);
            }
        });
        let over = Over(&is_over);
        let (mut read, mut written) = (0, 0);
        // Until each has gone well and has been refused.
        for round in 0_usize.. {
            assert!(round < 100_000, "read {read}, written {written}");
            for location in ["data/out/a.csv", "data/out", "data/o*/*.csv"] {
                if let Ok(rows) = bench.read(location, r#"{"format":"csv","columns":["n"]}"#) {
                    read += 1;
                    assert_eq!(rows.column(0).as_primitive::<Int64Type>().values().to_vec(), vec![1; rows.num_rows()], "{location}");
                }
            }
            for (location, options) in
                [("data/out/b.parquet", "{}"), ("data/out/parts/", r#"{"format":"csv"}"#), ("data/out/deep/er/b.jsonl", "{}")]
            {
                let writer = bench.writer(location, people(0, 1).schema(), options);
                written += usize::from(writer.and_then(|mut writer| write_all(&mut *writer)).is_ok());
            }
            let tried = 3 * (round + 1);
            if round >= 100 && exchanges.load(Ordering::Relaxed) >= 1_000 && (1..tried).contains(&read) && (1..tried).contains(&written) {
                break;
            }
        }
        drop(over);
    });
    assert_eq!(outside(&bench), [bench.path("outside/a.csv")]);
    assert_eq!(fs::read_to_string(bench.path("outside/a.csv")).unwrap(), "n\n666\n");
}

/// Tells the other thread, also when an assertion fails: else it would be waited for for ever.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
