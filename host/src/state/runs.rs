//! Which runs there were.

use rusqlite::{Row, params};
use serde::Serialize;

use super::{Key, RUNS_LIMIT, StateError, Store, now};

/// A run that begins.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Whose.
    pub key: Key,
    /// The process.
    pub pid: u32,
    /// When the process was born, in the kernel's own count.
    pub born: Option<u64>,
    /// The checkpoint that it goes on from.
    pub resumed: Option<u64>,
    /// Runs of this pipeline that are remembered, this one included.
    pub keep: u64,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// `completed`, `stopped`, `failed` or `aborted`.
    pub state: &'static str,
    /// Rows that extracts brought.
    pub rows_in: u64,
    /// Rows that loads made durable.
    pub rows_out: u64,
    /// Why it failed.
    pub error: Option<String>,
}

/// A run, as it is remembered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRow {
    /// Its number in this folder.
    pub id: i64,
    /// The pipeline's name.
    pub pipeline: String,
    /// Its file.
    pub file: String,
    /// The process.
    pub pid: u32,
    /// When the process was born, in the kernel's own count.
    #[serde(skip)]
    pub born: Option<u64>,
    /// `running` until it has ended by itself; then `completed`, `stopped`, `failed`, `aborted`. `killed`: it is not there any more.
    pub state: String,
    /// Seconds since 1970.
    pub started_at: f64,
    /// The same; none while it runs, and of one that was killed.
    pub ended_at: Option<f64>,
    /// Rows that its extracts brought, as far as is known.
    pub rows_in: u64,
    /// Rows that its loads made durable, as far as is known.
    pub rows_out: u64,
    /// Checkpoints that it has taken.
    pub checkpoints: u64,
    /// The checkpoint that it went on from.
    pub resumed: Option<u64>,
    /// Why it failed.
    pub error: Option<String>,
}

const COLUMNS: &str = "id, pipeline, file, pid, born, state, started_at, ended_at, rows_in, rows_out, checkpoints, resumed, error";

fn row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
    let perhaps = |at: usize| row.get::<_, Option<i64>>(at).map(|count| count.map(|count| count as u64));
    Ok(RunRow {
        id: row.get(0)?,
        pipeline: row.get(1)?,
        file: row.get(2)?,
        pid: row.get(3)?,
        born: perhaps(4)?,
        state: row.get(5)?,
        started_at: row.get(6)?,
        ended_at: row.get(7)?,
        rows_in: count(8)?,
        rows_out: count(9)?,
        checkpoints: count(10)?,
        resumed: perhaps(11)?,
        error: row.get(12)?,
    })
}

impl Store {
    /// Records a run that begins; the oldest of very many are forgotten. Answers its number.
    pub fn begin(&self, run: &Begun) -> Result<i64, StateError> {
        let Begun { key, pid, born, resumed, keep } = run;
        let begins = "INSERT INTO runs (pipeline, file, pid, born, state, started_at, resumed) VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6)";
        let of_one = "DELETE FROM runs WHERE pipeline = ?1 AND file = ?2 AND id NOT IN \
                      (SELECT id FROM runs WHERE pipeline = ?1 AND file = ?2 ORDER BY id DESC LIMIT ?3)";
        let of_all = "DELETE FROM runs WHERE id <= (SELECT max(id) FROM runs) - ?1";
        self.write(|connection| {
            let values = params![key.pipeline, key.file(), pid, born.map(|born| born as i64), now(), resumed.map(|number| number as i64)];
            connection.execute(begins, values)?;
            let id = connection.last_insert_rowid();
            connection.execute(of_one, params![key.pipeline, key.file(), *keep as i64])?;
            connection.execute(of_all, [RUNS_LIMIT as i64])?;
            Ok(id)
        })
    }

    /// Records how a run ended. One that completed leaves no checkpoint: the next begins anew.
    pub fn end(&self, id: i64, key: &Key, ended: &Ended) -> Result<(), StateError> {
        let ends = "UPDATE runs SET state = ?2, ended_at = ?3, rows_in = ?4, rows_out = ?5, error = ?6 WHERE id = ?1";
        self.write(|connection| {
            let rows = (ended.rows_in as i64, ended.rows_out as i64);
            connection.execute(ends, params![id, ended.state, now(), rows.0, rows.1, ended.error])?;
            if ended.state == "completed" {
                super::checkpoints::delete(connection, key, id)?;
            }
            Ok(())
        })
    }

    /// Runs, the newest first: of one pipeline file, or of all.
    pub fn runs(&self, file: Option<&std::path::Path>, most: u64) -> Result<Vec<RunRow>, StateError> {
        let file = file.map(|file| file.display().to_string());
        let read = format!("SELECT {COLUMNS} FROM runs WHERE ?1 IS NULL OR file = ?1 ORDER BY id DESC LIMIT ?2");
        self.read(|connection| connection.prepare(&read)?.query_map(params![file, most as i64], row)?.collect())
    }
}
