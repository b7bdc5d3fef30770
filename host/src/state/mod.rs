//! Floor 1d: what outlives a run: which runs there were, and how far each pipeline has come. One SQLite file in a folder of its own.
//!
//! Every change is one transaction. A checkpoint replaces the one before it, so what is read after a crash is one of the two. A pipeline
//! that takes checkpoints is run by one process at a time, which holds a lock that the system releases with the process.

mod checkpoints;
mod lock;
mod runs;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, OpenFlags};

pub use checkpoints::{Recorder, Saved};
pub use lock::Lock;
pub use runs::{Begun, Ended, RunRow};

/// How long another process may hold the file before this one gives up: transactions are short.
const BUSY: Duration = Duration::from_secs(10);
/// The form of the file. A newer one is refused.
const FORM: i64 = 1;
const FILE: &str = "state.sqlite";
/// Runs of all pipelines that are remembered in a folder, at most.
pub const RUNS_LIMIT: u64 = 100_000;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline TEXT NOT NULL, file TEXT NOT NULL, pid INTEGER NOT NULL, born INTEGER,
        state TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL, rows_in INTEGER NOT NULL DEFAULT 0,
        rows_out INTEGER NOT NULL DEFAULT 0, checkpoints INTEGER NOT NULL DEFAULT 0, resumed INTEGER, error TEXT);
    CREATE INDEX IF NOT EXISTS runs_of ON runs (pipeline, file);
    CREATE TABLE IF NOT EXISTS checkpoints (
        pipeline TEXT NOT NULL, file TEXT NOT NULL, lineage TEXT NOT NULL, number INTEGER NOT NULL, taken_at REAL NOT NULL,
        run INTEGER NOT NULL, footing TEXT NOT NULL, former TEXT, PRIMARY KEY (pipeline, file));
    CREATE TABLE IF NOT EXISTS kept (
        pipeline TEXT NOT NULL, file TEXT NOT NULL, stage TEXT NOT NULL, state BLOB, ended INTEGER NOT NULL,
        PRIMARY KEY (pipeline, file, stage));
";

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the state in `{}` cannot be {doing}: {why}", folder.display())]
pub struct StateError {
    folder: PathBuf,
    doing: &'static str,
    why: String,
}

/// Whose state: a pipeline is known by its name and its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its file, absolute.
    pub file: PathBuf,
}

/// A folder of state.
pub struct Store {
    folder: PathBuf,
    connection: Mutex<Connection>,
}

// === impl Key ===

impl Key {
    fn file(&self) -> String {
        self.file.display().to_string()
    }
}

// === impl Store ===

impl Store {
    /// Opens a folder, and creates it where it is not there. `durable`: what is written must outlive a loss of power, and not only of the
    /// process.
    pub fn open(folder: &Path, durable: bool) -> Result<Self, StateError> {
        let failed = |error: io::Error| StateError { folder: folder.into(), doing: "opened", why: error.to_string() };
        create(folder).map_err(failed)?;
        Store::connect(folder, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE, durable)
    }

    /// Opens a folder to look at it; nothing where there is no state.
    pub fn look(folder: &Path) -> Result<Option<Self>, StateError> {
        match folder.join(FILE).exists() {
            true => Store::connect(folder, OpenFlags::SQLITE_OPEN_READ_WRITE, false).map(Some),
            false => Ok(None),
        }
    }

    fn connect(folder: &Path, flags: OpenFlags, durable: bool) -> Result<Self, StateError> {
        let failed = |why: String| StateError { folder: folder.into(), doing: "opened", why };
        if flags.contains(OpenFlags::SQLITE_OPEN_CREATE) {
            writable(&folder.join(FILE)).map_err(|error| failed(error.to_string()))?;
        }
        let open = || {
            let connection = Connection::open_with_flags(folder.join(FILE), flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(BUSY)?;
            connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
            let form: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            if form == 0 {
                connection.execute_batch("PRAGMA journal_mode = WAL;")?;
                connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {FORM}; COMMIT;"))?;
            }
            connection.execute_batch(if durable { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" })?;
            Ok((connection, form))
        };
        let (connection, form) = open().map_err(|error: rusqlite::Error| failed(error.to_string()))?;
        if form > FORM {
            return Err(failed(format!("it was written by a newer parshall (form {form}, this one knows {FORM})")));
        }
        Ok(Store { folder: folder.into(), connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StateError> {
        read(&self.connection()).map_err(|error| self.error("read", &error))
    }

    /// All of it or nothing.
    fn write<T>(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StateError> {
        let mut connection = self.connection();
        let written = || {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let value = write(&transaction)?;
            transaction.commit().map(|()| value)
        };
        written().map_err(|error| self.error("written", &error))
    }

    fn error(&self, doing: &'static str, error: &rusqlite::Error) -> StateError {
        StateError { folder: self.folder.clone(), doing, why: error.to_string() }
    }
}

/// Creates a folder that only this user may enter: what stages remember is in it.
fn create(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// What is beside the file (SQLite's log and its index) has the mode that the file had when it was made: it must not stay read-only when
/// the file is not any more. A file that may not be written is told before SQLite makes any.
fn writable(file: &Path) -> io::Result<()> {
    let mode = match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?.permissions(),
    };
    if mode.readonly() {
        // Only then: to close a file gives up all locks that this process has on it.
        fs::OpenOptions::new().write(true).open(file)?;
    }
    for beside in ["-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(beside);
        if fs::metadata(&name).is_ok_and(|beside| beside.permissions().readonly()) {
            fs::set_permissions(&name, mode.clone())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
