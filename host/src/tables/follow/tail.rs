//! A text file that may grow, be cut short or be replaced: how far it was read, and what came since.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    time::{Duration, Instant},
};

use super::{
    records::{self, Cut},
    text::{Records, Text},
};
use crate::{
    tables::{failure::io_error, held, lines::LINE_LIMIT, store::Address},
    words::{batch::RecordBatch, tables::TableError},
};

/// Large enough that system calls do not count.
const STEP: usize = 256 * 1024;
/// How long a writer may take to notice that its file was replaced.
const GRACE: Duration = Duration::from_secs(1);
/// A batch is closed early once it holds this much text.
const BATCH_BYTES: usize = 64 * 1024 * 1024;
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Where reading a file stands.
#[derive(Debug, Default)]
pub struct Tail {
    /// Which file it is, by the number that the file system gave it; 0 before it was ever seen.
    pub inode: u64,
    /// Bytes read, whole records all.
    pub offset: u64,
    /// The records that these were.
    pub records: u64,
    /// Up to here nothing whole was found.
    seen: u64,
    is_gone: bool,
    open: Option<Open>,
}

/// The file, held so that what is left of it can be read when another has taken its name.
#[derive(Debug)]
struct Open {
    file: File,
    /// Bytes from `Tail::offset` on, of which the first `used` belong to records that were taken.
    buffer: Vec<u8>,
    used: usize,
    /// The turn's end: as large as the file was when it began.
    until: u64,
    /// Since when nothing came, with its name at another file.
    lost_name: Option<Instant>,
    /// Whether nothing will follow.
    is_last: bool,
}

/// What looking at a file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    New,
    Nothing,
    Gone,
}

impl Tail {
    pub fn new(inode: u64, offset: u64, records: u64) -> Self {
        Tail { inode, offset, records, ..Tail::default() }
    }

    /// Whether there is something new; if so, it is what [`Tail::next`] reads.
    pub fn look(&mut self, address: &Address) -> Result<Look, TableError> {
        let now = match fs::metadata(address.path()) {
            Ok(now) => Some(now),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io_error(&address.name, "looking at", &error)),
        };
        if now.as_ref().is_none_or(|now| self.is_other(now)) {
            match self.look_behind(now.is_some()) {
                Look::Gone => {}
                found => return Ok(found),
            }
        }
        let Some(now) = now else {
            if !std::mem::replace(&mut self.is_gone, true) {
                tracing::warn!(file = %address.name, "{:?} is gone: it is read again should there be another", address.name);
            }
            return Ok(Look::Gone);
        };
        self.is_gone = false;
        if self.is_other(&now) || now.len() < self.offset {
            let what = if self.is_other(&now) { "replaced" } else { "cut short" };
            tracing::warn!(file = %address.name, "{:?} was {what}: it is read from its beginning again", address.name);
            *self = Tail::default();
        }
        self.inode = now.ino();
        if now.len() == self.offset || now.len() == self.seen {
            return Ok(Look::Nothing);
        }
        self.begin(address, now.len())
    }

    fn is_other(&self, now: &Metadata) -> bool {
        self.inode != 0 && self.inode != now.ino()
    }

    /// What is new in the file that lost its name; gone once it is done with. Whoever writes it may go on for a moment, so the
    /// one that took the name waits for that long, and only then the last line counts as it is.
    fn look_behind(&mut self, has_successor: bool) -> Look {
        let Some(open) = &mut self.open else { return Look::Gone };
        let size = open.file.metadata().map_or(0, |meta| meta.len());
        open.until = size;
        if size > self.offset && size != self.seen {
            open.lost_name = None;
            return Look::New;
        }
        if !has_successor {
            return Look::Gone;
        }
        if open.lost_name.get_or_insert_with(Instant::now).elapsed() < GRACE {
            return Look::Nothing;
        }
        open.is_last = true;
        if size > self.offset { Look::New } else { Look::Gone }
    }

    fn begin(&mut self, address: &Address, until: u64) -> Result<Look, TableError> {
        if let Some(open) = &mut self.open {
            open.until = until;
            return Ok(Look::New);
        }
        let file = match held::read(&address.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Look::Gone),
            Err(error) => return Err(io_error(&address.name, "opening", &error)),
        };
        // Another file may have taken the name in between; the next look will tell.
        let until = match file.metadata() {
            Ok(meta) if meta.ino() == self.inode => until.min(meta.len()),
            _ => return Ok(Look::Nothing),
        };
        self.open = Some(Open { file, buffer: Vec::new(), used: 0, until, lost_name: None, is_last: false });
        Ok(Look::New)
    }

    /// The next rows of what is new. Nothing at its end.
    pub fn next(&mut self, address: &Address, text: &Text) -> Result<Option<RecordBatch>, TableError> {
        let file = address.name.as_str();
        loop {
            let Some(open) = &mut self.open else { return Ok(None) };
            let is_header = self.offset == 0 && text.has_header();
            let most = if is_header { 1 } else { text.batch_rows() };
            let Some(cut) = open.cut(file, text, self.offset, most)? else {
                self.seen = open.until;
                open.rest();
                return Ok(None);
            };
            let mark = open.mark(self.offset);
            let bytes = &open.buffer[open.used + mark..open.used + mark + cut.bytes];
            if self.offset == 0 {
                text.check(file, bytes)?;
            }
            let records = Records { file, bytes, count: cut.records, before: self.records };
            let batch = match text.decode(&records) {
                _ if is_header => None,
                Err(error) if open.is_last && cut.records == 1 && !bytes.ends_with(b"\n") => {
                    tracing::warn!(file, "the last line of {file:?} was never finished and is left out: {error}");
                    None
                }
                decoded => decoded?,
            };
            open.used += mark + cut.bytes;
            self.offset += (mark + cut.bytes) as u64;
            self.records += cut.records as u64;
            if batch.is_some() {
                return Ok(batch);
            }
        }
    }

    /// Whole records at the beginning of the file, to tell its columns from.
    pub fn sample(address: &Address, shape: records::Shape, most: usize) -> Result<Vec<u8>, TableError> {
        let mut tail = Tail::default();
        if tail.look(address)? != Look::New {
            return Ok(Vec::new());
        }
        let Some(open) = &mut tail.open else { return Ok(Vec::new()) };
        let cut = open.cut_shaped(&address.name, shape, 0, most)?.unwrap_or_default();
        let mark = open.mark(0);
        Ok(open.buffer[mark..mark + cut.bytes].to_vec())
    }

    /// Lets go of the file: another may then be removed for good, and nothing is left to be read of a replaced one.
    pub fn close(&mut self) {
        self.open = None;
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the file was read to its end as last seen, or it was said that there is none.
    pub fn is_over(&self) -> bool {
        self.is_gone || self.open.as_ref().is_none_or(|open| open.until == self.offset) && self.seen <= self.offset
    }
}

