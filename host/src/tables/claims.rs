//! One writer a target: two loads into one file would each replace what the other wrote, and two into one database would
//! wait for each other until both commit.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use crate::words::{
    batch::RecordBatch,
    tables::{TableError, TableWriter},
};

/// The targets that open writers have.
#[derive(Clone, Default)]
pub struct Claims(Arc<Mutex<HashSet<String>>>);

/// A writer and its claim, given back when the writer goes.
struct Claimed {
    writer: Box<dyn TableWriter>,
    claims: Claims,
    target: String,
}

// === impl Claims ===

impl Claims {
    /// Opens a writer of a target, by its real path or URL, that nobody else writes. `name` is for people.
    pub fn open(
        &self,
        target: String,
        name: &str,
        open: impl FnOnce() -> Result<Box<dyn TableWriter>, TableError>,
    ) -> Result<Box<dyn TableWriter>, TableError> {
        if !self.targets().insert(target.clone()) {
            let why = "another load of this pipeline writes there already, and a target has one writer";
            let help = "choose another target, or feed both inputs to one load";
            return Err(TableError::Options(format!("opening {name:?}: {why}; {help}")));
        }
        match open() {
            Ok(writer) => Ok(Box::new(Claimed { writer, claims: self.clone(), target })),
            Err(error) => {
                self.targets().remove(&target);
                Err(error)
            }
        }
    }

    fn targets(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Claimed ===

impl TableWriter for Claimed {
    fn format(&self) -> &'static str {
        self.writer.format()
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.writer.write(batch)
    }

    fn commit(&mut self, last: bool) -> Result<u64, TableError> {
        self.writer.commit(last)
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.claims.targets().remove(&self.target);
    }
}
