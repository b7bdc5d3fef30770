//! What all calls of a stage have in common, as the bytes that it becomes in every span: made once, copied from then on.

use std::sync::{Arc, PoisonError, RwLock};

use opentelemetry::trace::TraceState;

use super::record::CallRecord;
use crate::{
    telemetry::{
        names::attribute as a,
        otlp::protobuf::{Key, Of, Writer, element},
    },
    words::{
        observe::{Export, RunFacts, StageFacts},
        stage::Kind,
        tables::Dataset,
        trace::{SpanContext, TraceId},
    },
};

static PIPELINE: Key = Key::new(a::PIPELINE);
static STAGE: Key = Key::new(a::STAGE);
static KIND: Key = Key::new(a::KIND);
static COMPONENT: Key = Key::new(a::COMPONENT);
static VERSION: Key = Key::new(a::VERSION);
static DIGEST: Key = Key::new(a::DIGEST);
static SOURCE: Key = Key::new(a::SOURCE);
static EXPORT: Key = Key::new(a::EXPORT);
static OUTCOME: Key = Key::new(a::OUTCOME);
static DATASET_NAME: Key = Key::new(a::DATASET_NAME);
static DATASET_FORMAT: Key = Key::new(a::DATASET_FORMAT);
static DATASET_LOCATION: Key = Key::new(a::DATASET_LOCATION);

/// Fields of a span and values of its `kind` (`opentelemetry/proto/trace/v1/trace.proto`).
pub mod field {
    pub const NAME: u32 = 5;
    pub const KIND: u32 = 6;
    pub const INTERNAL: u64 = 1;
    pub const CLIENT: u64 = 3;
}

/// Generations of a stage that are remembered: a call is encoded soon after it was made.
const GENERATIONS: usize = 8;

/// Every export, in the order of their numbers.
const EXPORTS: [Export; 5] = [Export::Next, Export::Process, Export::Finish, Export::Write, Export::Commit];

/// Of a run.
pub struct Constants {
    /// The attribute that all spans have.
    pub pipeline: Vec<u8>,
    /// Whose trace has a state of vendors', and the state: it goes with all its spans.
    state: (TraceId, String),
    /// Of each stage by generation, the latest last. Read where spans are encoded, written when a version is tried.
    stages: RwLock<Vec<Generations>>,
    /// What the call of each export has: the export, and how it ended.
    exports: [[Vec<u8>; 2]; 5],
}

/// Of a stage, with their numbers.
type Generations = Vec<(u32, Arc<StageBytes>)>;

/// Of a stage.
pub struct StageBytes {
    /// Its name.
    pub stage: String,
    /// Name and kind of the span of a call of each export.
    names: [Vec<u8>; 5],
    /// Attributes of every call.
    pub common: Vec<u8>,
    /// The attribute of a batch that it brought into being.
    pub source: Vec<u8>,
    /// Names of the columns of each input, as elements of a list.
    columns: Vec<Vec<Vec<u8>>>,
    /// The tables it reads or writes, if that is its trade, and the attributes that say so.
    datasets: (Vec<Dataset>, Vec<u8>),
}

// === impl Constants ===

impl Constants {
    /// Of a run that is part of a trace.
    pub fn of(run: &RunFacts, trace: TraceId, state: &TraceState) -> Self {
        let attribute = |key, text: &str| bytes(|writer| writer.string(Of::Span, key, text));
        let pipeline = attribute(&PIPELINE, &run.pipeline);
        let ended =
            |export: Export| ["ok", "error"].map(|outcome| [attribute(&EXPORT, export.as_str()), attribute(&OUTCOME, outcome)].concat());
        let made = Constants { pipeline, state: (trace, state.header()), stages: RwLock::default(), exports: EXPORTS.map(ended) };
        run.stages.iter().enumerate().for_each(|(stage, facts)| made.version(stage, 1, facts));
        made
    }

    /// What calls of a generation of a stage will have in common.
    pub fn version(&self, stage: usize, generation: u32, facts: &StageFacts) {
        let bytes = Arc::new(StageBytes::of(facts, &self.pipeline));
        let mut stages = self.stages.write().unwrap_or_else(PoisonError::into_inner);
        if stages.len() <= stage {
            stages.resize_with(stage + 1, Vec::new);
        }
        let generations = &mut stages[stage];
        generations.retain(|(known, _)| *known != generation);
        generations.push((generation, bytes));
        let surplus = generations.len().saturating_sub(GENERATIONS);
        generations.drain(..surplus);
    }

    /// Of a generation of a stage. A record that names one that there is not is a bug, and is told without one.
    pub fn version_of(&self, stage: usize, generation: u32) -> Option<Arc<StageBytes>> {
        let stages = self.stages.read().unwrap_or_else(PoisonError::into_inner);
        let generations = stages.get(stage)?;
        // One that is not remembered any more is told as the oldest that is.
        let known = generations.iter().find(|(known, _)| *known >= generation).or(generations.last());
        known.map(|(_, bytes)| Arc::clone(bytes))
    }

    /// Of a stage: what is the same in all of its generations.
    pub fn stage(&self, stage: usize) -> Option<Arc<StageBytes>> {
        self.version_of(stage, u32::MAX)
    }

    /// What a call of an export has, by how it ended.
    pub fn export(&self, export: Export, failed: bool) -> &[u8] {
        &self.exports[export as usize][usize::from(failed)]
    }

    /// What vendors say of a span's trace.
    pub fn state(&self, of: SpanContext) -> &str {
        if of.trace == self.state.0 { &self.state.1 } else { "" }
    }
}

// === impl StageBytes ===

