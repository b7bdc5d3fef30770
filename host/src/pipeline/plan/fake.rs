//! Components that live in memory, for the tests of plans and graphs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use arrow::datatypes::{DataType, Field, Schema};
use serde_json::{Value, json};

use super::{ComponentError, ComponentErrorKind, ComponentRef, Components, Origin};
use crate::words::{
    batch::{RecordBatch, SchemaRef},
    call::{Call, CallError, StageError},
    digest::Digest,
    limits::Loading,
    stage::*,
    usage::Usage,
};

/// Knows `std:read`, `split-read`, `filter`, `split`, `sum`, `write`, and some that misbehave.
#[derive(Default)]
pub(crate) struct Fakes {
    pub loads: AtomicUsize,
}

/// One of them, by name.
struct Fake(&'static str);

const NAMES: [&str; 12] =
    ["clock", "dials", "filter", "logger", "read", "rejecting-port", "split", "split-read", "sum", "trapping", "wide-read", "write"];

/// An open one: it is never called.
struct Idle;

// === impl Fakes ===

impl Components for Fakes {
    fn load(&self, reference: &ComponentRef, _: &Origin, _: Loading) -> Result<Arc<dyn Component>, ComponentError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let found = NAMES.into_iter().find(|name| *reference == ComponentRef::Std((*name).to_owned()));
        found.map(|name| Arc::new(Fake(name)) as Arc<dyn Component>).ok_or_else(|| ComponentError {
            kind: ComponentErrorKind::NotFound { nearest: None },
            message: format!("`{reference}` does not exist"),
            help: None,
        })
    }

    fn std_names(&self) -> Vec<String> {
        NAMES.map(str::to_owned).to_vec()
    }
}

pub(crate) fn schema(columns: &[&str]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect::<Vec<_>>()))
}

fn port(name: &str, schema: SchemaRef) -> Port {
    Port { name: name.to_owned(), schema }
}

fn call<T>(outcome: Result<T, CallError>) -> Call<T> {
    Call { outcome, usage: Usage::default() }
}

// === impl Fake ===

impl Fake {
    /// A filter keeps its input's columns and checks the words of `where`; a sum puts out `total` of its `column`.
    fn ports(&self, opening: &Opening) -> Result<Vec<Port>, CallError> {
        let input = || opening.inputs[0].schema.clone();
        let wide: Vec<String> = (0..20).map(|at| format!("c{at}")).collect();
        Ok(match self.0 {
            "read" => {
                text(opening, "path")?;
                vec![port("out", schema(&["a", "b"]))]
            }
            "wide-read" => vec![port("out", schema(&wide.iter().map(String::as_str).collect::<Vec<_>>()))],
            "split-read" => vec![port("x", schema(&["a"])), port("y", schema(&["rejected_by"]))],
            "filter" => {
                known_words(text(opening, "where")?, &input())?;
                vec![port("out", input())]
            }
            "split" => vec![port("yes", input()), port("no", input())],
            "sum" => {
                let column = text(opening, "column")?;
                if input().column_with_name(column).is_none() {
                    return Err(StageError::Schema { column: Some(column.to_owned()), message: "there is none".to_owned() }.into());
                }
                vec![port("out", schema(&["total"]))]
            }
            "rejecting-port" => vec![port("rejected", input())],
            "trapping" => {
                return Err(CallError::Trap { reason: "unreachable", message: "wasm trap\nbacktrace".to_owned() });
            }
            _ => vec![port("out", input())],
        })
    }
}

fn config_error(pointer: &str, offset: Option<u32>, message: String) -> CallError {
    StageError::Config { pointer: pointer.to_owned(), offset, message, help: None }.into()
}

fn text<'a>(opening: &'a Opening, key: &str) -> Result<&'a str, CallError> {
    opening.config.get(key).and_then(Value::as_str).ok_or_else(|| config_error("", None, format!("`{key}` is missing")))
}

