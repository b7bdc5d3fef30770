//! The reference stage `scale` as somebody writes it who has the WIT and nothing else.

use std::sync::OnceLock;

wit_bindgen::generate!({ world: "transformer", path: "../../../wit" });

use exports::parshall::stage::transform::{Answer, Description, Frame, Guest, Input, Port, StageError};
use parshall::stage::types::{Arrays, Column, Columns, ConfigError, FieldFlags, Node, Output, Rejection, Rows, Schema, SchemaError};
use serde_json::{Map, Value};

struct Plain;

struct Scale {
    column: u32,
    width: u32,
    whole: bool,
    factor: f64,
    rejects: bool,
    reason: String,
}

static OPEN: OnceLock<Scale> = OnceLock::new();

const SCHEMA: &str = r#"{"type": "object", "required": ["column"], "additionalProperties": false, "properties": {
"column": {"type": "string"}, "factor": {"type": "number", "default": 2}, "nulls": {"enum": ["keep", "reject"], "default": "keep"}}}"#;

impl Guest for Plain {
    fn describe() -> Description {
        Description {
            name: "scale-plain".into(),
            version: "0.1.0".into(),
            summary: "Multiplies an int64 or float64 column by a factor".into(),
            documentation: String::new(),
            config_schema: SCHEMA.into(),
            stateful: false,
        }
    }

    fn open(config: String, inputs: Vec<Input>, _: Option<Vec<u8>>) -> Result<Vec<Port>, StageError> {
        let settings: Map<String, Value> = serde_json::from_str(&config).map_err(|error| wrong("", &error.to_string()))?;
        if let Some(unknown) = settings.keys().find(|key| !["column", "factor", "nulls"].contains(&key.as_str())) {
            return Err(wrong(&format!("/{}", unknown.replace('~', "~0").replace('/', "~1")), "there is no such setting"));
        }
        let name = settings.get("column").ok_or_else(|| wrong("", "`column` is missing"))?;
        let name = name.as_str().ok_or_else(|| wrong("/column", "expected a string"))?;
        let factor = settings.get("factor").map_or(Some(2.0), Value::as_f64).ok_or_else(|| wrong("/factor", "expected a number"))?;
        let rejects = match settings.get("nulls").map_or(Some("keep"), Value::as_str) {
            Some("keep") => false,
            Some("reject") => true,
            _ => return Err(wrong("/nulls", "expected `keep` or `reject`")),
        };
        let schema = inputs.into_iter().next().ok_or_else(|| wrong("", "there is no input"))?.schema;
        let (column, whole) = find(&schema, name)?;
        if whole && factor.fract() != 0.0 {
            return Err(wrong("/factor", "an int64 column wants a whole number"));
        }
        let width = columns(&schema).count() as u32;
        OPEN.get_or_init(|| Scale { column, width, whole, factor, rejects, reason: format!("`{name}` is null") });
        Ok(vec![Port { name: "out".into(), schema }])
    }

    fn process(_: u32, _: u64, frame: &Frame) -> Result<Answer, StageError> {
        let scale = OPEN.get().ok_or_else(|| StageError::Internal("not open".into()))?;
        let arrays = frame.read(&[scale.column]).map_err(|error| StageError::Data(error.to_string()))?;
        Ok(scale.answer(arrays))
    }

    fn finish() -> Result<Option<Answer>, StageError> {
        Ok(None)
    }

    fn snapshot() -> Result<Vec<u8>, StageError> {
        Ok(Vec::new())
    }
}

impl Scale {
    fn answer(&self, arrays: Arrays) -> Answer {
        let Arrays { nodes, buffers } = arrays;
        let (bits, values) = (&buffers[0], &buffers[1]);
        let valid = |row: usize| bits.is_empty() || bits[row / 8] >> (row % 8) & 1 != 0;
        let rejecting = self.rejects && nodes[0].null_count > 0;
        let (mut made, mut rejections) = (Vec::with_capacity(values.len()), Vec::new());
        for (row, value) in values.chunks_exact(8).enumerate() {
            if rejecting && !valid(row) {
                rejections.push(Rejection { row: row as u32, reason: self.reason.clone() });
                continue;
            }
            made.extend(self.times(value.try_into().expect("eight bytes")));
        }
        let source = |column| if column == self.column { Column::Made } else { Column::Input(column) };
        let null_count = if rejecting { 0 } else { nodes[0].null_count };
        let node = Node { length: made.len() as u64 / 8, null_count, variadic: 0 };
        let validity = if null_count > 0 { bits.clone() } else { Vec::new() };
        let output = Output {
            port: 0,
            rows: if rejecting { Rows::Bitmap(bits.clone()) } else { Rows::All },
            columns: Columns::Each((0..self.width).map(source).collect()),
            made: Arrays { nodes: vec![node], buffers: vec![validity, made] },
        };
        Answer { outputs: vec![output], rejections }
    }

    fn times(&self, value: [u8; 8]) -> [u8; 8] {
        match self.whole {
            true => i64::from_le_bytes(value).wrapping_mul(self.factor as i64).to_le_bytes(),
            false => (f64::from_le_bytes(value) * self.factor).to_le_bytes(),
        }
    }
}

fn wrong(pointer: &str, message: &str) -> StageError {
    StageError::Config(ConfigError { pointer: pointer.into(), offset: None, message: message.into(), help: None })
}

/// Where in the fields each column begins.
fn columns(schema: &Schema) -> impl Iterator<Item = usize> {
    fn after(schema: &Schema, at: usize) -> usize {
        let field = &schema.fields[at];
        let values = usize::from(field.flags.contains(FieldFlags::DICTIONARY_ENCODED));
        (0..values + field.children as usize).fold(at + 1, |next, _| after(schema, next))
    }
    let next = |at: &usize| Some(after(schema, *at)).filter(|next| *next < schema.fields.len());
    std::iter::successors((!schema.fields.is_empty()).then_some(0), next)
}

/// A column's index, and whether it is of int64.
fn find(schema: &Schema, name: &str) -> Result<(u32, bool), StageError> {
    let found = columns(schema).map(|at| &schema.fields[at]).enumerate().find(|(_, field)| field.name == name);
    let (index, field) = found.ok_or_else(|| wrong("/column", &format!("there is no column `{name}`")))?;
    let plain = !field.flags.contains(FieldFlags::DICTIONARY_ENCODED);
    match field.format.as_str() {
        "l" if plain => Ok((index as u32, true)),
        "g" if plain => Ok((index as u32, false)),
        other => {
            let message = format!("expected int64 or float64, found the format {other}");
            Err(StageError::Schema(SchemaError { column: Some(name.into()), message }))
        }
    }
}

export!(Plain);
