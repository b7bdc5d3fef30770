//! Reading dead letters, also those that a crash has cut off.

use std::{
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{Array as _, AsArray as _},
    datatypes::DataType,
    error::ArrowError,
    ipc::reader::StreamReader,
};

use super::{FORMAT, ROW, meta};
use crate::words::{
    batch::{RecordBatch, Schema, SchemaRef},
    stage::Input,
    trace::{SpanContext, SpanId, TraceId},
};

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It cannot be opened.
    #[error("cannot open `{path}`: {error}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// It is something else.
    #[error("`{path}` is no file of dead letters: {why}")]
    Other {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

/// What a file says of itself.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The pipeline file.
    pub file: PathBuf,
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage.
    pub stage: String,
    /// Its inputs as they were, by the number of the input.
    pub inputs: Vec<Input>,
}

/// A file that is being read.
pub struct Reader {
    /// What it says of itself.
    pub envelope: Envelope,
    path: String,
    stream: StreamReader<BufReader<File>>,
    /// Where the columns with rows begin.
    rows: usize,
    ended: bool,
}

/// Rows that came by one input, all in one batch.
pub struct Rows {
    /// Which.
    pub input: usize,
    /// The rows.
    pub batch: RecordBatch,
    /// The calls that failed on them.
    pub calls: Vec<SpanContext>,
}

// === impl Reader ===

impl Reader {
    /// Opens a file and reads what it says of itself.
    pub fn open(path: &Path) -> Result<Self, Unreadable> {
        let shown = path.display().to_string();
        let file = File::open(path).map_err(|error| Unreadable::Io { path: shown.clone(), error })?;
        let other = |why: String| Unreadable::Other { path: shown.clone(), why };
        let stream = StreamReader::try_new(BufReader::new(file), None).map_err(|error| other(error.to_string()))?;
        let schema = stream.schema();
        let said = |key: &str| schema.metadata().get(key).cloned().ok_or_else(|| other(format!("its metadata has no `{key}`")));
        let format = said(meta::FORMAT)?;
        if format != FORMAT {
            return Err(other(format!("it is of form {format}, and this program reads form {FORMAT}")));
        }
        let is_row =
            |name: &str| name == ROW || name.strip_prefix(ROW).is_some_and(|rest| rest.trim_start_matches('_').parse::<u32>().is_ok());
        let rows = schema.fields().iter().position(|field| is_row(field.name())).ok_or_else(|| other("it has no rows".into()))?;
        let inputs = schema.fields()[rows..].iter().map(|field| match field.data_type() {
            DataType::Struct(fields) => {
                let mut metadata = field.metadata().clone();
                let name = metadata.remove(meta::INPUT).unwrap_or_default();
                Ok(Input { name, schema: Arc::new(Schema::new_with_metadata(fields.clone(), metadata)) })
            }
            found => Err(other(format!("its column `{}` is {found}, not a struct", field.name()))),
        });
        let envelope = Envelope {
            file: said(meta::FILE)?.into(),
            pipeline: said(meta::PIPELINE)?,
            stage: said(meta::STAGE)?,
            inputs: inputs.collect::<Result<_, _>>()?,
        };
        Ok(Reader { envelope, path: shown, stream, rows, ended: false })
    }

    /// The next rows; nothing at the end, or where the file was cut off.
    pub fn read(&mut self) -> Result<Option<Rows>, Unreadable> {
        while !self.ended {
            match self.stream.next() {
                None => self.ended = true,
                // Whoever wrote it was killed meanwhile: what is whole has been read.
                Some(Err(ArrowError::IoError(_, error))) if error.kind() == io::ErrorKind::UnexpectedEof => self.ended = true,
                Some(Err(error)) => return Err(Unreadable::Other { path: self.path.clone(), why: error.to_string() }),
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => return self.rows(&batch).map(Some),
            }
        }
        Ok(None)
    }

    fn rows(&self, batch: &RecordBatch) -> Result<Rows, Unreadable> {
        let columns = &batch.columns()[self.rows..];
        let Some(input) = columns.iter().position(|column| column.null_count() == 0) else {
            return Err(Unreadable::Other { path: self.path.clone(), why: "a batch of it has no rows".into() });
        };
        let schema: SchemaRef = Arc::clone(&self.envelope.inputs[input].schema);
        let (_, arrays, _) = columns[input].as_struct().clone().into_parts();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let rows = RecordBatch::try_new_with_options(schema, arrays, &options);
        let rows = rows.map_err(|error| Unreadable::Other { path: self.path.clone(), why: error.to_string() })?;
        Ok(Rows { input, batch: rows, calls: calls(batch) })
    }
}

/// The calls that failed on rows, each once.
fn calls(batch: &RecordBatch) -> Vec<SpanContext> {
    let texts = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let (Some(traces), Some(spans)) = (texts("trace_id"), texts("span_id")) else { return Vec::new() };
    let mut calls: Vec<SpanContext> = Vec::new();
    for (trace, span) in traces.iter().zip(spans.iter()) {
        let context = trace.and_then(TraceId::parse).zip(span.and_then(SpanId::parse));
        if let Some((trace, span)) = context.filter(|(_, span)| calls.iter().all(|known| known.span != *span)) {
            calls.push(SpanContext { trace, span, sampled: true });
        }
    }
    calls
}
