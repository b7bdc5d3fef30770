//! A table written as a folder of files: one part a checkpoint, prepared aside and put in place when the checkpoint is settled.
//!
//! `part-LINEAGE-NUMBER.EXT`, where the number is that of the checkpoint: done again after a crash, the same rows have the same name.
//! Aside, a part is `.part-….aside`; what a process that was killed was writing is `..part-….tmp`.

use std::{io, path::PathBuf, sync::Arc};

use arrow::datatypes::SchemaRef;

use super::{
    encoder::{self, Encoder},
    failure::{contained, io_error},
    fits,
    format::Format,
    held::{self, Held},
    options::{Mode, WriteOptions},
    output::{Output, Packed, Target as Place},
    writer::check_batch,
};
use crate::words::{
    batch::RecordBatch,
    delivery::{Delivery, Target},
    tables::{TableError, TableWriter},
};

const ASIDE: &str = ".aside";

/// The folder, and what is done to it as a whole.
struct Folder {
    path: PathBuf,
    name: String,
    extension: &'static str,
    replace: bool,
    lineage: String,
    former: Option<String>,
}

/// Writes parts.
pub struct Writer {
    folder: Arc<Folder>,
    schema: SchemaRef,
    format: Format,
    options: WriteOptions,
    /// None: there are no checkpoints, and the last commit puts everything in place.
    delivery: Option<Arc<Delivery>>,
    part: Option<Box<dyn Encoder>>,
    /// Since the last commit.
    rows: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Failed,
    Done,
}

/// The name of a part, taken apart.
struct Part<'a> {
    lineage: &'a str,
    number: u64,
}

// === impl Part ===

impl<'a> Part<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let (stem, _) = name.strip_prefix("part-")?.split_once('.')?;
        let mut words = stem.split('-');
        let (lineage, number) = (words.next()?, words.next()?);
        let digits = |word: &str, least| word.len() >= least && word.bytes().all(|byte| byte.is_ascii_digit());
        let hexadecimal = lineage.len() == 8 && lineage.bytes().all(|byte| byte.is_ascii_hexdigit());
        let ended = words.next().is_none_or(|again| digits(again, 1)) && words.next().is_none();
        (hexadecimal && digits(number, 6) && ended).then(|| number.parse().ok()).flatten().map(|number| Part { lineage, number })
    }
}

// === impl Folder ===

impl Folder {
    /// None where it is not there yet.
    fn held(&self) -> Result<Option<Held>, TableError> {
        match Held::open(&self.path) {
            Ok(held) => Ok(Some(held)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("listing", &error)),
        }
    }

    /// The names in it, sorted.
    fn names(&self) -> Result<Vec<String>, TableError> {
        self.held()?.map_or(Ok(Vec::new()), |held| self.names_in(&held))
    }

    fn names_in(&self, held: &Held) -> Result<Vec<String>, TableError> {
        let mut names = held.names().map_err(|error| self.failed("listing", &error))?;
        names.sort_unstable();
        Ok(names)
    }

    fn failed(&self, doing: &str, error: &io::Error) -> TableError {
        io_error(&self.name, doing, error)
    }

    /// Where the next part of a checkpoint is prepared. A load that is opened anew between two checkpoints begins another part.
    fn aside(&self, number: u64) -> Result<PathBuf, TableError> {
        let again = |times: u32| if times == 0 { String::new() } else { format!("-{times}") };
        let name = |times| format!(".part-{}-{number:06}{}.{}{ASIDE}", self.lineage, again(times), self.extension);
        let taken = self.names()?;
        Ok(self.path.join((0..).map(name).find(|name| !taken.contains(name)).unwrap_or_default()))
    }

    fn remove(&self, held: &Held, name: &str) -> Result<(), TableError> {
        match held.remove(name.as_ref()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("removing parts in", &error)),
            _ => Ok(()),
        }
    }
}

impl Target for Folder {
    fn settle(&self, checkpoint: u64) -> Result<(), TableError> {
        let Some(held) = self.held()? else { return Ok(()) };
        let names = self.names_in(&held)?;
        let ours = |lineage: &str| lineage == self.lineage || self.former.as_deref() == Some(lineage);
        let mut prepared = Vec::new();
        let mut changed = false;
        for name in &names {
            let hidden = name.strip_prefix('.');
            if let Some(part) = hidden.and_then(|name| name.strip_suffix(ASIDE)) {
                match Part::parse(part) {
                    Some(found) if found.lineage == self.lineage && found.number == checkpoint => prepared.push((name, part)),
                    Some(found) if ours(found.lineage) => self.remove(&held, name)?,
                    _ => {}
                }
            } else if let Some(begun) = hidden.and_then(|name| name.strip_prefix(".part-")).filter(|name| name.ends_with(".tmp"))
                && begun.get(..8).is_some_and(ours)
            {
                self.remove(&held, name)?;
            }
        }
        if self.replace && !prepared.is_empty() {
            for old in names.iter().filter(|name| Part::parse(name).is_some_and(|part| part.lineage != self.lineage)) {
                self.remove(&held, old)?;
                changed = true;
            }
        }
        for (aside, part) in prepared {
            let renamed = held.rename(aside.as_ref(), part.as_ref());
            renamed.map_err(|error| self.failed("putting a part in place in", &error))?;
            changed = true;
        }
        match changed {
            true => held.sync().map_err(|error| self.failed("committing", &error)),
            false => Ok(()),
        }
    }
}

