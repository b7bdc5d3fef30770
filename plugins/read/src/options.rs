//! The stage's configuration, and what of it the host's reader is told.

use parshall_sdk::{StageError, config::one_of, nearest};
use serde::{Deserialize, Serialize};

/// `[extract.NAME.config]` of a `std:read`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(skip_serializing)]
    pub path: String,
    pub format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    #[serde(default = "batch_rows")]
    pub batch_rows: u32,
    /// Whether to wait for more at the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<Csv>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infer_rows: Option<u32>,
    /// In the order in which it is written: it is the order of the columns of a CSV file without a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Types>,
}

/// How a CSV file is written.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    #[serde(default = "header")]
    pub header: bool,
    #[serde(default = "delimiter")]
    pub delimiter: String,
    #[serde(default = "quote")]
    pub quote: String,
    #[serde(default)]
    pub null: String,
}

fn batch_rows() -> u32 {
    8192
}

fn header() -> bool {
    true
}

fn delimiter() -> String {
    ",".into()
}

fn quote() -> String {
    "\"".into()
}

/// Columns and their types, in the order in which they were written.
#[derive(Debug)]
pub struct Types(pub Vec<(String, String)>);

// === impl Types ===

impl<'de> Deserialize<'de> for Types {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> serde::de::Visitor<'de> for Pairs {
            type Value = Types;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a table of column names and types")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Types, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Types(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl Serialize for Types {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, kind)| (name, kind)))
    }
}

// === impl Config ===

impl Config {
    /// The options for the host's reader, as JSON.
    pub fn options(&self) -> Result<String, StageError> {
        if self.batch_rows == 0 {
            return Err(StageError::config("/batch_rows", "a batch has at least one row"));
        }
        let format = match &self.format {
            Some(format) => one_of("/format", "format", format, &FORMATS)?,
            None => format_of(&self.path)?,
        };
        if self.csv.is_some() && format != "csv" {
            return Err(StageError::config("/csv", format!("the format is {format}, not csv")));
        }
        if self.infer_rows.is_some() && !matches!(format, "csv" | "json_lines") {
            return Err(StageError::config("/infer_rows", format!("the format is {format}, which states its types")));
        }
        if self.infer_rows == Some(0) {
            return Err(StageError::config("/infer_rows", "types are inferred from at least one row"));
        }
        // A file of tab-separated values is CSV with another delimiter.
        let tabs = self.csv.is_none() && extension(&self.path) == "tsv";
        let csv = Csv { header: header(), delimiter: "\t".into(), quote: quote(), null: String::new() };
        let mut options = serde_json::to_value(self).map_err(|error| StageError::Internal(error.to_string()))?;
        options["format"] = format.into();
        if tabs {
            options["csv"] = serde_json::to_value(csv).map_err(|error| StageError::Internal(error.to_string()))?;
        }
        Ok(options.to_string())
    }
}

/// What the bytes may be.
const FORMATS: [&str; 5] = ["parquet", "csv", "json_lines", "arrow_ipc", "lines"];

const EXTENSIONS: [(&str, &str); 11] = [
    ("parquet", "parquet"),
    ("csv", "csv"),
    ("tsv", "csv"),
    ("jsonl", "json_lines"),
    ("ndjson", "json_lines"),
    ("arrow", "arrow_ipc"),
    ("arrows", "arrow_ipc"),
    ("feather", "arrow_ipc"),
    ("ipc", "arrow_ipc"),
    ("log", "lines"),
    ("txt", "lines"),
];

fn format_of(path: &str) -> Result<&'static str, StageError> {
    let extension = extension(path);
    if let Some((_, format)) = EXTENSIONS.iter().find(|(known, _)| *known == extension) {
        return Ok(format);
    }
    let error = StageError::config("/path", format!("the format cannot be told from the ending of `{path}`"));
    let near = nearest(&extension, EXTENSIONS.iter().map(|(known, _)| *known)).filter(|_| !extension.is_empty());
    Err(match near {
        Some(near) => error.help(format!("did you mean `.{near}`? Otherwise set `format`")),
        None => error.help("set `format` to one of parquet, csv, json_lines, arrow_ipc, lines"),
    })
}

fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(config: &str) -> Result<serde_json::Value, StageError> {
        let config: Config = parshall_sdk::config::read(config)?;
        Ok(serde_json::from_str(&config.options()?).unwrap())
    }

    /// Protects against the host being told something else than what was written.
    #[test]
    fn everything_but_the_path_is_passed_on() {
        let told = options(
            r#"{"path": "x.csv", "columns": ["a"], "infer_rows": 9, "csv": {"header": false}, "schema": {"b": "utf8", "a": "int64"}}"#,
        )
        .unwrap();
        assert_eq!(
            told.to_string(),
            r#"{"format":"csv","columns":["a"],"batch_rows":8192,"csv":{"header":false,"delimiter":",","quote":"\"","null":""},"infer_rows":9,"schema":{"b":"utf8","a":"int64"}}"#
        );
    }

    /// Protects against a format that is guessed wrong, or not told.
    #[test]
    fn the_format_follows_from_the_ending() {
        assert_eq!(options(r#"{"path": "data/*.NDJSON"}"#).unwrap()["format"], "json_lines");
        assert_eq!(options(r#"{"path": "a.tsv"}"#).unwrap()["csv"]["delimiter"], "\t");
        assert_eq!(options(r#"{"path": "a.dat", "format": "lines"}"#).unwrap()["format"], "lines");
        let Err(StageError::Config(error)) = options(r#"{"path": "a.parqet"}"#) else { panic!() };
        assert_eq!((error.pointer.as_str(), error.help.as_deref()), ("/path", Some("did you mean `.parquet`? Otherwise set `format`")));
    }

    /// Protects against serde's words where a person's were promised, and against a number that means nothing.
    #[test]
    fn what_is_not_a_choice_is_named_with_those_that_are() {
        let mistake = |config| match options(config) {
            Err(StageError::Config(error)) => (error.pointer, error.message, error.help.unwrap_or_default()),
            other => panic!("{other:?}"),
        };
        let (pointer, message, help) = mistake(r#"{"path": "a.csv", "format": "json_line"}"#);
        assert_eq!((pointer.as_str(), help.as_str()), ("/format", "did you mean `json_lines`?"));
        assert_eq!(message, "`json_line` is not a format; expected one of parquet, csv, json_lines, arrow_ipc, lines");
        assert_eq!(mistake(r#"{"path": "a.csv", "infer_rows": 0}"#).0, "/infer_rows");
        assert_eq!(mistake(r#"{"path": "a.parquet", "infer_rows": 5}"#).0, "/infer_rows");
    }

    /// Protects against the published schema and the type drifting apart.
    #[test]
    fn the_schema_names_what_the_type_takes() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("../config.schema.json")).unwrap();
        let all = r#"{"path": "a", "format": "csv", "columns": [], "batch_rows": 1, "follow": true, "infer_rows": 1, "csv": {"header": true, "delimiter": "", "quote": "", "null": ""}, "schema": {}}"#;
        parshall_sdk::config::read::<Config>(all).unwrap();
        let all: serde_json::Value = serde_json::from_str(all).unwrap();
        let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(names(&schema["properties"]), names(&all));
        assert_eq!(names(&schema["properties"]["csv"]["properties"]), names(&all["csv"]));
    }
}
