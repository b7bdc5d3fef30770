//! The stage's configuration, and what of it the host's writer is told.

use parshall_sdk::{StageError, config::one_of, nearest};
use serde::{Deserialize, Serialize};

/// `[load.NAME.config]` of a `std:write`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(skip_serializing)]
    pub to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    #[serde(default = "mode")]
    pub mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_group_rows: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<Csv>,
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

fn mode() -> String {
    MODES[0].into()
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

/// What the bytes may be.
const FORMATS: [&str; 4] = ["parquet", "csv", "json_lines", "arrow_ipc"];

/// What may happen to what is there already, the default first.
const MODES: [&str; 3] = ["replace", "append", "fail"];

const EXTENSIONS: [(&str, &str); 9] = [
    ("parquet", "parquet"),
    ("csv", "csv"),
    ("tsv", "csv"),
    ("jsonl", "json_lines"),
    ("ndjson", "json_lines"),
    ("arrow", "arrow_ipc"),
    ("arrows", "arrow_ipc"),
    ("feather", "arrow_ipc"),
    ("ipc", "arrow_ipc"),
];

// === impl Config ===

impl Config {
    /// The options for the host's writer, as JSON.
    pub fn options(&self) -> Result<String, StageError> {
        one_of("/mode", "mode", &self.mode, &MODES)?;
        let mut options = serde_json::to_value(self).map_err(|error| StageError::Internal(error.to_string()))?;
        if self.to.starts_with("sqlite:") {
            self.only(
                "a file",
                [("format", self.format.is_some()), ("csv", self.csv.is_some()), ("row_group_rows", self.row_group_rows.is_some())],
            )?;
            return Ok(options.to_string());
        }
        let format = match &self.format {
            Some(format) => one_of("/format", "format", format, &FORMATS)?,
            None => format_of(&self.to)?,
        };
        self.only("an SQLite database", [("table", self.table.is_some())])?;
        if format != "csv" {
            self.only("CSV", [("csv", self.csv.is_some())])?;
        }
        if format != "parquet" {
            self.only("Parquet", [("row_group_rows", self.row_group_rows.is_some())])?;
        }
        options["format"] = format.into();
        if self.csv.is_none() && extension(&self.to) == "tsv" {
            let csv = Csv { header: header(), delimiter: "\t".into(), quote: quote(), null: String::new() };
            options["csv"] = serde_json::to_value(csv).map_err(|error| StageError::Internal(error.to_string()))?;
        }
        Ok(options.to_string())
    }

    /// Where rows go, for a person.
    pub fn location(&self) -> String {
        match &self.table {
            Some(table) => format!("{} (table {table})", self.to),
            None => self.to.clone(),
        }
    }

    /// Refuses keys that mean nothing here: silently ignored, they would look obeyed.
    fn only<const N: usize>(&self, what: &str, keys: [(&str, bool); N]) -> Result<(), StageError> {
        match keys.iter().find(|(_, set)| *set) {
            Some((key, _)) => Err(StageError::config(format!("/{key}"), format!("`{key}` is for {what} only"))),
            None => Ok(()),
        }
    }
}

fn format_of(path: &str) -> Result<&'static str, StageError> {
    let extension = extension(path);
    if let Some((_, format)) = EXTENSIONS.iter().find(|(known, _)| *known == extension) {
        return Ok(format);
    }
    let error = StageError::config("/to", format!("the format cannot be told from the ending of `{path}`"));
    let near = nearest(&extension, EXTENSIONS.iter().map(|(known, _)| *known)).filter(|_| !extension.is_empty());
    Err(match near {
        Some(near) => error.help(format!("did you mean `.{near}`? Otherwise set `format`")),
        None => error.help("set `format` to one of parquet, csv, json_lines, arrow_ipc, or write to `sqlite:PATH`"),
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
    fn everything_but_the_location_is_passed_on() {
        let told = options(r#"{"to": "out/x.parquet", "compression": "zstd", "row_group_rows": 1000}"#).unwrap();
        assert_eq!(told.to_string(), r#"{"mode":"replace","compression":"zstd","row_group_rows":1000,"format":"parquet"}"#);
        let told = options(r#"{"to": "sqlite:out/x.db", "table": "flights", "mode": "append"}"#).unwrap();
        assert_eq!(told.to_string(), r#"{"mode":"append","table":"flights"}"#);
    }

    /// Protects against a key that is accepted and then does nothing.
    #[test]
    fn a_key_that_means_nothing_here_is_refused() {
        for (config, pointer) in [
            (r#"{"to": "x.csv", "table": "t"}"#, "/table"),
            (r#"{"to": "sqlite:x.db", "csv": {}}"#, "/csv"),
            (r#"{"to": "x.jsonl", "row_group_rows": 1}"#, "/row_group_rows"),
            (r#"{"to": "x.xlsx"}"#, "/to"),
            (r#"{"to": "x.csv", "mode": "merge"}"#, "/mode"),
        ] {
            let Err(StageError::Config(error)) = options(config) else { panic!("{config} was accepted") };
            assert_eq!(error.pointer, pointer);
        }
    }

    /// Protects against serde's words where a person's were promised.
    #[test]
    fn what_is_not_a_choice_is_named_with_those_that_are() {
        let mistake = |config| match options(config) {
            Err(StageError::Config(error)) => (error.pointer, error.message, error.help),
            other => panic!("{other:?}"),
        };
        let message = "`merge` is not a mode; expected one of replace, append, fail";
        assert_eq!(mistake(r#"{"to": "x.csv", "mode": "merge"}"#), ("/mode".into(), message.into(), None));
        let (pointer, _, help) = mistake(r#"{"to": "x", "format": "parqet"}"#);
        assert_eq!((pointer.as_str(), help.as_deref()), ("/format", Some("did you mean `parquet`?")));
    }

    /// Protects against the published schema and the type drifting apart.
    #[test]
    fn the_schema_names_what_the_type_takes() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("../config.schema.json")).unwrap();
        let all = r#"{"to": "a", "format": "csv", "mode": "fail", "table": "t", "compression": "zstd", "row_group_rows": 1, "csv": {"header": true, "delimiter": "", "quote": "", "null": ""}}"#;
        parshall_sdk::config::read::<Config>(all).unwrap();
        let all: serde_json::Value = serde_json::from_str(all).unwrap();
        let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(names(&schema["properties"]), names(&all));
        assert_eq!(names(&schema["properties"]["csv"]["properties"]), names(&all["csv"]));
    }
}
