//! The bytes that say where a reader stands: version, file, and a mark within the file.

use crate::words::tables::TableError;

const VERSION: u8 = 1;
/// Paths are shorter than this everywhere that this program runs.
const NAME_LIMIT: usize = 64 * 1024;

/// Where the next batch begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which file, counted from 0 in sorted order. A hint: files may have joined since.
    pub file: u64,
    /// The file's name; decides.
    pub name: String,
    /// Rows already read; for SQLite tables with row ids, the last id read (see `sqlite_read`).
    pub mark: u64,
}

impl Position {
    /// One byte of version, then file and mark as LEB128, then the name.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        push_leb128(&mut bytes, self.file);
        push_leb128(&mut bytes, self.mark);
        bytes.extend_from_slice(self.name.as_bytes());
        bytes
    }

    /// Reads what [`Position::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, TableError> {
        let broken = |what: &str| TableError::Options(format!("the position to go on from is unusable: {what}"));
        match bytes.first() {
            Some(&VERSION) => {}
            Some(other) => return Err(broken(&format!("it is of version {other}, this program writes {VERSION}"))),
            None => return Err(broken("it is empty")),
        }
        let mut rest = &bytes[1..];
        let file = take_leb128(&mut rest).ok_or_else(|| broken("it is cut short"))?;
        let mark = take_leb128(&mut rest).ok_or_else(|| broken("it is cut short"))?;
        if rest.len() > NAME_LIMIT {
            return Err(broken("its file name is too long"));
        }
        let name = std::str::from_utf8(rest).map_err(|_| broken("its file name is not UTF-8"))?;
        Ok(Position { file, name: name.into(), mark })
    }
}

pub fn push_leb128(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

pub fn take_leb128(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            return None;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