fn known_words(text: &str, schema: &Schema) -> Result<(), CallError> {
    let unknown = text.split(' ').find(|word| word.starts_with(char::is_alphabetic) && schema.column_with_name(word).is_none());
    let Some(word) = unknown else { return Ok(()) };
    let offset = text.find(word).unwrap() as u32;
    Err(config_error("/where", Some(offset), format!("unknown column `{word}`")))
}

impl Component for Fake {
    fn kind(&self) -> Kind {
        match self.0 {
            "read" | "split-read" | "wide-read" => Kind::Extract,
            "write" => Kind::Load,
            _ => Kind::Transform,
        }
    }

    fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    fn description(&self) -> Result<Arc<Description>, CallError> {
        let properties = match self.0 {
            "read" => json!({"path": {}, "options": {"properties": {"batch_rows": {}}, "additionalProperties": false}}),
            "filter" => json!({"where": {}}),
            _ => json!({"column": {}}),
        };
        Ok(Arc::new(Description {
            name: self.0.to_owned(),
            version: "1".to_owned(),
            summary: String::new(),
            documentation: String::new(),
            config_schema: json!({"type": "object", "properties": properties, "additionalProperties": false}),
            stateful: self.0 == "sum",
        }))
    }

    fn imports(&self) -> Vec<String> {
        let mut imports = vec!["parshall:stage/types@0.1.0".to_owned(), "parshall:stage/frames@0.1.0".to_owned()];
        imports.extend(match self.0 {
            "read" | "write" => vec!["parshall:stage/tables@0.1.0".to_owned()],
            "logger" => vec!["parshall:stage/telemetry@0.1.0".to_owned(), "parshall:stage/state@0.1.0".to_owned()],
            "clock" => ["clocks/wall-clock", "clocks/monotonic-clock", "io/poll"].map(|name| format!("wasi:{name}@0.2.6")).to_vec(),
            "dials" => vec!["wasi:sockets/tcp@0.2.6".to_owned(), "wasi:keyvalue/store@0.2.0".to_owned(), "wasi:io/poll@0.2.6".to_owned()],
            _ => vec![],
        });
        imports
    }

    fn open_extract(&self, opening: &Opening) -> Call<(Box<dyn Extract>, Vec<Port>)> {
        call(self.ports(opening).map(|ports| (Box::new(Idle) as Box<dyn Extract>, ports)))
    }

    fn open_transform(&self, opening: &Opening) -> Call<(Box<dyn Transform>, Vec<Port>)> {
        call(self.ports(opening).map(|ports| (Box::new(Idle) as Box<dyn Transform>, ports)))
    }

    fn open_load(&self, _opening: &Opening) -> Call<Box<dyn Load>> {
        call(Ok(Box::new(Idle)))
    }
}

// === impl Idle ===

impl Extract for Idle {
    fn next(&mut self) -> Call<Option<Extracted>> {
        unreachable!("a plan calls nothing but `open`")
    }
}

impl Transform for Idle {
    fn process(&mut self, _input: u32, _batch: &Arc<RecordBatch>) -> Call<Transformed> {
        unreachable!("a plan calls nothing but `open`")
    }
    fn finish(&mut self) -> Call<Option<Transformed>> {
        unreachable!("a plan calls nothing but `open`")
    }
    fn snapshot(&mut self) -> Call<Vec<u8>> {
        unreachable!("a plan calls nothing but `open`")
    }
}

impl Load for Idle {
    fn write(&mut self, _input: u32, _batch: &Arc<RecordBatch>) -> Call<Vec<Rejection>> {
        unreachable!("a plan calls nothing but `open`")
    }
    fn commit(&mut self, _last: bool) -> Call<Receipt> {
        unreachable!("a plan calls nothing but `open`")
    }
    fn snapshot(&mut self) -> Call<Vec<u8>> {
        unreachable!("a plan calls nothing but `open`")
    }
}
