//! Rows of an SQLite table between two checkpoints: prepared in a table aside, moved in one transaction with the checkpoint's number.
//!
//! The database tells which checkpoint it has: `parshall_checkpoints` has a row for each table that was written so. `aside` is the
//! checkpoint that the rows of `parshall_aside_TABLE` belong to, none where there is no such table.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    options::Mode,
    sqlite::{Database, quote},
};
use crate::words::{
    delivery::{Delivery, Target},
    tables::TableError,
};

const CONTROL: &str = "CREATE TABLE IF NOT EXISTS parshall_checkpoints \
                       (target TEXT PRIMARY KEY, run TEXT NOT NULL, checkpoint INTEGER NOT NULL, aside INTEGER)";

/// The table aside.
pub struct Aside {
    pub database: Database,
    pub table: String,
    /// The columns, as `CREATE TABLE` has them.
    pub columns: String,
    /// Their names, quoted and in order.
    pub names: String,
    pub mode: Mode,
    pub delivery: Arc<Delivery>,
}

/// What the database says of a table.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    run: String,
    checkpoint: u64,
    aside: Option<u64>,
}

impl Aside {
    /// Its name, quoted.
    pub fn quoted(&self) -> String {
        quote(&format!("parshall_aside_{}", self.table))
    }

    /// SQLite takes names without regard to case.
    fn target(&self) -> String {
        self.table.to_lowercase()
    }

    fn standing(&self, connection: &Connection) -> rusqlite::Result<Option<Standing>> {
        let known = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'parshall_checkpoints'";
        if connection.query_row(known, [], |row| row.get::<_, i64>(0))? == 0 {
            return Ok(None);
        }
        let read = "SELECT run, checkpoint, aside FROM parshall_checkpoints WHERE target = ?1";
        let standing = connection.query_row(read, [self.target()], |row| {
            let (checkpoint, aside) = (row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?);
            Ok(Standing { run: row.get(0)?, checkpoint: checkpoint as u64, aside: aside.map(|aside| aside as u64) })
        });
        standing.optional()
    }

    /// Whether the table is one that this lineage has made: what is in it is to stay.
    pub fn is_ours(&self, connection: &Connection) -> Result<bool, TableError> {
        let standing = self.standing(connection).map_err(|error| self.database.error("looking at", &error))?;
        Ok(standing.is_some_and(|standing| standing.run == self.delivery.lineage && standing.checkpoint > 0))
    }

    /// Within a transaction: the table is there for rows of the checkpoint under way, and holds no others.
    pub fn begin(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(CONTROL)?;
        let goes_on = |standing: Standing| standing.run == self.delivery.lineage && standing.aside == Some(self.delivery.under_way());
        if self.standing(connection)?.is_some_and(goes_on) {
            return Ok(());
        }
        let aside = self.quoted();
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {aside}; CREATE TABLE {aside} ({});", self.columns))
    }

    /// Within the same transaction: says to which checkpoint the rows belong.
    pub fn prepared(&self, connection: &Connection) -> rusqlite::Result<()> {
        let says = "INSERT INTO parshall_checkpoints VALUES (?1, ?2, 0, ?3) ON CONFLICT (target) DO UPDATE SET \
                    checkpoint = CASE WHEN run = excluded.run THEN checkpoint ELSE 0 END, run = excluded.run, aside = excluded.aside";
        connection.execute(says, params![self.target(), self.delivery.lineage, self.delivery.under_way() as i64]).map(drop)
    }

    /// Whether the rows will go into a table that others have made: it may refuse some, which must come out before the checkpoint is
    /// decided.
    pub fn rehearse(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("SAVEPOINT rehearsal")?;
        let moved = connection.execute_batch(&self.moving());
        connection.execute_batch("ROLLBACK TO rehearsal; RELEASE rehearsal")?;
        moved
    }

    fn moving(&self) -> String {
        let (table, names, aside) = (quote(&self.table), &self.names, self.quoted());
        format!("INSERT INTO {table} ({names}) SELECT {names} FROM {aside} ORDER BY rowid;")
    }

    /// What makes the table that the first checkpoint of a lineage finds.
    fn making(&self) -> String {
        let (table, columns) = (quote(&self.table), &self.columns);
        match self.mode {
            Mode::Replace => format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({columns});"),
            Mode::Append => format!("CREATE TABLE IF NOT EXISTS {table} ({columns});"),
            Mode::Fail => format!("CREATE TABLE {table} ({columns});"),
        }
    }

    fn settle(&self, connection: &Connection, checkpoint: u64) -> rusqlite::Result<()> {
        let Some(Standing { run, checkpoint: has, aside: Some(aside) }) = self.standing(connection)? else { return Ok(()) };
        let ours = run == self.delivery.lineage;
        if !ours && self.delivery.former.as_deref() != Some(run.as_str()) {
            return Ok(());
        }
        let moves = ours && aside == checkpoint && has < checkpoint;
        let making = if moves && has == 0 { self.making() } else { String::new() };
        let moving = if moves { self.moving() } else { String::new() };
        let has = if moves { checkpoint } else { has };
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {making} {moving} DROP TABLE {};", self.quoted()))?;
        let says = "UPDATE parshall_checkpoints SET checkpoint = ?2, aside = NULL WHERE target = ?1";
        connection.execute(says, params![self.target(), has as i64])?;
        connection.execute_batch("COMMIT")
    }
}

impl Target for Aside {
    fn settle(&self, checkpoint: u64) -> Result<(), TableError> {
        if !self.database.exists()? {
            return Ok(());
        }
        // Dropped after a failure, the connection rolls back.
        let connection = self.database.open_to_write()?;
        self.settle(&connection, checkpoint).map_err(|error| self.database.error("committing", &error))
    }
}
