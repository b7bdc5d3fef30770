//! One process at a time runs a pipeline that takes checkpoints. The system releases the lock with the process, however it ends.

use std::{
    fs::{self, File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
};

use super::{Key, StateError, Store};
use crate::words::digest::Digest;

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "held, not read")] File);

impl Store {
    /// Locks a pipeline's state, or says who holds it.
    pub fn lock(&self, key: &Key) -> Result<Lock, StateError> {
        let failed = |why: String| StateError { folder: self.folder.clone(), doing: "locked", why };
        let io = |error: std::io::Error| failed(error.to_string());
        let folder = self.folder.join("locks");
        super::create(&folder).map_err(io)?;
        let name = Digest::of(format!("{}\0{}", key.pipeline, key.file()).as_bytes()).short();
        let path = folder.join(format!("{name}.lock"));
        let mut file = fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let who = if holder.trim().is_empty() { "another process".to_owned() } else { format!("process {}", holder.trim()) };
                return Err(failed(format!(
                    "{who} runs `{}` of `{}` already; wait for its end, or stop it",
                    key.pipeline,
                    key.file.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let mut said = || {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())
        };
        said().map_err(io)?;
        Ok(Lock(file))
    }
}
