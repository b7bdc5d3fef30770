//! An object as a stream: windows of it in memory, decompressed where it is compressed, without a byte order mark.

use std::{
    io::{self, BufRead, BufReader, Read},
    sync::Arc,
};

use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;

use super::{
    failure::io_error,
    store::{Address, Object},
};
use crate::words::tables::TableError;

/// Large enough that system calls do not count.
const LOCAL_WINDOW: u64 = 256 * 1024;
/// Large enough that round trips do not count.
const REMOTE_WINDOW: u64 = 8 * 1024 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// What text formats are decoded from.
pub type Text = Box<dyn BufRead + Send>;

/// Reads an object from front to back.
pub struct Stream {
    object: Arc<Object>,
    /// Where the window after the current one begins.
    at: u64,
    window: Bytes,
}

impl Stream {
    pub fn new(object: Arc<Object>) -> Self {
        Stream { object, at: 0, window: Bytes::new() }
    }
}

// === impl Stream ===

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.window.is_empty() {
            let step = if self.object.address.is_local { LOCAL_WINDOW } else { REMOTE_WINDOW };
            let end = (self.at + step).min(self.object.size);
            self.window = self.object.read(self.at..end).map_err(io::Error::other)?;
            self.at = end;
        }
        Ok(&self.window)
    }

    fn consume(&mut self, count: usize) {
        self.window.advance(count);
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.len().min(out.len());
        self.window.copy_to_slice(&mut out[..count]);
        Ok(count)
    }
}

/// Opens a text file from its beginning. Whether it is compressed is told by its first bytes, not by its name.
pub fn text(address: &Address) -> Result<Text, TableError> {
    let failed = |error: io::Error| io_error(&address.name, "reading", &error);
    let mut stream = Stream::new(Arc::new(Object::open(address)?));
    let compressed = stream.fill_buf().map_err(failed)?.starts_with(&GZIP_MAGIC);
    let mut text: Text =
        if compressed { Box::new(BufReader::with_capacity(LOCAL_WINDOW as usize, MultiGzDecoder::new(stream))) } else { Box::new(stream) };
    // Spreadsheets write one; left in place it would become part of the first column's name.
    if text.fill_buf().map_err(failed)?.starts_with(&BYTE_ORDER_MARK) {
        text.consume(BYTE_ORDER_MARK.len());
    }
    Ok(text)
}
