//! What a stage is allowed beyond computing. Nothing, unless the pipeline file says so.

use std::path::PathBuf;

use super::authority::Authority;

/// What a stage is allowed beyond computing on the frames it is handed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grants {
    /// Locations it may read, as absolute normalised paths (a folder grants what is below it) or URL prefixes.
    pub read: Vec<Place>,
    /// Locations it may write.
    pub write: Vec<Place>,
    /// Whether it may log, count and open spans.
    pub telemetry: bool,
    /// Whether it may keep keys and values.
    pub state: bool,
    /// Whether it may tell the time and wait (`wasi:clocks`).
    pub clocks: bool,
    /// Whether it may have random numbers (`wasi:random`).
    pub random: bool,
    /// Names of the host's environment variables that it may see (`wasi:cli/environment`). One that is not set is not there.
    pub environment: Vec<String>,
    /// Servers that it may send requests to (`wasi:http`).
    pub http: Vec<Authority>,
    /// The folder that relative locations in its configuration start from: that of the pipeline file.
    pub base: PathBuf,
}

/// A granted location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An absolute path without `.` and `..`.
    Path(PathBuf),
    /// The beginning of a URL, ending in `/` or naming one object.
    Url(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Path(path) => write!(f, "{}", path.display()),
            Place::Url(url) => f.write_str(url),
        }
    }
}
