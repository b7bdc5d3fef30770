//! The last checkpoint of each pipeline.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Key, StateError, Store, now};
use crate::words::delivery::{Checkpoint, Journal, Kept};

/// A checkpoint, as it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// Names the runs that go on from each other.
    pub lineage: String,
    /// From 1; 0 of a lineage that has begun and taken none.
    pub number: u64,
    /// Of a lineage that has begun: the one before, which was given up.
    pub former: Option<String>,
    /// Seconds since 1970.
    pub taken_at: f64,
    /// The run that took it.
    pub run: i64,
    /// What the pipeline was like, in the words of whoever judges whether it still fits.
    pub footing: String,
    /// Where its stages stood.
    pub stages: Vec<Kept>,
}

/// Records the checkpoints of a run.
pub struct Recorder {
    /// Where.
    pub store: Arc<Store>,
    /// Whose.
    pub key: Key,
    /// Which run.
    pub run: i64,
    /// Names the runs that go on from each other.
    pub lineage: String,
    /// What the pipeline is like.
    pub footing: String,
}

impl Store {
    /// The last checkpoint of a pipeline that has not come to its end.
    pub fn checkpoint(&self, key: &Key) -> Result<Option<Saved>, StateError> {
        let read = "SELECT lineage, number, taken_at, run, footing, former FROM checkpoints WHERE pipeline = ?1 AND file = ?2";
        let kept = "SELECT stage, state, ended FROM kept WHERE pipeline = ?1 AND file = ?2 ORDER BY rowid";
        self.read(|connection| {
            let whose = params![key.pipeline, key.file()];
            let saved = connection.query_row(read, whose, |row| {
                let number: i64 = row.get(1)?;
                let (lineage, taken_at, run, footing, former) = (row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
                Ok(Saved { lineage, number: number as u64, former, taken_at, run, footing, stages: Vec::new() })
            });
            let Some(saved) = saved.optional()? else { return Ok(None) };
            let mut statement = connection.prepare(kept)?;
            let stages = statement.query_map(whose, |row| Ok(Kept { stage: row.get(0)?, state: row.get(1)?, ended: row.get(2)? }))?;
            Ok(Some(Saved { stages: stages.collect::<rusqlite::Result<_>>()?, ..saved }))
        })
    }
}

/// Deletes the checkpoint of a run.
pub(super) fn delete(connection: &Connection, key: &Key, run: i64) -> rusqlite::Result<()> {
    let gone = "DELETE FROM checkpoints WHERE pipeline = ?1 AND file = ?2 AND run = ?3";
    if connection.execute(gone, params![key.pipeline, key.file(), run])? > 0 {
        connection.execute("DELETE FROM kept WHERE pipeline = ?1 AND file = ?2", params![key.pipeline, key.file()])?;
    }
    Ok(())
}

impl Recorder {
    /// Records that a lineage begins, before anything is written in its name: what it leaves aside is known whatever happens. The
    /// checkpoint of the lineage before is gone with it.
    pub fn begin(&self, former: Option<&str>) -> Result<(), StateError> {
        self.store.write(|connection| {
            let key = &self.key;
            connection.execute("DELETE FROM kept WHERE pipeline = ?1 AND file = ?2", params![key.pipeline, key.file()])?;
            self.replace(connection, (0, &self.footing), former)
        })
    }

    fn replace(&self, connection: &Connection, (number, footing): (u64, &str), former: Option<&str>) -> rusqlite::Result<()> {
        let Recorder { key, run, lineage, .. } = self;
        let writes = "INSERT OR REPLACE INTO checkpoints (pipeline, file, lineage, number, taken_at, run, footing, former) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        connection.execute(writes, params![key.pipeline, key.file(), lineage, number as i64, now(), run, footing, former]).map(drop)
    }
}

impl Journal for Recorder {
    fn decide(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let Recorder { store, key, run, .. } = self;
        let file = key.file();
        let counts = "UPDATE runs SET rows_in = ?2, rows_out = ?3, checkpoints = checkpoints + 1 WHERE id = ?1";
        let written = store.write(|connection| {
            let footing = checkpoint.footing.as_deref().unwrap_or(&self.footing);
            self.replace(connection, (checkpoint.number, footing), None)?;
            connection.execute("DELETE FROM kept WHERE pipeline = ?1 AND file = ?2", params![key.pipeline, file])?;
            let mut keeps = connection.prepare("INSERT INTO kept VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for Kept { stage, state, ended } in &checkpoint.stages {
                keeps.execute(params![key.pipeline, file, stage, state, ended])?;
            }
            connection.execute(counts, params![run, checkpoint.rows_in as i64, checkpoint.rows_out as i64]).map(drop)
        });
        written.map_err(|error| error.to_string())
    }
}
