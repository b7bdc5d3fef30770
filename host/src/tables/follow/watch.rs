//! Which files there are, looked up anew only when a folder has changed.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    tables::{
        format::Format,
        listing::{self, Found},
        store::{Address, Stores},
    },
    words::{grants::Grants, tables::TableError},
};

/// Clocks of file systems are this coarse: within it, a folder may change without its time telling.
const COARSE: Duration = Duration::from_secs(2);
/// Time that no folder tells is not trusted for longer: not every network file system keeps them.
const TRUST: Duration = Duration::from_secs(5);
/// Looking takes no more than this part of the time, however many files there are.
const SHARE: u32 = 10;

/// A location, and what was there last.
pub struct Watch {
    stores: Stores,
    grants: Grants,
    path: PathBuf,
    format: Format,
    /// The folders looked into, and when they were changed last, as they were found before.
    folders: Vec<(PathBuf, Option<SystemTime>)>,
    /// When looking began, and how long it took.
    looked: Option<(Instant, SystemTime, Duration)>,
}

impl Watch {
    pub fn new(grants: &Grants, path: PathBuf, format: Format) -> Self {
        Watch { stores: Stores::default(), grants: grants.clone(), path, format, folders: Vec::new(), looked: None }
    }

    /// The files by their names, if they may be others than last time.
    pub fn look(&mut self) -> Result<Option<Vec<Address>>, TableError> {
        if !self.may_differ() {
            return Ok(None);
        }
        let (began, time) = (Instant::now(), SystemTime::now());
        // Before the files are listed: what changes meanwhile is found next time.
        let known = self.folders.iter().map(|folder| (folder.0.clone(), changed(&folder.0))).collect::<Vec<_>>();
        let Found { mut files, folders } = listing::look(&self.stores, &self.grants, &self.path, Some(self.format))?;
        let before = |folder: &PathBuf| known.iter().find(|known| known.0 == *folder).and_then(|known| known.1);
        self.folders = folders.into_iter().map(|folder| (folder.clone(), before(&folder))).collect();
        self.folders.dedup();
        self.looked = Some((began, time, began.elapsed()));
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(files))
    }

    fn may_differ(&self) -> bool {
        let Some((began, time, took)) = self.looked else { return true };
        if began.elapsed() < took * SHARE {
            return false;
        }
        // A folder seen for the first time has no time yet, and is looked into again.
        let is_settled = |folder: &(PathBuf, Option<SystemTime>)| {
            let told = folder.1.filter(|told| time.duration_since(*told).is_ok_and(|age| age >= COARSE));
            told.is_some() && changed(&folder.0) == told
        };
        began.elapsed() >= TRUST || !self.folders.iter().all(is_settled)
    }
}

fn changed(folder: &PathBuf) -> Option<SystemTime> {
    fs::metadata(folder).and_then(|meta| meta.modified()).ok()
}
