//! An SQLite database: opened with care, its errors sorted, names quoted, tables described.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::{
    failure::io_error,
    held::{self, Created, Held},
    nearest::hint,
    sqlite_vfs::{self, Opened},
};
use crate::words::tables::TableError;

/// Others are waited for this long.
const BUSY: Duration = Duration::from_secs(5);

/// A database by its real path.
#[derive(Clone)]
pub struct Database {
    pub path: PathBuf,
    /// For people.
    pub name: String,
}

/// A column as the database declares it.
pub struct Column {
    pub name: String,
    /// Upper case; empty where nothing is declared.
    pub declared: String,
    /// Its place in the primary key, from 1.
    pub key: Option<u32>,
}

/// A table or view.
pub struct Table {
    /// `table`, `view`, `virtual` or `shadow`.
    pub kind: String,
    pub columns: Vec<Column>,
    /// Whether rows have an id that orders them.
    pub has_row_ids: bool,
}

impl Database {
    /// Opens what exists, to look only.
    pub fn open_to_read(&self) -> Result<Opened, TableError> {
        if !self.exists()? {
            return Err(TableError::NotFound(format!("opening {:?}: there is no database", self.name)));
        }
        self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// Opens what exists, to write it or to look at it before. Then, too, the journal of a run that was killed is rolled back.
    pub fn open_to_write(&self) -> Result<Opened, TableError> {
        self.check_journal()?;
        self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Whether there is a file.
    pub fn exists(&self) -> Result<bool, TableError> {
        match held::look(&self.path) {
            Ok(Some(found)) if !found.is_file => Err(TableError::Options(format!("{:?} is no regular file", self.name))),
            found => found.map(|found| found.is_some()).map_err(|error| io_error(&self.name, "looking at", &error)),
        }
    }

    /// An empty file, and the folders above it that were not there. Not left to SQLite, which would create it by its path.
    pub fn create(&self) -> Result<Created, TableError> {
        let failed = |error: io::Error| io_error(&self.name, "creating", &error);
        let (folder, created) = Held::create(held::parent(&self.path)).map_err(failed)?;
        match folder.create_file(self.path.file_name().unwrap_or_default()) {
            // Somebody else was faster.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
            _ => Ok(created),
        }
    }

    /// Nothing was ever committed: removes the file that was created, unless somebody else has filled it. A connection that is waiting for it
    /// at this moment gets an error from SQLite ("database moved"), not lost rows.
    pub fn discard(&self, created: Created) {
        let name = self.path.file_name().unwrap_or_default();
        if let Ok(folder) = Held::open(held::parent(&self.path))
            && folder.look(name).is_ok_and(|found| found.is_some_and(|found| found.is_file && found.bytes == 0))
        {
            let _ = folder.remove(name);
        }
        drop(created);
    }

    /// A journal may name a file anywhere, which SQLite would look into and could remove: it is meant for transactions over several
    /// databases, which nothing here makes.
    fn check_journal(&self) -> Result<(), TableError> {
        let mut path = self.path.clone().into_os_string();
        path.push("-journal");
        let named = match held::read(path.as_ref()) {
            Ok(mut journal) => names_another(&mut journal),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        };
        match named.map_err(|error| io_error(&self.name, "looking at the journal of", &error))? {
            false => Ok(()),
            true => Err(TableError::Denied(format!(
                "opening {:?} is refused: the journal beside it names another file, which SQLite would look into and could remove; \
                 let the program that left it finish its work, or remove \"{}-journal\"",
                self.name,
                self.name.trim_start_matches("sqlite:")
            ))),
        }
    }

    fn connect(&self, flags: OpenFlags) -> Result<Opened, TableError> {
        let folder = Held::open(held::parent(&self.path)).map_err(|error| io_error(&self.name, "opening", &error))?;
        let connection = sqlite_vfs::open(folder, &self.path, flags).map_err(|error| self.error("opening", &error))?;
        connection.busy_timeout(BUSY).map_err(|error| self.error("opening", &error))?;
        // A database from outside may hold views and triggers that call functions; they get none with effects.
        let careful = connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
        careful.map_err(|error| self.error("opening", &error))?;
        Ok(connection)
    }

    /// Describes a table; the error for one that does not exist names those that do.
    pub fn table(&self, connection: &Connection, table: &str) -> Result<Option<Table>, TableError> {
        let failed = |error| self.error("looking at", &error);
        let kind = connection
            .query_row("SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE", [table], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
            })
            .optional()
            .map_err(failed)?;
        let Some((kind, without_row_ids)) = kind else { return Ok(None) };
        let mut statement = connection.prepare("SELECT name, type, pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1").map_err(failed)?;
        let columns = statement.query_map([table], |row| {
            let declared = row.get::<_, Option<String>>(1)?.unwrap_or_default().to_ascii_uppercase();
            let key = row.get::<_, u32>(2)?;
            Ok(Column { name: row.get(0)?, declared, key: (key > 0).then_some(key) })
        });
        let columns = columns.and_then(Iterator::collect).map_err(failed)?;
        let has_row_ids = kind == "table" && !without_row_ids;
        Ok(Some(Table { kind, columns, has_row_ids }))
    }

    /// The table that the options name; names the ones there are if it is absent.
    pub fn existing_table(&self, connection: &Connection, table: Option<&str>) -> Result<(String, Table), TableError> {
        let missing = |what: String| {
            let names = self.table_names(connection)?;
            let hint = table.map(|table| hint(table, names.iter().map(String::as_str))).unwrap_or_default();
            let listed = if names.is_empty() { "nothing".into() } else { names.join(", ") };
            Ok::<_, TableError>(format!("{:?}: {what}{hint}; the database holds {listed}", self.name))
        };
        let Some(name) = table else {
            return Err(TableError::Options(missing("option \"table\" is missing".into())?));
        };
        match self.table(connection, name)? {
            Some(found) => Ok((name.into(), found)),
            None => Err(TableError::NotFound(missing(format!("there is no table {name:?}"))?)),
        }
    }

    fn table_names(&self, connection: &Connection) -> Result<Vec<String>, TableError> {
        let names = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' \
                     ESCAPE '\\' ORDER BY name LIMIT 50";
        let read = || connection.prepare(names)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<_>>>();
        read().map_err(|error| self.error("looking at", &error))
    }

    /// Sorts an error by who can help.
    pub fn error(&self, doing: &str, error: &rusqlite::Error) -> TableError {
        let text = format!("{doing} {:?}: {error}", self.name);
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                TableError::Unavailable(format!("{text}; another connection held it for more than {} s", BUSY.as_secs()))
            }
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory | ErrorCode::CannotOpen) => {
                TableError::Unavailable(text)
            }
            Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                TableError::Denied(format!("{text} (refused by the system, not by a grant)"))
            }
            _ => TableError::Format(text),
        }
    }
}

/// Whether a journal ends in the name of another, by SQLite's file format: the name, its length, its sum, and a magic number.
fn names_another(journal: &mut File) -> io::Result<bool> {
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let mut end = [0; 16];
    if journal.metadata()?.len() <= end.len() as u64 {
        return Ok(false);
    }
    journal.seek(SeekFrom::End(-(end.len() as i64)))?;
    journal.read_exact(&mut end)?;
    Ok(end[8..] == MAGIC && end[..4] != [0; 4])
}

/// A name as SQL takes it, whatever it holds.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
