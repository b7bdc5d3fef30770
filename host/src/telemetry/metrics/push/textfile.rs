//! A file for the node exporter's textfile collector: written aside and renamed, because the collector may read at any time.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::PushError;
use crate::telemetry::metrics::Gathered;

/// A file.
pub struct Textfile {
    path: PathBuf,
    aside: PathBuf,
}

/// There can be no such file.
#[derive(Debug, thiserror::Error)]
pub enum WrongPath {
    /// The collector would not read it.
    #[error("`{}` does not end with `.prom`, and the node exporter reads no other files", .0.display())]
    Name(PathBuf),
    /// It cannot be written.
    #[error("metrics cannot be written to `{}`: {error}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl Textfile {
    /// At a path that ends with `.prom`, in a folder that can be written to: better to know before the run than after it.
    pub fn new(path: &Path) -> Result<Self, WrongPath> {
        let name = path.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".prom"));
        let name = name.ok_or_else(|| WrongPath::Name(path.to_owned()))?;
        // Does not end with `.prom`, so the collector does not see it; the process's number keeps two runs apart.
        let aside = path.with_file_name(format!(".{name}.{}", std::process::id()));
        let tried = match path.is_dir() {
            true => Err(std::io::ErrorKind::IsADirectory.into()),
            false => fs::write(&aside, "").and_then(|()| fs::remove_file(&aside)),
        };
        tried.map_err(|error| WrongPath::Unwritable { path: path.to_owned(), error })?;
        Ok(Textfile { path: path.to_owned(), aside })
    }

    /// As it is called in messages.
    pub fn name(&self) -> String {
        format!("`{}`", self.path.display())
    }

    pub(super) fn write(&self, gathered: &Gathered, pipeline: &str) -> Result<(), PushError> {
        let written = fs::write(&self.aside, gathered.textfile(pipeline)).and_then(|()| fs::rename(&self.aside, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&self.aside);
        }
        Ok(written?)
    }
}
