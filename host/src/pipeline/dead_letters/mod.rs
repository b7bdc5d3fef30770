//! Dead letters: rows that a stage could not take, with why, in a file of their own from which they can be fed back.
//!
//! The file is an Arrow IPC stream: it keeps every type, and each append is one message, so that whatever a crash leaves behind can be
//! read up to the last whole one. Parquet has its footer at the end, and JSON has no types. One file for each stage and run; FAILURES.md
//! has the columns.

mod feed;
mod letters;
mod reader;
mod writer;

pub use feed::{Fed, NotFed};
pub use letters::{Addressed, Letter};
pub use reader::{Envelope, Reader, Unreadable};
pub use writer::{Head, Unwritable, Writer};

/// The ending of a file of dead letters.
pub const ENDING: &str = "arrows";
/// The column with the original row; `row_0`, `row_1` … for a stage with several inputs.
pub const ROW: &str = "row";

/// Keys of the file's own metadata.
mod meta {
    /// Version of this form.
    pub const FORMAT: &str = "parshall.dead_letters";
    /// The pipeline file.
    pub const FILE: &str = "parshall.pipeline_file";
    /// The pipeline's name.
    pub const PIPELINE: &str = "parshall.pipeline";
    /// The stage.
    pub const STAGE: &str = "parshall.stage";
    /// On the field of a row: the input that it came by, as the pipeline file names it.
    pub const INPUT: &str = "parshall.input";
}

/// Version of the form.
const FORMAT: &str = "1";
