//! Feeding dead letters back: a pipeline of the stage where they failed and of all that it feeds, with the letters as its source.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reader::{Envelope, Reader, Rows};
use crate::{
    pipeline::{
        plan::{self, ComponentError, ComponentRef, Components},
        policy::OnError,
        spec::{InputSpec, Spec, StageSpec},
    },
    words::{
        batch::{self, RecordBatch},
        call::{Call, CallError, StageError},
        digest::Digest,
        limits::Loading,
        stage::{Component, Description, Extract, Extracted, Kind, Load, Opening, Port, Transform},
        usage::{Origin, PortOrigins, Said, Usage},
    },
};

/// What the source is called, where no stage has that name.
const NAME: &str = "dead-letters";
/// Rows that are fed together, at most.
const ROWS: usize = 8_192;
/// Calls that a fed batch is linked to.
const LINKS: usize = 8;

/// Why letters cannot be fed back.
#[derive(Debug, thiserror::Error)]
pub enum NotFed {
    /// The stage is gone.
    #[error("the pipeline has no stage `{stage}`, which these rows were for; it has {known}")]
    NoStage {
        /// As the letters have it.
        stage: String,
        /// Those that there are.
        known: String,
    },
    /// Nothing can be fed to it.
    #[error("`{0}` is an extract now: nothing feeds it")]
    NowAnExtract(String),
    /// Its inputs are others.
    #[error("`{stage}` has the inputs {now} now, and these rows were for {then}")]
    OtherInputs {
        /// The stage.
        stage: String,
        /// As the pipeline has them.
        now: String,
        /// As the letters have them.
        then: String,
    },
}

/// A pipeline that is fed with dead letters.
pub struct Fed {
    /// The stage, what it feeds, and the letters.
    pub spec: Spec,
    /// What the letters' stage is called.
    pub source: String,
    /// What the file says of itself.
    pub envelope: Envelope,
    path: PathBuf,
}

/// The components of such a pipeline.
pub struct WithLetters<'a> {
    inner: &'a (dyn Components + Send + Sync),
    path: PathBuf,
}

// === impl Fed ===

impl Fed {
    /// Of a pipeline file and a file of letters.
    pub fn new(mut spec: Spec, path: &Path, envelope: Envelope) -> Result<Self, NotFed> {
        let stage = &envelope.stage;
        let Some(at) = spec.stages.iter().position(|known| known.name == *stage) else {
            let known = names(spec.stages.iter().map(|stage| stage.name.as_str()));
            return Err(NotFed::NoStage { stage: stage.clone(), known });
        };
        if spec.stages[at].kind == Kind::Extract {
            return Err(NotFed::NowAnExtract(stage.clone()));
        }
        let (now, then) = (spec.stages[at].inputs.iter().map(|input| &input.written), envelope.inputs.iter().map(|input| &input.name));
        if now.clone().ne(then.clone()) {
            let (now, then) = (names(now.map(String::as_str)), names(then.map(String::as_str)));
            return Err(NotFed::OtherInputs { stage: stage.clone(), now, then });
        }
        let mut source = NAME.to_owned();
        while spec.stages.iter().any(|stage| stage.name == source) {
            source.push('-');
        }
        let kept = downstream(&spec, at);
        let letters = letters(&spec.stages[at], &source);
        for (number, input) in spec.stages[at].inputs.iter_mut().enumerate() {
            (input.stage, input.port) = (source.clone(), Some(port(number)));
        }
        spec.stages =
            std::mem::take(&mut spec.stages).into_iter().enumerate().filter(|(at, _)| kept.contains(at)).map(|(_, s)| s).collect();
        let left: Vec<String> = spec.stages.iter().map(|stage| stage.name.clone()).chain([source.clone()]).collect();
        // What comes from elsewhere has come already.
        spec.stages.iter_mut().for_each(|stage| stage.inputs.retain(|input| left.contains(&input.stage)));
        spec.stages.insert(0, letters);
        Ok(Fed { spec, source, envelope, path: path.to_owned() })
    }

    /// The components of the pipeline, the letters among them.
    pub fn components<'a>(&self, inner: &'a (dyn Components + Send + Sync)) -> WithLetters<'a> {
        WithLetters { inner, path: self.path.clone() }
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn port(input: usize) -> String {
    format!("input_{input}")
}

/// A stage and all that it feeds, by their places.
fn downstream(spec: &Spec, from: usize) -> Vec<usize> {
    let mut kept = vec![from];
    let mut seen = 0;
    while seen < kept.len() {
        let name = &spec.stages[kept[seen]].name;
        let fed = |(at, stage): (usize, &StageSpec)| stage.inputs.iter().any(|input| input.stage == *name).then_some(at);
        let more: Vec<usize> = spec.stages.iter().enumerate().filter_map(fed).filter(|at| !kept.contains(at)).collect();
        kept.extend(more);
        seen += 1;
    }
    kept
}