// === impl Writer ===

impl Writer {
    /// Checks everything that can be checked without touching the storage.
    pub fn open(
        path: PathBuf,
        name: String,
        schema: SchemaRef,
        options: WriteOptions,
        delivery: Option<Arc<Delivery>>,
    ) -> Result<Self, TableError> {
        let name = format!("{name}/");
        let format = options.format.ok_or_else(|| {
            let formats = "parquet, csv, json_lines, arrow_ipc";
            TableError::Options(format!("the format of the parts in {name:?} is not said; set \"format\" to one of {formats}"))
        })?;
        options.check(format)?;
        let Some(extension) = extension(format) else {
            return Err(TableError::Options(format!("writing {name:?}: {} is not written in parts", format.name())));
        };
        fits::check(format, &name, &schema, &options)?;
        let found = held::look(&path).map_err(|error| io_error(&name, "looking at", &error))?;
        if found.is_some_and(|found| !found.is_folder) {
            return Err(TableError::Options(format!("{name:?} is no folder; remove the \"/\" to write one file")));
        }
        let (lineage, former) = match &delivery {
            Some(delivery) => (delivery.lineage.clone(), delivery.former.clone()),
            None => (Delivery::name(), None),
        };
        let folder = Folder { path, name, extension, replace: options.mode == Mode::Replace, lineage, former };
        let others = |name: &String| Part::parse(name).is_some_and(|part| part.lineage != folder.lineage);
        if options.mode == Mode::Fail && folder.names()?.iter().any(others) {
            return Err(TableError::Options(format!(
                "{:?} holds parts already, and \"mode\" is \"fail\"; remove them, or choose \"replace\" or \"append\"",
                folder.name
            )));
        }
        let folder = Arc::new(folder);
        if let Some(delivery) = &delivery {
            delivery.join(folder.path.display().to_string(), Arc::clone(&folder) as Arc<dyn Target>);
        }
        Ok(Writer { folder, schema, format, options, delivery, part: None, rows: 0, state: State::Open })
    }

    fn begin(&self) -> Result<Box<dyn Encoder>, TableError> {
        let number = self.delivery.as_ref().map_or(1, |delivery| delivery.under_way());
        let place = Place::Local { path: self.folder.aside(number)?, name: self.folder.name.clone() };
        let output = Packed::new(Output::begin(&place, true)?, false);
        encoder::begin(self.format, &self.folder.name, &self.schema, &self.options, output, false)
    }

    /// Whether a part of this lineage has been written.
    fn has_parts(&self) -> Result<bool, TableError> {
        let ours = |name: &String| Part::parse(name.trim_start_matches('.')).is_some_and(|part| part.lineage == self.folder.lineage);
        Ok(self.folder.names()?.iter().any(ours))
    }

    fn check_state(&self) -> Result<(), TableError> {
        let why = match self.state {
            State::Open => return Ok(()),
            State::Failed => "an earlier write failed, and what was written since the last commit is gone",
            State::Done => "the last commit has been made",
        };
        Err(TableError::Options(format!("writing {:?}: {why}; open it anew", self.folder.name)))
    }

    fn prepare(&mut self, last: bool) -> Result<u64, TableError> {
        // A table without rows still has columns, which its one part tells.
        if self.part.is_none() && last && !self.has_parts()? {
            self.part = Some(self.begin()?);
        }
        if let Some(part) = self.part.take() {
            contained(&self.folder.name, "finishing", || part.finish())?.publish()?;
        }
        if self.delivery.is_none() {
            self.folder.settle(1)?;
        }
        Ok(std::mem::take(&mut self.rows))
    }
}

fn extension(format: Format) -> Option<&'static str> {
    match format {
        Format::Parquet => Some("parquet"),
        Format::Csv => Some("csv"),
        Format::JsonLines => Some("jsonl"),
        Format::ArrowIpc => Some("arrow"),
        Format::Lines | Format::Sqlite => None,
    }
}

// === impl TableWriter for Writer ===

impl TableWriter for Writer {
    fn format(&self) -> &'static str {
        self.format.name()
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.check_state()?;
        check_batch(&self.folder.name, &self.schema, batch)?;
        self.state = State::Failed;
        let mut part = match self.part.take() {
            Some(part) => part,
            None => self.begin()?,
        };
        contained(&self.folder.name, "writing", || part.write(batch))?;
        self.part = Some(part);
        self.rows += batch.num_rows() as u64;
        self.state = State::Open;
        Ok(())
    }

    fn commit(&mut self, last: bool) -> Result<u64, TableError> {
        self.check_state()?;
        if !last && self.delivery.is_none() {
            return Ok(0);
        }
        self.state = State::Failed;
        let rows = self.prepare(last)?;
        self.state = if last { State::Done } else { State::Open };
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects files that are none of ours against being removed, renamed, or taken for a part.
    #[test]
    fn a_part_is_known_by_its_name() {
        let read = |name| Part::parse(name).map(|part| (part.lineage.to_owned(), part.number));
        assert_eq!(read("part-0a1b2c3d-000007.parquet"), Some(("0a1b2c3d".into(), 7)));
        assert_eq!(read("part-0a1b2c3d-1000000-2.csv"), Some(("0a1b2c3d".into(), 1_000_000)));
        for other in
            ["part-000001.parquet", "part-0a1b2c3d-7.csv", "part-0a1b2c3d-000007", "part-0a1b2c3d-000007-x.csv", "0a1b2c3d-000007.csv"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
