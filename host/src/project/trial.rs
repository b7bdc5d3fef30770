//! One case tried: the component in the real host, what came beside what was expected.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use arrow::{csv::WriterBuilder, json::LineDelimitedWriter};

use super::{
    came::Came,
    case::Case,
    difference::{Difference, differences},
};
use crate::words::{
    batch::RecordBatch,
    call::{CallError, StageError},
    stage::{Component, Kind},
    tables::Tables,
    usage::Usage,
};

/// Whether what came is written down as what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// It is compared.
    No,
    /// It is written.
    Yes,
}

/// What came of a case.
pub struct Tried {
    /// The case's name.
    pub name: String,
    /// What does not agree.
    pub wrong: Vec<Wrong>,
    /// Ceilings that were broken.
    pub over: Vec<Ceiling>,
    /// Calls that were made.
    pub calls: usize,
    /// Units of fuel, all calls.
    pub fuel: u64,
    /// Bytes of linear memory at the end.
    pub memory: u64,
    /// Time of all calls.
    pub took: Duration,
    /// Files that were written, with `Update::Yes`.
    pub written: Vec<PathBuf>,
}

/// A file of a case that says what is expected, and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its name; it is not there where nothing is expected.
    pub file: String,
    /// Whether it is there.
    pub there: bool,
    /// Whether anything came of what it tells.
    pub came: bool,
    /// The lines that differ.
    pub lines: Vec<Difference>,
}

/// A ceiling of a case, and what went beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// `fuel` or `memory`.
    pub of: &'static str,
    /// The ceiling.
    pub allowed: u64,
    /// What was used.
    pub used: u64,
}

// === impl Tried ===

impl Tried {
    /// Whether the case is as expected.
    pub fn passed(&self) -> bool {
        self.wrong.is_empty() && self.over.is_empty()
    }
}

/// Tries a case.
pub fn attempt(case: &Case, component: &dyn Component, tables: &dyn Tables, update: Update) -> Result<Tried, String> {
    if case.inputs.is_empty() != (component.kind() == Kind::Extract) {
        let there = if case.inputs.is_empty() { "has no input.csv (.jsonl, .arrow, .parquet)" } else { "has an input" };
        return Err(format!("case `{}` {there}, and the component is of the kind `{}`", case.name, component.kind()));
    }
    let inputs = case.batches(tables)?;
    let mut came = Came::default();
    let error = came.run(case, component, &inputs).err();
    let mut texts = Texts { case, update, wrong: Vec::new(), written: Vec::new() };
    texts.told("error.txt", error.as_ref().map(told))?;
    if error.is_none() {
        texts.outputs(&came)?;
        let rejected = (!came.rejections.is_empty()).then(|| rejected(&came.rejections));
        texts.told("rejected.csv", rejected)?;
        let receipt = came.receipt.as_ref();
        texts.told("receipt.csv", receipt.map(|receipt| format!("rows,location\n{},{}\n", receipt.rows, quoted(&receipt.location))))?;
    }
    let (wrong, written) = (texts.wrong, texts.written);
    let memory = came.usage.iter().map(|usage| usage.memory).max().unwrap_or_default();
    let dearest = came.usage.iter().map(|usage| usage.fuel).max().unwrap_or_default();
    let over = |of, allowed: Option<u64>, used| allowed.filter(|allowed| used > *allowed).map(|allowed| Ceiling { of, allowed, used });
    Ok(Tried {
        name: case.name.clone(),
        wrong,
        over: [over("fuel", case.setting.fuel, dearest), over("memory", case.setting.memory, memory)].into_iter().flatten().collect(),
        calls: came.usage.len(),
        fuel: came.usage.iter().map(|usage| usage.fuel).sum(),
        memory,
        took: came.usage.iter().map(Usage::duration).sum(),
        written,
    })
}

/// The files of a case that say what is expected, held against what came.
struct Texts<'a> {
    case: &'a Case,
    update: Update,
    wrong: Vec<Wrong>,
    written: Vec<PathBuf>,
}

// === impl Texts ===

impl Texts<'_> {
    /// A file that is there when, and only when, there is something to tell.
    fn told(&mut self, name: &str, came: Option<String>) -> Result<(), String> {
        let file = self.case.folder.join(name);
        let expected = fs::read_to_string(&file).ok();
        if self.update == Update::Yes {
            match &came {
                Some(text) => self.write(file, text)?,
                None if expected.is_some() => fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?,
                None => {}
            }
            return Ok(());
        }
        self.compare(name, expected.as_deref(), came.as_deref());
        Ok(())
    }

    fn write(&mut self, file: PathBuf, text: &str) -> Result<(), String> {
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        self.written.push(file);
        Ok(())
    }

    fn compare(&mut self, name: &str, expected: Option<&str>, came: Option<&str>) {
        let lines = differences(expected.unwrap_or_default(), came.unwrap_or_default());
        if !lines.is_empty() {
            self.wrong.push(Wrong { file: name.to_owned(), there: expected.is_some(), came: came.is_some(), lines });
        }
    }

    fn outputs(&mut self, came: &Came) -> Result<(), String> {
        let files = self.case.outputs()?;
        for port in &came.ports {
            let Some(batch) = came.port(&port.name) else { continue };
            let file = files.iter().find(|(name, _)| *name == port.name).map(|(_, file)| file.clone());
            if file.is_none() && batch.num_rows() == 0 {
                continue;
            }
            let ours = if port.name == "out" { "output.csv".to_owned() } else { format!("output.{}.csv", port.name) };
            let file = file.unwrap_or_else(|| self.case.folder.join(ours));
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = as_text(&batch, &file).map_err(|error| format!("{name}: what came cannot be written so: {error}"))?;
            if self.update == Update::Yes {
                self.write(file, &text)?;
            } else {
                let expected = fs::read_to_string(&file).ok();
                self.compare(&name, expected.as_deref(), Some(&text));
            }
        }
        let unknown = files.iter().find(|(name, _)| !came.ports.iter().any(|port| port.name == *name));
        unknown.map_or(Ok(()), |(name, _)| Err(format!("case `{}` expects a port `{name}`, and the stage has none", self.case.name)))
    }
}

/// Rows in the form that the file's ending names: CSV, or lines of JSON, which tell null from an empty text.
fn as_text(batch: &RecordBatch, file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => WriterBuilder::new().build(&mut bytes).write(batch).map_err(|error| error.to_string())?,
        Some("jsonl") => {
            let mut writer = LineDelimitedWriter::new(&mut bytes);
            writer.write(batch).and_then(|()| writer.finish()).map_err(|error| error.to_string())?;
        }
        _ => return Err("expected outputs are .csv or .jsonl".into()),
    }
    if batch.num_rows() == 0 && file.extension().is_some_and(|ending| ending == "csv") {
        let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        bytes = (names.join(",") + "\n").into_bytes();
    }
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

fn rejected(rejections: &[(usize, String)]) -> String {
    rejections.iter().fold("row,reason\n".to_owned(), |text, (row, reason)| text + &format!("{row},{}\n", quoted(reason)))
}

/// An error as a case expects it: its kind, where it is, what it says.
fn told(error: &CallError) -> String {
    let place = match error {
        CallError::Stage(StageError::Config { pointer, .. }) => format!(" at {pointer:?}"),
        _ => String::new(),
    };
    let text = error.to_string();
    format!("{}{place}: {}\n", error.reason(), text.lines().next().unwrap_or_default())
}
