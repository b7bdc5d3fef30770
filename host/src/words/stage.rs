//! What a pipeline knows of a stage: three kinds, how to open one, how to call it. It knows nothing of where it runs.

use std::sync::Arc;

use serde::Serialize;

use super::{
    batch::{RecordBatch, SchemaRef},
    call::Call,
    digest::Digest,
    grants::Grants,
    limits::Limits,
};

/// The three kinds of stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Brings data in.
    Extract,
    /// Turns batches into batches.
    Transform,
    /// Takes data out.
    Load,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Extract => "extract",
            Kind::Transform => "transform",
            Kind::Load => "load",
        })
    }
}

/// What a component says of itself: the contract's `description`.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Short name.
    pub name: String,
    /// Its author's version.
    pub version: String,
    /// One line.
    pub summary: String,
    /// Markdown.
    pub documentation: String,
    /// JSON Schema of the configuration.
    pub config_schema: serde_json::Value,
    /// Whether an instance remembers anything between calls.
    pub stateful: bool,
}

/// A named way out of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// `out` where there is only one.
    pub name: String,
    /// Of every batch that leaves by it.
    pub schema: SchemaRef,
}

/// What feeds a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// `stage` or `stage.port`.
    pub name: String,
    /// Of every batch that arrives by it.
    pub schema: SchemaRef,
}

/// Everything an instance is opened with.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// The stage's name in the pipeline.
    pub stage: String,
    /// Its configuration.
    pub config: serde_json::Value,
    /// What feeds it; empty for an extract.
    pub inputs: Vec<Input>,
    /// What it may use.
    pub limits: Limits,
    /// What it may do.
    pub grants: Grants,
    /// Position to resume from (extract) or state to restore (transform, load).
    pub restore: Option<Vec<u8>>,
}

/// A component that has been compiled and whose world is known. Opening it again gives an independent instance.
pub trait Component: Send + Sync {
    /// Which of the three it is.
    fn kind(&self) -> Kind;
    /// Digest of its bytes.
    fn digest(&self) -> Digest;
    /// What it says of itself. Asked once, on an instance of its own, and remembered.
    fn description(&self) -> Result<Arc<Description>, crate::words::call::CallError>;
    /// Interfaces it imports, as `package:name/interface@version`.
    fn imports(&self) -> Vec<String>;
    /// Opens it as an extract. Fails with `CallError::Host` when it is of another kind.
    fn open_extract(&self, opening: &Opening) -> Call<(Box<dyn Extract>, Vec<Port>)>;
    /// Opens it as a transform.
    fn open_transform(&self, opening: &Opening) -> Call<(Box<dyn Transform>, Vec<Port>)>;
    /// Opens it as a load.
    fn open_load(&self, opening: &Opening) -> Call<Box<dyn Load>>;
    /// Whether it remembers anything between batches. One that does not describe itself is taken to.
    fn remembers(&self) -> bool {
        self.description().map_or(true, |description| description.stateful)
    }
}

/// A batch from an extract.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// Index of the port it leaves by.
    pub port: u32,
    /// The batch.
    pub batch: Arc<RecordBatch>,
    /// Where to go on after it.
    pub position: Vec<u8>,
}

/// What a transform made of a batch.
#[derive(Clone, Debug, Default)]
pub struct Transformed {
    /// Batches, each with the index of the port it leaves by, in the stage's order.
    pub outputs: Vec<(u32, Arc<RecordBatch>)>,
    /// Rows it refused, ascending by row.
    pub rejections: Vec<Rejection>,
}

/// One refused row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Index in the batch that went in.
    pub row: u32,
    /// Why.
    pub reason: String,
}

/// What a load has made durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Rows.
    pub rows: u64,
    /// Where they went.
    pub location: String,
}

/// An open extract.
pub trait Extract: Send {
    /// The next batch, or nothing at the end. A batch of no rows: there is nothing now, and there may be later.
    fn next(&mut self) -> Call<Option<Extracted>>;
}

/// An open transform.
pub trait Transform: Send {
    /// Takes one batch from input `input`.
    fn process(&mut self, input: u32, batch: &Arc<RecordBatch>) -> Call<Transformed>;
    /// What it still holds, again and again until nothing is left.
    fn finish(&mut self) -> Call<Option<Transformed>>;
    /// Everything it remembers.
    fn snapshot(&mut self) -> Call<Vec<u8>>;
}

/// An open load.
pub trait Load: Send {
    /// Takes one batch from input `input`. Answers the rows it refused.
    fn write(&mut self, input: u32, batch: &Arc<RecordBatch>) -> Call<Vec<Rejection>>;
    /// Makes durable what was written since the last commit.
    fn commit(&mut self, last: bool) -> Call<Receipt>;
    /// Everything it remembers.
    fn snapshot(&mut self) -> Call<Vec<u8>>;
}
