//! The bytes that say how far each of many files was read.

use crate::{
    tables::position::{push_leb128, take_leb128},
    words::{digest::Digest, tables::TableError},
};

/// Another than that of tables that end.
const VERSION: u8 = 2;

/// How far a table that does not end was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Files up to this name, if not among `files`, are read for good.
    pub floor: String,
    /// The file that the last rows came from.
    pub last: String,
    pub files: Vec<FileStanding>,
}

/// How far one file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStanding {
    /// Stands for its name.
    pub name: u64,
    /// Which file of that name; 0 for formats that are read once.
    pub inode: u64,
    /// Text: bytes. Otherwise: rows.
    pub mark: u64,
    /// Text: records. Otherwise: 1 when it is done.
    pub count: u64,
}

/// What stands for a file's name: names may be long, and a position goes into every checkpoint.
pub fn hash(name: &str) -> u64 {
    Digest::of(name.as_bytes()).first()
}

impl Standing {
    /// One byte of version, the two names with their lengths, the files; numbers as LEB128, hashes as eight bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + self.files.len() * 20);
        bytes.push(VERSION);
        for name in [&self.floor, &self.last] {
            push_leb128(&mut bytes, name.len() as u64);
            bytes.extend_from_slice(name.as_bytes());
        }
        for file in &self.files {
            bytes.extend_from_slice(&file.name.to_le_bytes());
            [file.inode, file.mark, file.count].into_iter().for_each(|number| push_leb128(&mut bytes, number));
        }
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, TableError> {
        let broken = |what: &str| TableError::Options(format!("the position to go on from is unusable: {what}"));
        let Some((&VERSION, mut rest)) = bytes.split_first() else {
            return Err(broken("a reader that does not follow wrote it, or none"));
        };
        let cut = || broken("it is cut short");
        let mut name = || -> Option<String> {
            let length = usize::try_from(take_leb128(&mut rest)?).ok()?;
            let (name, after) = rest.split_at_checked(length)?;
            rest = after;
            String::from_utf8(name.to_vec()).ok()
        };
        let (floor, last) = (name().ok_or_else(cut)?, name().ok_or_else(cut)?);
        let mut files = Vec::new();
        while let Some((hash, after)) = rest.split_first_chunk::<8>() {
            rest = after;
            let mut number = || take_leb128(&mut rest).ok_or_else(cut);
            files.push(FileStanding { name: u64::from_le_bytes(*hash), inode: number()?, mark: number()?, count: number()? });
        }
        if rest.is_empty() { Ok(Standing { floor, last, files }) } else { Err(cut()) }
    }
}