impl StageBytes {
    fn of(stage: &StageFacts, pipeline: &[u8]) -> Self {
        let name = |export: Export| {
            bytes(|writer| {
                writer.text(field::NAME, &format!("{} {}", export.as_str(), stage.name));
                writer.number(field::KIND, field::INTERNAL);
            })
        };
        let common = bytes(|writer| {
            writer.put(pipeline);
            writer.string(Of::Span, &STAGE, &stage.name);
            writer.string(Of::Span, &KIND, &stage.kind.to_string());
            writer.string(Of::Span, &COMPONENT, &stage.component);
            writer.string(Of::Span, &VERSION, &stage.version);
            writer.string(Of::Span, &DIGEST, short(&stage.digest));
        });
        let datasets = if stage.kind == Kind::Transform { Vec::new() } else { stage.datasets.clone() };
        let told = bytes(|writer| write_datasets(writer, &datasets.iter().collect::<Vec<_>>()));
        StageBytes {
            stage: stage.name.clone(),
            names: EXPORTS.map(name),
            common,
            source: bytes(|writer| writer.string(Of::Span, &SOURCE, &stage.name)),
            columns: stage.columns.iter().map(|input| input.iter().map(|name| element(name)).collect()).collect(),
            datasets: (datasets, told),
        }
    }

    /// Name and kind of the span of a call.
    pub fn name(&self, export: Export) -> &[u8] {
        &self.names[export as usize]
    }

    /// The names of the columns that a call read, as elements of a list.
    pub fn columns_read<'a>(&'a self, call: &'a CallRecord) -> impl Iterator<Item = &'a [u8]> + Clone {
        let names = self.columns.get(call.input as usize).map_or(&[][..], Vec::as_slice);
        call.columns().filter_map(|column| names.get(column as usize).map(Vec::as_slice))
    }

    /// The tables of a call: the stage's own and those that the call opened.
    pub fn write_datasets(&self, call: &CallRecord, writer: &mut Writer) {
        let (own, told) = &self.datasets;
        let opened = call.rare.as_ref().map_or(&[][..], |rare| &rare.datasets);
        if opened.is_empty() {
            return writer.put(told);
        }
        let mut all: Vec<_> = own.iter().collect();
        for dataset in opened {
            if !all.iter().any(|known| known.location == dataset.location) {
                all.push(dataset);
            }
        }
        write_datasets(writer, &all);
    }
}

fn bytes(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    write(&mut writer);
    writer.written().to_vec()
}

fn write_datasets(writer: &mut Writer, datasets: &[&Dataset]) {
    if datasets.is_empty() {
        return;
    }
    let mut list = |key, told: &dyn Fn(&Dataset) -> String| {
        let elements: Vec<_> = datasets.iter().map(|dataset| element(&told(dataset))).collect();
        writer.strings(Of::Span, key, elements.iter().map(Vec::as_slice));
    };
    list(&DATASET_NAME, &|dataset| name(&dataset.location));
    list(&DATASET_FORMAT, &|dataset| dataset.format.to_string());
    list(&DATASET_LOCATION, &|dataset| without_secrets(&dataset.location));
}

/// Twelve digits tell components apart; a label of sixty-four tells nobody anything more.
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// What a dataset is called: the last part of its location.
pub fn name(location: &str) -> String {
    let trimmed = location.trim_end_matches('/');
    trimmed.rsplit(['/', ':']).next().unwrap_or(trimmed).to_owned()
}

/// A location without the credentials that URLs can hold: `s3://key:secret@bucket/x` is `s3://bucket/x`.
pub fn without_secrets(location: &str) -> String {
    let Some((scheme, rest)) = location.split_once("://") else { return location.to_owned() };
    let authority = rest.find('/').unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => location.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against credentials that leave with spans.
    #[test]
    fn locations_are_told_without_credentials() {
        for (location, told, called) in [
            ("s3://key:secret@bucket/a/b.parquet", "s3://bucket/a/b.parquet", "b.parquet"),
            ("data/sales.parquet", "data/sales.parquet", "sales.parquet"),
            ("sqlite:out/x.db", "sqlite:out/x.db", "x.db"),
            ("data/a@b/", "data/a@b/", "a@b"),
        ] {
            assert_eq!((without_secrets(location).as_str(), name(location).as_str()), (told, called));
        }
    }

    /// Protects a swap's spans: each call is told with the component that it was a call of, whichever runs by the time it is encoded.
    #[test]
    fn every_generation_is_told_by_its_own_digest() {
        let facts = |digest: &str| StageFacts {
            name: "stage".into(),
            kind: Kind::Transform,
            component: "c.wasm".into(),
            version: String::new(),
            digest: digest.into(),
            instances: 1,
            sources: Vec::new(),
            columns: Vec::new(),
            datasets: Vec::new(),
            queue_bound: None,
            memory_limit: 0,
        };
        let run = RunFacts { pipeline: "p".into(), stages: vec![facts("digest-1")], settings: Default::default() };
        let constants = Constants::of(&run, TraceId::fresh(), &TraceState::NONE);
        (2..=20).for_each(|generation| constants.version(0, generation, &facts(&format!("digest-{generation}"))));
        let told = |generation| String::from_utf8_lossy(&constants.version_of(0, generation).unwrap().common).into_owned();
        assert!(told(20).contains("digest-20") && told(14).contains("digest-14"));
        assert!(told(2).contains("digest-13"), "the oldest that is remembered");
        constants.version(1, 1, &facts("added"));
        assert_eq!(constants.stage(1).map(|stage| stage.stage.clone()).as_deref(), Some("stage"));
        assert!(constants.stage(2).is_none());
    }

    /// Protects against names and outcomes of one export that are told of another.
    #[test]
    fn exports_are_in_the_order_of_their_numbers() {
        assert!(EXPORTS.iter().enumerate().all(|(at, export)| *export as usize == at));
    }
}
