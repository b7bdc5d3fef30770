//! Tables that do not end: files that grow and files that join, each row read once.
//!
//! Files take turns in the order of their names. A turn ends where its file ended when it began; after the last one the
//! folders are looked at again. A whole round that finds nothing is answered by a batch of no rows, at the cost of asking
//! the system for the times and sizes of folders and files.

mod records;
mod standing;
mod tail;
mod text;
mod watch;
mod whole;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use arrow::datatypes::{Field, Schema, SchemaRef};

use self::{
    standing::{FileStanding, Standing},
    tail::Tail,
    text::Text,
    watch::Watch,
    whole::Whole,
};
use super::{
    format::{Format, Named, unknown},
    location::Location,
    options::ReadOptions,
    projection::{Projection, conform, same_columns},
    reader::FileReader,
    store::Address,
};
use crate::words::{
    batch::RecordBatch,
    grants::Grants,
    tables::{TableError, TableReader},
    trace::SpanContext,
};

/// Files whose standing is known; the position has some 20 bytes for each.
const FILE_LIMIT: usize = 4096;
/// Files held open between their turns, so that what is left of a replaced one can be read.
const OPEN_LIMIT: usize = 64;

/// Opens a table that does not end.
pub fn open(grants: &Grants, location: &Location, options: ReadOptions) -> Result<Box<dyn TableReader>, TableError> {
    let path = match location {
        Location::Path(path) => path.clone(),
        Location::Sqlite(_) => return Err(refused("an SQLite database")),
        Location::Url(url) => return Err(refused(&format!("\"{url}\""))),
        Location::Generator => return Err(refused("a generator")),
    };
    let named = || Named::of(&path.to_string_lossy()).map(|named| named.format);
    let format = options.format.or_else(named).ok_or_else(|| unknown(&path.to_string_lossy()))?;
    if format == Format::Sqlite {
        return Err(refused("an SQLite database"));
    }
    options.check(format)?;
    Ok(Box::new(Follow::open(grants, path, format, options)?))
}

fn refused(what: &str) -> TableError {
    TableError::Options(format!("option \"follow\": {what} is not followed, only local files are; remove the option to read what is there"))
}

/// The columns as the option `schema` states them, all of them.
fn stated(options: &ReadOptions) -> Result<SchemaRef, TableError> {
    if options.schema.is_empty() {
        return Err(TableError::Options(
            "there is nothing yet to tell the columns from (of a text, a finished row; a header has no types): \
             state them all, in order, with the option \"schema\", or begin when something is there"
                .into(),
        ));
    }
    let field = |(name, data_type): &(String, _)| Field::new(name, arrow::datatypes::DataType::clone(data_type), true);
    Ok(Arc::new(Schema::new(options.schema.iter().map(field).collect::<Vec<_>>())))
}

/// How rows come out of a file.
enum Decoding {
    Text(Text),
    Whole(Columns),
}

/// The columns of Parquet and Arrow IPC files.
struct Columns {
    options: ReadOptions,
    /// Where they were told from.
    first: String,
    /// All of them, and those that are answered.
    file: SchemaRef,
    schema: SchemaRef,
}

/// Where reading one file stands.
enum Mark {
    Text(Tail),
    Whole(Whole),
}

/// Reads a table that does not end.
struct Follow {
    watch: Watch,
    format: Format,
    decoding: Decoding,
    /// Those there are, by their names.
    files: Vec<Address>,
    /// The first that has not had its turn in this round.
    at: usize,
    /// Whose turn it is, and the open file of those that are read as a whole.
    turn: Option<(usize, Option<Box<dyn FileReader>>)>,
    /// Of the files that had a turn, by name.
    marks: BTreeMap<String, Mark>,
    floor: String,
    last: String,
}

impl Follow {
    fn open(grants: &Grants, path: PathBuf, format: Format, options: ReadOptions) -> Result<Self, TableError> {
        let is_one = !path.to_string_lossy().contains(['*', '?']);
        let mut watch = Watch::new(grants, path, format);
        let files = watch.look()?.unwrap_or_default();
        if let ([file], true) = (files.as_slice(), is_one)
            && !file.path().exists()
        {
            return Err(TableError::NotFound(format!("{:?}: there is nothing there; what is to be followed must exist", file.name)));
        }
        let decoding = match format {
            Format::Parquet | Format::ArrowIpc => Decoding::Whole(Columns::tell(&files, format, options)?),
            _ => Decoding::Text(tell(&files, format, options)?),
        };
        let (marks, floor, last) = Default::default();
        Ok(Follow { watch, format, decoding, files, at: 0, turn: None, marks, floor, last })
    }