// === impl Open ===

impl Open {
    fn cut(&mut self, file: &str, text: &Text, offset: u64, most: usize) -> Result<Option<Cut>, TableError> {
        self.cut_shaped(file, text.shape(file), offset, most)
    }

    /// The next whole records, after the byte order mark if there is one; read as far as they need it.
    fn cut_shaped(&mut self, file: &str, shape: records::Shape, offset: u64, most: usize) -> Result<Option<Cut>, TableError> {
        loop {
            let mark = self.mark(offset);
            let bytes = &self.buffer[self.used + mark..];
            let cut = records::cut(bytes, shape, most, BATCH_BYTES);
            let left = self.until.saturating_sub(offset + (mark + bytes.len()) as u64);
            if cut.records >= most || cut.bytes >= BATCH_BYTES {
                return Ok(Some(cut));
            }
            if left == 0 {
                let last = Cut { bytes: bytes.len(), records: 1 };
                return Ok(match cut.records {
                    0 if self.is_last && !bytes.is_empty() => Some(last),
                    0 => None,
                    _ => Some(cut),
                });
            }
            if cut.records == 0 && bytes.len() > LINE_LIMIT {
                return Err(TableError::Format(format!(
                    "reading {file:?}: the record at byte {offset} is longer than {LINE_LIMIT} bytes; is this a text file, are quotes closed?"
                )));
            }
            self.fill(file, offset, left)?;
        }
    }

    fn mark(&self, offset: u64) -> usize {
        let is_marked = offset == 0 && self.buffer[self.used..].starts_with(&BYTE_ORDER_MARK);
        if is_marked { BYTE_ORDER_MARK.len() } else { 0 }
    }

    /// Reads on, more each time, so that a long record is looked through a few times only.
    fn fill(&mut self, file: &str, offset: u64, left: u64) -> Result<(), TableError> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let held = self.buffer.len();
        let step = (STEP.max(held) as u64).min(left) as usize;
        self.buffer.resize(held + step, 0);
        let read = self.file.read_at(&mut self.buffer[held..], offset + held as u64);
        let read = read.map_err(|error| io_error(file, "reading", &error))?;
        self.buffer.truncate(held + read);
        if read == 0 {
            // It was cut short meanwhile.
            self.until = offset + held as u64;
        }
        if offset == 0 && self.buffer.starts_with(&GZIP_MAGIC) {
            return Err(TableError::Options(format!("{file:?} is compressed; \"follow\" reads what grows, and that is plain text")));
        }
        Ok(())
    }

    /// Holds nothing while others have their turns.
    fn rest(&mut self) {
        self.buffer = Vec::new();
        self.used = 0;
    }
}
