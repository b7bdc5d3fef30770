//! What all calls of a stage have in common, as the bytes that it becomes in every span: made once, copied from then on.

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

/// Every export, in the order of their numbers.
const EXPORTS: [Export; 5] = [Export::Next, Export::Process, Export::Finish, Export::Write, Export::Commit];

/// Of a run.
pub struct Constants {
    /// The attribute that all spans have.
    pub pipeline: Vec<u8>,
    /// Whose trace has a state of vendors', and the state: it goes with all its spans.
    state: (TraceId, String),
    stages: Vec<StageBytes>,
    /// What the call of each export has: the export, and how it ended.
    exports: [[Vec<u8>; 2]; 5],
}

/// Of a stage.
pub struct StageBytes {
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
        let stages = run.stages.iter().map(|stage| StageBytes::of(stage, &pipeline)).collect();
        Constants { pipeline, state: (trace, state.header()), stages, exports: EXPORTS.map(ended) }
    }

    /// Of a stage. A record that names one that there is not is a bug, and is told without one.
    pub fn stage(&self, stage: usize) -> Option<&StageBytes> {
        self.stages.get(stage)
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
            // Twelve digits tell components apart; a label of sixty-four tells nobody anything more.
            writer.string(Of::Span, &DIGEST, stage.digest.get(..12).unwrap_or(&stage.digest));
        });
        let datasets = if stage.kind == Kind::Transform { Vec::new() } else { stage.datasets.clone() };
        let told = bytes(|writer| write_datasets(writer, &datasets.iter().collect::<Vec<_>>()));
        StageBytes {
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

    /// Protects against names and outcomes of one export that are told of another.
    #[test]
    fn exports_are_in_the_order_of_their_numbers() {
        assert!(EXPORTS.iter().enumerate().all(|(at, export)| *export as usize == at));
    }
}
