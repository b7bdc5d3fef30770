//! A test case: a folder with what goes in and what is expected to come out.
//!
//! `case.toml` says the configuration, `input.csv` (`.jsonl`, `.arrow`, `.parquet`) the rows; further inputs are
//! `input.NAME.csv`, in the order of their names. Expected are `output.csv` for the port `out` and `output.PORT.csv` for others,
//! `rejected.csv` with columns `row` and `reason`, `receipt.csv` of a load with columns `rows` and `location`, and `error.txt`.
//! An extract has no input.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::words::{
    batch::{RecordBatch, SchemaRef},
    grants::{Grants, Place},
    shown::shown,
    tables::{TableError, Tables},
};

const DEFAULT_BATCH: usize = 8_192;
/// What a case is, for whoever has none.
const CASE: &str = "with case.toml (`config = {}`), input.csv, and what is expected: output.csv, rejected.csv or error.txt";

/// A case, read.
pub struct Case {
    /// Its folder's name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// `case.toml`.
    pub setting: Setting,
    /// The inputs' names and files, in order.
    pub inputs: Vec<(String, PathBuf)>,
}

/// `case.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setting {
    /// The stage's configuration.
    pub config: Map<String, Value>,
    /// Types that are not to be inferred from text, as in std:read: `int64`, `timestamp[us, UTC]` …
    pub types: BTreeMap<String, String>,
    /// Rows of a batch, at most.
    pub batch_rows: Option<usize>,
    /// Batches that are taken of an extract, at most.
    pub batches: Option<usize>,
    /// Most fuel of a call.
    pub fuel: Option<u64>,
    /// Most bytes of linear memory.
    pub memory: Option<u64>,
    /// What the stage is granted.
    pub grants: Granted,
}

/// What a case grants.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Granted {
    /// Logs, metrics, spans.
    pub telemetry: bool,
    /// Keys and values.
    pub state: bool,
    /// The time.
    pub clocks: bool,
    /// Random numbers.
    pub random: bool,
}

/// All cases of a folder, by name.
pub fn cases(folder: &Path) -> Result<Vec<Case>, String> {
    let folder = &shown(folder);
    let entries =
        fs::read_dir(folder).map_err(|error| format!("{}: {error}\n  = help: a case is a folder in there, {CASE}", folder.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.join("case.toml").is_file()).collect();
    folders.sort();
    if folders.is_empty() {
        return Err(format!("`{}` has no case\n  = help: a case is a folder in there, {CASE}", folder.display()));
    }
    folders.iter().map(|folder| Case::load(folder)).collect()
}

// === impl Case ===

impl Case {
    fn load(folder: &Path) -> Result<Self, String> {
        let file = folder.join("case.toml");
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let setting: Setting = toml::from_str(&text).map_err(|error| format!("{}: {}", file.display(), error.to_string().trim_end()))?;
        if setting.batch_rows == Some(0) {
            return Err(format!("{}: `batch_rows` is to be at least 1", file.display()));
        }
        let inputs = named_files(folder, "input")?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Case { name, folder: folder.to_owned(), setting, inputs })
    }

    /// The batches of each input.
    pub fn batches(&self, tables: &dyn Tables) -> Result<Vec<(String, SchemaRef, Vec<RecordBatch>)>, String> {
        let read = |(name, file): &(String, PathBuf)| {
            let (schema, batches) =
                read(tables, &self.folder, file, &self.setting).map_err(|error| format!("{}: {error}", file.display()))?;
            Ok((name.clone(), schema, batches))
        };
        self.inputs.iter().map(read).collect()
    }

    /// The grants of the case.
    pub fn grants(&self) -> Grants {
        let Granted { telemetry, state, clocks, random } = self.setting.grants;
        Grants { telemetry, state, clocks, random, base: self.folder.clone(), ..Grants::default() }
    }

    /// The files of expected outputs, by port.
    pub fn outputs(&self) -> Result<Vec<(String, PathBuf)>, String> {
        let files = named_files(&self.folder, "output")?;
        Ok(files.into_iter().map(|(port, file)| (if port == "output" { "out".into() } else { port }, file)).collect())
    }
}

/// `WORD.csv` and `WORD.NAME.csv` of a folder: the names, `WORD` for the one without.
fn named_files(folder: &Path, word: &str) -> Result<Vec<(String, PathBuf)>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut named: Vec<_> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            let (stem, _) = file.rsplit_once('.')?;
            let name = if stem == word { word } else { stem.strip_prefix(word)?.strip_prefix('.')? };
            Some((name.to_owned(), entry.path()))
        })
        .collect();
    named.sort();
    Ok(named)
}

fn read(tables: &dyn Tables, folder: &Path, file: &Path, setting: &Setting) -> Result<(SchemaRef, Vec<RecordBatch>), TableError> {
    let base = folder.canonicalize().map_err(|error| TableError::Unavailable(error.to_string()))?;
    let grants = Grants { read: vec![Place::Path(base.clone())], base, ..Grants::default() };
    let mut options = json!({ "batch_rows": setting.batch_rows.unwrap_or(DEFAULT_BATCH) });
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !setting.types.is_empty() && ["csv", "tsv", "jsonl", "ndjson"].contains(&ending) {
        options["schema"] = json!(setting.types);
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut reader = tables.reader(&grants, &name, &options.to_string())?;
    let schema = reader.schema();
    let mut batches = Vec::new();
    while let Some(batch) = reader.next()? {
        batches.push(batch);
    }
    Ok((schema, batches))
}
