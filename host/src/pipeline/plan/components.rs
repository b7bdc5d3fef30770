//! The seam to whoever finds and compiles components, and loading all of a pipeline's at once.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{pipeline::diagnostic::nearest, words::stage::Component};

/// How a pipeline file refers to a component.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ComponentRef {
    /// `std:NAME`: comes with the host.
    Std(String),
    /// A path as written: relative to the pipeline file, or absolute.
    Path(PathBuf),
}

impl std::fmt::Display for ComponentRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ComponentRef::Std(name) => write!(f, "std:{name}"),
            ComponentRef::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

impl From<&str> for ComponentRef {
    fn from(written: &str) -> Self {
        match written.strip_prefix("std:") {
            Some(name) => ComponentRef::Std(name.to_owned()),
            None => ComponentRef::Path(PathBuf::from(written)),
        }
    }
}

/// Finds and compiles components. Called from several threads at once, once for each distinct reference.
pub trait Components: Sync {
    /// Loads a component. Paths are relative to `base`, the folder of the pipeline file.
    fn load(&self, reference: &ComponentRef, base: &Path) -> Result<Arc<dyn Component>, ComponentError>;
    /// The names that may stand after `std:`.
    fn std_names(&self) -> Vec<String>;
}

/// Why a component could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ComponentError {
    /// What kind of failure.
    pub kind: ComponentErrorKind,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The ways in which loading fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentErrorKind {
    /// There is nothing of that name.
    NotFound {
        /// What was probably meant. Left out, the plan looks for it among the std names or the files in that folder.
        nearest: Option<String>,
    },
    /// The file is something else: a core module, text, an older format.
    NotAComponent,
    /// It is a component, but neither an extract nor a transform nor a load.
    WrongWorld,
    /// It could not be compiled.
    Compile,
    /// It could not be read.
    Io,
}

/// The file in `folder` whose name is nearest to `name`.
pub(in crate::pipeline) fn nearest_in(folder: &Path, name: &str) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    // In an order of their own: that of a folder is by chance.
    names.sort();
    nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
}
