//! An SQLite database: opened with care, its errors sorted, names quoted, tables described.

use std::{path::PathBuf, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::nearest::hint;
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
    pub fn open_to_read(&self) -> Result<Connection, TableError> {
        if !self.path.is_file() {
            return Err(TableError::NotFound(format!("opening {:?}: there is no database", self.name)));
        }
        self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// Opens what exists, to look at it before it is written. Not read-only: the journal of a run that was killed must be
    /// rolled back first.
    pub fn open_to_look(&self) -> Result<Connection, TableError> {
        self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Opens, and creates what does not exist.
    pub fn open_to_write(&self) -> Result<Connection, TableError> {
        self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, TableError> {
        // Without SQLITE_OPEN_URI: a path that begins with `file:` is a path. The path is the real one, so a link in it came later.
        let connection = Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW);
        let connection = connection.map_err(|error| self.error("opening", &error))?;
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

/// A name as SQL takes it, whatever it holds.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