    /// As [`Follow::take`]; a turn that failed begins anew with the next call.
    fn take_or_begin_anew(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let taken = self.take();
        if let (Err(_), Some((index, _))) = (&taken, &self.turn) {
            self.at = *index;
            self.turn = None;
        }
        taken
    }

    /// The next rows of the turn; nothing at its end.
    fn take(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let Some((index, reader)) = &mut self.turn else { return Ok(None) };
        let file = &self.files[*index];
        let batch = match (&self.decoding, self.marks.get_mut(&file.name), reader) {
            (Decoding::Text(text), Some(Mark::Text(tail)), _) => tail.next(file, text)?,
            (Decoding::Whole(columns), Some(Mark::Whole(whole)), Some(reader)) => match file.fault.instead(reader.next())? {
                Some(batch) => {
                    whole.rows += batch.num_rows() as u64;
                    Some(conform(batch, &columns.schema, &columns.first, &file.name)?)
                }
                None => {
                    whole.is_done = true;
                    None
                }
            },
            _ => None,
        };
        if batch.is_some() && self.last != file.name {
            self.last.clone_from(&file.name);
        }
        Ok(batch)
    }

    /// Begins the turn of the next file that has something new; false after a round without one.
    fn advance(&mut self) -> Result<bool, TableError> {
        self.turn = None;
        if self.advance_to_end()? {
            return Ok(true);
        }
        if let Some(files) = self.watch.look()? {
            self.arrange(files);
        }
        self.at = 0;
        self.advance_to_end()
    }