/// The stage of the letters: its places are those of the stage that they are for, where mistakes are told.
fn letters(of: &StageSpec, name: &str) -> StageSpec {
    let inputs: Vec<InputSpec> = Vec::new();
    let config = serde_json::Value::Object(Default::default());
    StageSpec {
        name: name.to_owned(),
        kind: Kind::Extract,
        component: ComponentRef::Std(NAME.to_owned()),
        inputs,
        config,
        instances: 1,
        on_error: OnError::default(),
        recycle: None,
        ..of.clone()
    }
}

impl Components for WithLetters<'_> {
    fn load(&self, reference: &ComponentRef, origin: &plan::Origin, limits: Loading) -> Result<Arc<dyn Component>, ComponentError> {
        match reference {
            ComponentRef::Std(name) if name == NAME => Ok(Arc::new(Letters(self.path.clone()))),
            _ => self.inner.load(reference, origin, limits),
        }
    }

    fn std_names(&self) -> Vec<String> {
        self.inner.std_names()
    }
}

/// A file of dead letters as a component.
struct Letters(PathBuf);

/// The same, open.
struct Open {
    reader: Reader,
    ports: Vec<Port>,
    /// Read and not fed yet: of another input than what came before.
    next: Option<Rows>,
    fed: u64,
}

fn failed<T>(error: impl ToString) -> Call<T> {
    Call { outcome: Err(StageError::Data(error.to_string()).into()), usage: Usage::default() }
}

impl Component for Letters {
    fn kind(&self) -> Kind {
        Kind::Extract
    }

    fn digest(&self) -> Digest {
        Digest::of(NAME.as_bytes())
    }

    fn description(&self) -> Result<Arc<Description>, CallError> {
        Ok(Arc::new(Description {
            name: NAME.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Feeds dead letters back".to_owned(),
            documentation: String::new(),
            config_schema: serde_json::json!({"type": "object"}),
            stateful: false,
        }))
    }

    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open_extract(&self, _: &Opening) -> Call<(Box<dyn Extract>, Vec<Port>)> {
        let reader = match Reader::open(&self.0) {
            Ok(reader) => reader,
            Err(error) => return failed(error),
        };
        let inputs = reader.envelope.inputs.iter().enumerate();
        let ports: Vec<Port> = inputs.map(|(at, input)| Port { name: port(at), schema: Arc::clone(&input.schema) }).collect();
        let open: Box<dyn Extract> = Box::new(Open { reader, ports: ports.clone(), next: None, fed: 0 });
        Call { outcome: Ok((open, ports)), usage: Usage::default() }
    }

    fn open_transform(&self, _: &Opening) -> Call<(Box<dyn Transform>, Vec<Port>)> {
        failed("it is an extract")
    }

    fn open_load(&self, _: &Opening) -> Call<Box<dyn Load>> {
        failed("it is an extract")
    }
}

impl Open {
    /// Rows of one input that came one after the other.
    fn gather(&mut self) -> Result<Option<Rows>, super::Unreadable> {
        let Some(first) = self.next.take().map_or_else(|| self.reader.read(), |rows| Ok(Some(rows)))? else { return Ok(None) };
        let Rows { input, batch, mut calls } = first;
        let (mut count, mut batches) = (batch.num_rows(), vec![batch]);
        while count < ROWS {
            match self.reader.read()? {
                Some(more) if more.input == input && count + more.batch.num_rows() <= ROWS => {
                    count += more.batch.num_rows();
                    batches.push(more.batch);
                    calls.extend(more.calls);
                }
                other => {
                    self.next = other;
                    break;
                }
            }
        }
        let together = arrow::compute::concat_batches(&self.ports[input].schema, &batches);
        let batch = together.map_err(|error| super::Unreadable::Other { path: String::new(), why: error.to_string() })?;
        Ok(Some(Rows { input, batch, calls }))
    }
}

impl Extract for Open {
    fn next(&mut self) -> Call<Option<Extracted>> {
        let started = std::time::Instant::now();
        let rows = match self.gather() {
            Ok(Some(rows)) => rows,
            Ok(None) => return Call { outcome: Ok(None), usage: Usage { fuel_exact: true, ..Usage::default() } },
            Err(error) => return failed(error),
        };
        let Rows { input, batch, mut calls } = rows;
        calls.truncate(LINKS);
        self.fed += batch.num_rows() as u64;
        let origins = vec![PortOrigins { port: input as u32, columns: vec![Origin::Table; batch.num_columns()].into() }];
        let usage = Usage {
            started: Some(started),
            fuel_exact: true,
            host: started.elapsed(),
            rows_out: batch.num_rows() as u64,
            bytes_stayed: batch::size(&batch),
            origins,
            said: Said { written_by: calls, ..Said::default() }.into(),
            ..Usage::default()
        };
        let position = self.fed.to_le_bytes().to_vec();
        let batch: Arc<RecordBatch> = Arc::new(batch);
        Call { outcome: Ok(Some(Extracted { port: input as u32, batch, position })), usage }
    }
}
