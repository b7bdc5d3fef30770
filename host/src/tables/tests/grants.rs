//! Nothing is opened that is not granted, however it is written.

use std::os::unix::fs::symlink;

use super::{Bench, assert_error, people};
use crate::words::{grants::Place, tables::TableError};

fn denied<T>(result: Result<T, TableError>) {
    assert_error(result, TableError::Denied, &["grant"]);
}

/// Protects against: reading outside of the granted folder by any spelling.
#[test]
fn no_spelling_leads_outside() {
    let bench = Bench::new();
    bench.put("secret.csv", "a\n1\n");
    bench.put("data/ok.csv", "a\n1\n");
    bench.put("database/near.csv", "a\n1\n");
    let secret = bench.path("secret.csv").display().to_string();
    for location in [
        "secret.csv".to_string(),
        "data/../secret.csv".into(),
        "./data/./../secret.csv".into(),
        "data/../../../../../../../../etc/passwd".into(),
        "data/missing/../../secret.csv".into(),
        "database/near.csv".into(),
        secret.clone(),
        format!("file://{secret}"),
        format!("file://localhost{secret}"),
        format!("FILE://{}", secret.replace("secret", "%73ecret")),
        format!("file://{}/data/%2e%2e/secret.csv", bench.folder.path().display()),
        "*.csv".into(),
        "data/../*.csv".into(),
        "**/secret.csv".into(),
        "data*/near.csv".into(),
        "sqlite:secret.csv".into(),
        "sqlite:data/../secret.csv".into(),
        "s3://bucket/secret.csv".into(),
        ".".into(),
        "/".into(),
    ] {
        let options = if location.starts_with("sqlite") { r#"{"table":"t"}"# } else { r#"{"format":"csv"}"# };
        denied(bench.reader(&location, options).map(drop));
    }
    // The same file by a spelling that stays inside is no matter.
    let inside = format!("file://{}/data/../data/%6fk.csv", bench.folder.path().display());
    assert_eq!(bench.read(&inside, "{}").unwrap().num_rows(), 1);
    // A slash or NUL that percent signs hide is no path at all.
    assert_error(bench.reader("file:///data%2f..%2fsecret.csv", "{}").map(drop), TableError::Options, &["file:///"]);
    // In a plain path, percent signs are part of the name.
    assert_error(bench.reader("data/%2e%2e/secret.csv", "{}").map(drop), TableError::NotFound, &["%2e%2e"]);
}

/// Protects against: links inside of a granted folder that point out of it, for files, folders and patterns.
#[test]
fn links_do_not_lead_outside() {
    let bench = Bench::new();
    bench.put("outside/secret.csv", "a\n1\n");
    bench.put("data/ok.csv", "a\n1\n");
    symlink(bench.path("outside/secret.csv"), bench.path("data/link.csv")).unwrap();
    symlink(bench.path("outside"), bench.path("data/folder")).unwrap();
    for location in ["data/link.csv", "data/folder/secret.csv", "data/folder", "data/*.csv", "data/folder/*.csv", "data/**", "data"] {
        assert_error(bench.reader(location, "{}").map(drop), TableError::Denied, &["symbolic link", "grants"]);
    }
    let error = bench.reader("data/link.csv", "{}").map(drop).unwrap_err().to_string();
    assert!(!error.contains("outside"), "the stage learns where the link points: {error}");
}

/// Protects against: writing through links, also through those whose target does not exist yet.
#[test]
fn writing_does_not_follow_links_outside() {
    let bench = Bench::new();
    bench.put("outside/kept.csv", "kept");
    symlink(bench.path("outside"), bench.path("data/folder")).unwrap();
    symlink(bench.path("outside/new.db"), bench.path("data/dangling.db")).unwrap();
    let schema = people(0, 1).schema();
    for location in
        ["data/folder/new.csv", "data/folder/deep/er/new.csv", "../x.csv", "out.csv", "data/dangling.db", "sqlite:data/dangling.db"]
    {
        let options = if location.ends_with("db") { r#"{"format":"sqlite","table":"t"}"# } else { "{}" };
        assert_error(bench.writer(location, schema.clone(), options).map(drop), TableError::Denied, &[]);
    }
    assert!(!bench.path("outside/new.db").exists());
}

/// Protects against: a link inside of the granted folder, or a granted link, being refused.
#[test]
fn links_inside_are_followed() {
    let mut bench = Bench::new();
    bench.put("data/v1.csv", "a\n1\n");
    symlink("v1.csv", bench.path("data/latest.csv")).unwrap();
    assert_eq!(bench.read("data/latest.csv", "{}").unwrap().num_rows(), 1);
    // The same file is not read twice, nor a folder that contains itself for ever.
    symlink(bench.path("data"), bench.path("data/self")).unwrap();
    assert_eq!(bench.read("data/**/*.csv", "{}").unwrap().num_rows(), 1);
    symlink(bench.path("data"), bench.path("granted")).unwrap();
    bench.grants.read = vec![Place::Path(bench.path("granted"))];
    assert_eq!(bench.read("data/v1.csv", "{}").unwrap().num_rows(), 1);
}

/// Protects against: a grant for one thing serving for another.
#[test]
fn reading_and_writing_are_granted_apart() {
    let mut bench = Bench::new();
    bench.put("data/a.csv", "a\n1\n");
    bench.grants.write.clear();
    let schema = people(0, 1).schema();
    assert_error(
        bench.writer("data/b.csv", schema.clone(), "{}").map(drop),
        TableError::Denied,
        &["writing \"data/b.csv\"", "nothing is", "grants = { write = [\"data/b.csv\"] }"],
    );
    bench.grants.write = std::mem::take(&mut bench.grants.read);
    assert_error(
        bench.reader("data/a.csv", "{}").map(drop),
        TableError::Denied,
        &["reading \"data/a.csv\"", "grants = { read = [\"data/a.csv\"] }"],
    );
}

/// Protects against: a grant of one file that opens its folder, and errors that do not say what is granted.
#[test]
fn one_file_is_one_file() {
    let mut bench = Bench::new();
    bench.put("data/a.csv", "a\n1\n");
    bench.put("data/b.csv", "a\n1\n");
    bench.grants.read = vec![Place::Path(bench.path("data/a.csv"))];
    assert_eq!(bench.read("data/a.csv", "{}").unwrap().num_rows(), 1);
    assert_error(
        bench.reader("data/b.csv", "{}").map(drop),
        TableError::Denied,
        &["granted are \"data/a.csv\"", "read = [\"data/a.csv\", \"data/b.csv\"]"],
    );
    denied(bench.reader("data/*.csv", "{}").map(drop));
    denied(bench.reader("data", "{}").map(drop));
}

/// Protects against: URL prefixes that match more than they say.
#[test]
fn url_prefixes_end_where_they_end() {
    use super::super::{access, access::Access, location::Location};
    let mut bench = Bench::new();
    bench.grants.read = vec![Place::Url("s3://b/data/".into()), Place::Url("s3://b/one.csv".into())];
    let check = |text: &str| match Location::parse(&bench.grants.base, text)? {
        Location::Url(url) => access::url(&bench.grants, Access::Read, &url),
        _ => unreachable!(),
    };
    for fine in ["s3://b/data/x.csv", "s3://b/data/deep/x.csv", "S3://b/one.csv"] {
        check(fine).unwrap();
    }
    for wrong in ["s3://b/data", "s3://b/database/x", "s3://b/one.csv.bak", "s3://bb/data/x", "s3://b/", "s3a://b/data/x"] {
        denied(check(wrong));
    }
    for trick in ["s3://b/data/../x", "s3://b/data/./x", "s3://b/data//x"] {
        assert_error(check(trick), TableError::Options, &[trick]);
    }
}

/// Protects against: devices and pipes that block the host for ever.
#[test]
fn devices_are_no_tables() {
    let mut bench = Bench::new();
    bench.grants.read = vec![Place::Path("/dev".into())];
    assert_error(bench.reader("/dev/zero", r#"{"format":"lines"}"#).map(drop), TableError::Options, &["neither a file nor a folder"]);
}