    fn advance_to_end(&mut self) -> Result<bool, TableError> {
        while self.at < self.files.len() {
            self.at += 1;
            if self.begin(self.at - 1)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Begins a file's turn, if it has something new.
    fn begin(&mut self, index: usize) -> Result<bool, TableError> {
        let file = &self.files[index];
        if !self.marks.contains_key(&file.name) {
            if file.name <= self.floor {
                return Ok(false);
            }
            let mark = if self.is_text() { Mark::Text(Tail::default()) } else { Mark::Whole(Whole::default()) };
            self.marks.insert(file.name.clone(), mark);
            self.bound(index);
        }
        let file = &self.files[index];
        let reader = match (self.marks.get_mut(&file.name), &self.decoding) {
            (Some(Mark::Text(tail)), _) => match tail.look(file)? {
                tail::Look::New => None,
                tail::Look::Nothing | tail::Look::Gone => return Ok(false),
            },
            (Some(Mark::Whole(whole)), Decoding::Whole(columns)) => match whole.look(file, self.format, &columns.options)? {
                whole::Look::Whole(reader) => {
                    same_columns((&columns.first, &columns.file), (&file.name, &reader.file_schema()))?;
                    Some(reader)
                }
                whole::Look::Nothing => return Ok(false),
            },
            _ => return Ok(false),
        };
        self.turn = Some((index, reader));
        Ok(true)
    }

    fn is_text(&self) -> bool {
        matches!(self.decoding, Decoding::Text(_))
    }

    /// Forgets the first files by name when there are too many, and lets go of open ones.
    fn bound(&mut self, index: usize) {
        while self.marks.len() > FILE_LIMIT {
            let Some((name, _)) = self.marks.pop_first() else { break };
            if self.floor.is_empty() {
                tracing::warn!("more than {FILE_LIMIT} files are followed: the first by name, from {name:?} on, count as read for good");
            }
            self.floor = std::mem::take(&mut self.floor).max(name);
        }
        let is_open = |mark: &&mut Mark| matches!(mark, Mark::Text(tail) if tail.is_open());
        let name = &self.files[index].name;
        let others = self.marks.iter_mut().filter(|mark| mark.0 != name).map(|mark| mark.1);
        let excess = others.filter(is_open).skip(OPEN_LIMIT - 1);
        excess.for_each(|mark| {
            if let Mark::Text(tail) = mark {
                tail.close();
            }
        });
    }

    /// Takes over the files that there are now; of those that have gone, nothing is kept.
    fn arrange(&mut self, files: Vec<Address>) {
        let is_there = |name: &String| files.binary_search_by(|file| file.name.cmp(name)).is_ok();
        self.marks.retain(|name, mark| {
            let (is_there, is_read) = (is_there(name), mark.is_read());
            if !is_there && !is_read {
                tracing::warn!(file = %name, "{name:?} vanished before all of it was read");
            }
            is_there
        });
        self.files = files;
    }
}

impl Mark {
    /// Whether all that was seen of the file was read, as far as anybody is to hear of it.
    fn is_read(&self) -> bool {
        match self {
            Mark::Text(tail) => tail.is_over(),
            Mark::Whole(whole) => whole.is_done,
        }
    }

    fn standing(&self, name: &str) -> FileStanding {
        let name = standing::hash(name);
        match self {
            Mark::Text(tail) => FileStanding { name, inode: tail.inode, mark: tail.offset, count: tail.records },
            Mark::Whole(whole) => FileStanding { name, inode: 0, mark: whole.rows, count: whole.is_done.into() },
        }
    }
}

impl Columns {
    fn tell(files: &[Address], format: Format, options: ReadOptions) -> Result<Self, TableError> {
        let whole =
            || files.iter().find_map(|file| whole::open(file, format, &options).ok().map(|open| (file.name.clone(), open.file_schema())));
        let (first, file) = match options.schema.is_empty() {
            false => ("option \"schema\"".to_owned(), stated(&options)?),
            true => whole().map_or_else(|| stated(&options).map(|schema| (String::new(), schema)), Ok)?,
        };
        let schema = Projection::new(&first, &file, options.columns.as_deref())?.schema;
        Ok(Columns { options, first, file, schema })
    }
}

/// The columns of text files, from the first that has a row.
fn tell(files: &[Address], format: Format, options: ReadOptions) -> Result<Text, TableError> {
    let header = usize::from(format == Format::Csv && options.csv.header);
    for file in files.iter().filter(|_| format != Format::Lines) {
        let shape = text::shape(format, &options, &file.name);
        let sample = Tail::sample(file, shape, options.infer_rows + header)?;
        let rows = records::cut(&sample, shape, header + 1, usize::MAX).records;
        if rows > header {
            return Text::new(format, options, Some((&file.name, &sample)));
        }
    }
    Text::new(format, options, None)
}

// === impl TableReader for Follow ===

impl TableReader for Follow {
    fn format(&self) -> &'static str {
        self.format.name()
    }

    fn schema(&self) -> SchemaRef {
        match &self.decoding {
            Decoding::Text(text) => text.schema().clone(),
            Decoding::Whole(columns) => columns.schema.clone(),
        }
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        loop {
            if let Some(batch) = self.take_or_begin_anew()? {
                return Ok(Some(batch));
            }
            if !self.advance()? {
                return Ok(Some(RecordBatch::new_empty(self.schema())));
            }
        }
    }

    fn origin(&self) -> Option<SpanContext> {
        self.turn.as_ref().and_then(|turn| turn.1.as_ref()).and_then(|reader| reader.origin())
    }

    fn position(&self) -> Vec<u8> {
        let files = self.marks.iter().map(|(name, mark)| mark.standing(name)).collect();
        Standing { floor: self.floor.clone(), last: self.last.clone(), files }.encode()
    }

    fn seek(&mut self, position: &[u8]) -> Result<(), TableError> {
        let standing = Standing::decode(position)?;
        let known: BTreeMap<u64, FileStanding> = standing.files.iter().map(|file| (file.name, *file)).collect();
        let is_text = self.is_text();
        let mark = |file: &FileStanding| match is_text {
            true => Mark::Text(Tail::new(file.inode, file.mark, file.count)),
            false => Mark::Whole(Whole::new(file.mark, file.count == 1)),
        };
        let found =
            self.files.iter().filter_map(|file| known.get(&standing::hash(&file.name)).map(|known| (file.name.clone(), mark(known))));
        self.marks = found.collect();
        self.at = self.files.partition_point(|file| file.name < standing.last);
        (self.turn, self.floor, self.last) = (None, standing.floor, standing.last);
        Ok(())
    }
}
