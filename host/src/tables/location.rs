//! Where a table is said to be: the text of a location, taken apart before anything is opened.

use std::{
    fmt,
    path::{Component, Path, PathBuf},
};

use crate::words::tables::{GENERATOR, TableError};

/// A location as written, made absolute. Nothing has been looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// An absolute path without `.` and `..`; it may hold `*`, `?` and `**`.
    Path(PathBuf),
    /// An object, or a pattern of objects, in a bucket.
    Url(ObjectUrl),
    /// An SQLite database.
    Sqlite(PathBuf),
    /// Nowhere: rows are made.
    Generator,
}

/// `scheme://bucket/key`. The key is taken literally: percent signs mean percent signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectUrl {
    /// Lower case.
    pub scheme: String,
    /// The store within the scheme.
    pub bucket: String,
    /// Without a leading slash; a trailing one says "everything below".
    pub key: String,
}

impl fmt::Display for ObjectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/{}", self.scheme, self.bucket, self.key)
    }
}

impl Location {
    /// Reads a location; relative paths start from `base`.
    pub fn parse(base: &Path, text: &str) -> Result<Self, TableError> {
        if text.is_empty() || text.contains('\0') {
            return Err(TableError::Options(format!(
                "location {text:?} is empty or holds a NUL byte; give a path, a URL or \"sqlite:PATH\""
            )));
        }
        if text == GENERATOR {
            return Ok(Location::Generator);
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            return sqlite(base, path);
        }
        let Some((scheme, rest)) = scheme(text) else {
            return Ok(Location::Path(absolute(base, text)));
        };
        match scheme.as_str() {
            "file" => file_url(text, rest).map(|path| Location::Path(normalise(&path))),
            _ => object_url(&scheme, text, rest).map(Location::Url),
        }
    }
}

/// Whether a path segment selects several names.
pub fn is_pattern(segment: &str) -> bool {
    segment.contains(['*', '?'])
}

/// Removes `.` and `..` without asking the file system; `..` at the root stays at the root.
pub fn normalise(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    clean
}

/// The path as its author would write it: relative to the pipeline file where it lies below.
pub fn shown(base: &Path, path: &Path) -> String {
    match path.strip_prefix(base) {
        Ok(below) if !below.as_os_str().is_empty() => below.display().to_string(),
        Ok(_) => ".".into(),
        Err(_) => path.display().to_string(),
    }
}

fn absolute(base: &Path, text: &str) -> PathBuf {
    let joined = base.join(text);
    // Only a base that is not absolute (in violation of its contract) asks for the working folder.
    normalise(&std::path::absolute(&joined).unwrap_or(joined))
}

fn scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let named = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (named && scheme.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| (scheme.to_ascii_lowercase(), rest))
}

fn sqlite(base: &Path, path: &str) -> Result<Location, TableError> {
    if path.is_empty() || path == ":memory:" {
        return Err(TableError::Options(format!(
            "location \"sqlite:{path}\" names no file; write \"sqlite:PATH\", for example \"sqlite:out/shop.db\""
        )));
    }
    Ok(Location::Sqlite(absolute(base, path)))
}

fn file_url(text: &str, rest: &str) -> Result<PathBuf, TableError> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let decoded = path.starts_with('/').then(|| percent_decode(path)).flatten();
    decoded
        .map(PathBuf::from)
        .ok_or_else(|| TableError::Options(format!("{text:?} is no local file URL; write \"file:///absolute/path\" or a plain path")))
}

/// The text that percent-encoded UTF-8 stands for; nothing where it is malformed or hides a NUL or a slash.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        let byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if byte == 0 || byte == b'/' {
            return None;
        }
        bytes.push(byte);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

fn object_url(scheme: &str, text: &str, rest: &str) -> Result<ObjectUrl, TableError> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(TableError::Options(format!("{text:?} names no bucket; write \"{scheme}://bucket/key\"")));
    }
    // A key with such segments would be understood differently by grants, stores and people.
    let body = key.strip_suffix('/').unwrap_or(key);
    // URLs have them also with their dots encoded.
    let is_special = |part: &str| matches!(part.replace("%2e", ".").replace("%2E", ".").as_str(), "" | "." | "..");
    if !body.is_empty() && body.split('/').any(is_special) {
        return Err(TableError::Options(format!("{text:?} holds an empty, \".\" or \"..\" segment; write the key out")));
    }
    Ok(ObjectUrl { scheme: scheme.into(), bucket: bucket.into(), key: key.into() })
}
