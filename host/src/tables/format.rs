//! Which formats there are, and which one a file's name speaks of.

use super::nearest::hint;
use crate::words::tables::TableError;

/// How a table is laid down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Parquet,
    Csv,
    JsonLines,
    /// Arrow IPC, file or stream.
    ArrowIpc,
    /// A text file: one column `line`.
    Lines,
    Sqlite,
}

/// What a file's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    pub format: Format,
    /// `.tsv`: the default delimiter is a tab.
    pub tabs: bool,
    /// `.gz`: compressed as a whole.
    pub gzip: bool,
}

const NAMES: [(&str, Format); 6] = [
    ("parquet", Format::Parquet),
    ("csv", Format::Csv),
    ("json_lines", Format::JsonLines),
    ("arrow_ipc", Format::ArrowIpc),
    ("lines", Format::Lines),
    ("sqlite", Format::Sqlite),
];

const EXTENSIONS: [(&str, Format); 15] = [
    ("parquet", Format::Parquet),
    ("csv", Format::Csv),
    ("tsv", Format::Csv),
    ("jsonl", Format::JsonLines),
    ("ndjson", Format::JsonLines),
    ("arrow", Format::ArrowIpc),
    ("feather", Format::ArrowIpc),
    ("ipc", Format::ArrowIpc),
    ("arrows", Format::ArrowIpc),
    ("log", Format::Lines),
    ("txt", Format::Lines),
    ("sqlite", Format::Sqlite),
    ("sqlite3", Format::Sqlite),
    ("db", Format::Sqlite),
    ("db3", Format::Sqlite),
];

impl Format {
    /// The format of this name, as options write it. `tsv` and `jsonl` are understood, too.
    pub fn parse(name: &str) -> Result<Self, TableError> {
        match name {
            "tsv" => return Ok(Format::Csv),
            "jsonl" | "ndjson" => return Ok(Format::JsonLines),
            _ => {}
        }
        NAMES.iter().find(|known| known.0 == name).map(|known| known.1).ok_or_else(|| {
            let known = NAMES.map(|known| known.0);
            TableError::Options(format!("option \"format\": {name:?} is none of {}{}", known.join(", "), hint(name, known)))
        })
    }

    /// As options write it.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|known| known.1 == self).map_or("?", |known| known.0)
    }

    /// Whether a file of this format may be compressed as a whole.
    pub fn takes_gzip(self) -> bool {
        matches!(self, Format::Csv | Format::JsonLines | Format::Lines)
    }
}

impl Named {
    /// What the end of a path or URL says, if anything.
    pub fn of(path: &str) -> Option<Self> {
        let file = path.rsplit('/').next()?.to_ascii_lowercase();
        let (stem, gzip) = match file.strip_suffix(".gz") {
            Some(stem) => (stem, true),
            None => (file.as_str(), false),
        };
        let extension = stem.rsplit_once('.')?.1;
        let format = EXTENSIONS.iter().find(|known| known.0 == extension)?.1;
        (!gzip || format.takes_gzip()).then_some(Named { format, tabs: extension == "tsv", gzip })
    }
}

/// The error for a name that says nothing.
pub fn unknown(name: &str) -> TableError {
    TableError::Options(format!(
        "the name {name:?} does not say which format it has; give the option \"format\": {}",
        NAMES.map(|known| known.0).join(", ")
    ))
}
