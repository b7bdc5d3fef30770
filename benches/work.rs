//! The work that benches and the guards of their figures do: rows, components over them, and the same by Arrow's kernels alone.
//!
//! Rows have 16 int64 columns, `c0` to `c15`: pseudo-random values, half of which exceed 0; the last has 16 distinct ones.

// Every bench is a program of its own, and uses a part of this.
#![allow(dead_code)]

use std::{hint::black_box, path::PathBuf, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray as _, BooleanArray, Float64Array, Int64Array, RecordBatch},
    buffer::Buffer,
    compute::{filter_record_batch, kernels},
    datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef},
};
use parshall::{
    tables::NativeTables,
    wasm::{Accounting, Cache, Runtime, WasmComponent},
    words::{
        call::{Call, CallError},
        digest::Digest,
        grants::Grants,
        limits::Limits,
        observe::StageFacts,
        stage::{Component, Description, Extract, Input, Kind, Load, Opening, Port, Transform, Transformed},
        usage::Usage,
    },
};
use serde_json::{Value, json};

pub const COLUMNS: usize = 16;
/// Groups of the aggregate.
pub const GROUPS: i64 = 16;

/// What a stage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Reads nothing, passes everything on.
    Noop,
    /// `c0 > 0`: reads one column, answers a bitmap.
    Filter,
    /// `c0 + c1` as float64: reads two columns, makes one.
    Derive,
    /// Count and sum of `c0` by `c15`: reads two columns, puts nothing out until the end.
    Aggregate,
}

impl Work {
    pub const ALL: [Work; 4] = [Work::Noop, Work::Filter, Work::Derive, Work::Aggregate];

    pub fn name(self) -> &'static str {
        match self {
            Work::Noop => "noop",
            Work::Filter => "filter",
            Work::Derive => "derive",
            Work::Aggregate => "aggregate",
        }
    }

    /// The component in `plugins/dist` that does it.
    pub fn component(self) -> &'static str {
        match self {
            Work::Noop => "testing/noop",
            other => other.name(),
        }
    }

    pub fn config(self) -> Value {
        match self {
            Work::Noop => json!({}),
            Work::Filter => json!({ "where": "c0 > 0" }),
            Work::Derive => json!({ "columns": { "sum": "CAST(c0 AS float64) + CAST(c1 AS float64)" } }),
            Work::Aggregate => json!({ "group_by": ["c15"], "aggregates": { "rows": "count()", "sum": "sum(c0)" } }),
        }
    }

    /// An instance in this runtime.
    pub fn open(self, runtime: &Runtime, schema: &SchemaRef) -> Box<dyn Transform> {
        open(&load(runtime, self.component()), self.config(), schema)
    }

    /// What an instance of it is opened with.
    pub fn opening(self, schema: &SchemaRef) -> Opening {
        opening(self.config(), schema)
    }

    /// What an observer is told of it.
    pub fn facts(self, schema: &SchemaRef) -> StageFacts {
        StageFacts {
            name: "bench".into(),
            kind: Kind::Transform,
            component: self.name().into(),
            version: "0.1.0".into(),
            digest: "3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1".into(),
            instances: 1,
            sources: vec!["in".into()],
            columns: vec![schema.fields().iter().map(|field| field.name().clone()).collect()],
            datasets: Vec::new(),
            queue_bound: None,
            memory_limit: 256 << 20,
        }
    }

    /// The same as a component that is none: kernels of this machine's own processor where a guest would be.
    pub fn natively(self, crossing: Crossing) -> Arc<dyn Component> {
        Arc::new(Natively(self, crossing))
    }

    /// Columns that it reads.
    fn reads(self) -> &'static [usize] {
        match self {
            Work::Noop => &[],
            Work::Filter => &[0],
            Work::Derive => &[0, 1],
            Work::Aggregate => &[15, 0],
        }
    }
}

/// What becomes of the bytes that a sandbox would be given, and give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// They stay where they are.
    Nothing,
    /// They are copied, once in and once out, as they must be where a guest has a memory of its own.
    Copied,
}

/// Work without a sandbox, where a component is asked for.
struct Natively(Work, Crossing);

impl Component for Natively {
    fn kind(&self) -> Kind {
        Kind::Transform
    }

    fn digest(&self) -> Digest {
        Digest::of(&[])
    }

    fn description(&self) -> Result<Arc<Description>, CallError> {
        let name = self.0.name().to_owned();
        let (version, summary, documentation) = (String::new(), String::new(), String::new());
        Ok(Arc::new(Description { name, version, summary, documentation, config_schema: json!({}), stateful: self.0 == Work::Aggregate }))
    }

    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open_extract(&self, _: &Opening) -> Call<(Box<dyn Extract>, Vec<Port>)> {
        wrong_kind()
    }

    fn open_transform(&self, _: &Opening) -> Call<(Box<dyn Transform>, Vec<Port>)> {
        let (work, crossing) = (self.0, self.1);
        let native = Native { work, crossing, inside: Vec::new(), counts: [0; GROUPS as usize], sums: [0; GROUPS as usize] };
        Call { outcome: Ok((Box::new(native), Vec::new())), usage: Usage::default() }
    }

    fn open_load(&self, _: &Opening) -> Call<Box<dyn Load>> {
        wrong_kind()
    }
}

fn wrong_kind<T>() -> Call<T> {
    Call { outcome: Err(CallError::Host("work is a transform".to_owned())), usage: Usage::default() }
}

impl Transform for Native {
    fn process(&mut self, _: u32, batch: &Arc<RecordBatch>) -> Call<Transformed> {
        self.work(batch);
        Call { outcome: Ok(Transformed::default()), usage: Usage::default() }
    }

    fn finish(&mut self) -> Call<Option<Transformed>> {
        Call { outcome: Ok(None), usage: Usage::default() }
    }

    fn snapshot(&mut self) -> Call<Vec<u8>> {
        Call { outcome: Ok(Vec::new()), usage: Usage::default() }
    }
}

/// Work without a sandbox. The aggregate knows its groups beforehand, so it is as fast as one can be.
struct Native {
    work: Work,
    crossing: Crossing,
    /// What was copied in.
    inside: Vec<Vec<u8>>,
    counts: [u64; GROUPS as usize],
    sums: [i64; GROUPS as usize],
}

impl Native {
    fn work(&mut self, batch: &Arc<RecordBatch>) {
        if self.crossing == Crossing::Copied {
            self.copy_in(batch);
        }
        match self.work {
            Work::Noop => _ = black_box(Arc::clone(batch)),
            Work::Filter => {
                let mask = mask(batch);
                self.copy_out(mask.values().inner());
                black_box(filter_record_batch(batch, &mask).unwrap());
            }
            Work::Derive => {
                let derived = derive(batch);
                self.copy_out(derived.column(COLUMNS).as_primitive::<Float64Type>().values().inner());
                black_box(derived);
            }
            Work::Aggregate => {
                let (keys, values) = (batch.column(15).as_primitive::<Int64Type>(), batch.column(0).as_primitive::<Int64Type>());
                for (key, value) in keys.values().iter().zip(values.values()) {
                    let group = (*key & (GROUPS - 1)) as usize;
                    self.counts[group] += 1;
                    self.sums[group] = self.sums[group].wrapping_add(*value);
                }
                black_box(self.counts[0]);
            }
        }
    }

    fn copy_in(&mut self, batch: &RecordBatch) {
        self.inside.resize(self.work.reads().len(), Vec::new());
        for (column, inside) in self.work.reads().iter().zip(&mut self.inside) {
            inside.clear();
            inside.extend_from_slice(batch.column(*column).as_primitive::<Int64Type>().values().inner());
            black_box(inside.as_slice());
        }
    }

    fn copy_out(&self, made: &Buffer) {
        if self.crossing == Crossing::Copied {
            black_box(made.to_vec());
        }
    }
}

/// `c0 > 0`
pub fn filter(batch: &RecordBatch) -> RecordBatch {
    filter_record_batch(batch, &mask(batch)).unwrap()
}

fn mask(batch: &RecordBatch) -> BooleanArray {
    kernels::cmp::gt(batch.column(0), &Int64Array::new_scalar(0)).unwrap()
}

/// All columns, and `sum`.
pub fn derive(batch: &RecordBatch) -> RecordBatch {
    let float = |column: usize| -> Float64Array { batch.column(column).as_primitive::<Int64Type>().unary(|value| value as f64) };
    let mut columns = batch.columns().to_vec();
    columns.push(kernels::numeric::add(&float(0), &float(1)).unwrap());
    let mut fields = batch.schema_ref().fields().to_vec();
    fields.push(Arc::new(Field::new("sum", DataType::Float64, true)));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// So many rows.
pub fn batch(rows: usize) -> Arc<RecordBatch> {
    let column = |seed: usize| {
        let mut state = seed as u64 + 1;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = (state >> 33) as i64 - (1 << 30);
            if seed == COLUMNS - 1 { value & (GROUPS - 1) } else { value }
        };
        Arc::new(Int64Array::from_iter_values((0..rows).map(next))) as ArrayRef
    };
    let fields: Vec<_> = (0..COLUMNS).map(|n| Field::new(format!("c{n}"), DataType::Int64, true)).collect();
    Arc::new(RecordBatch::try_new(Arc::new(Schema::new(fields)), (0..COLUMNS).map(column).collect()).unwrap())
}

/// A runtime with a cache of components that benches share.
pub fn runtime(accounting: Accounting) -> Runtime {
    let cache = Cache::at(std::env::temp_dir().join("parshall-bench-components"));
    Runtime::with(accounting, cache, Arc::new(NativeTables::default())).unwrap()
}

/// A component of `plugins/dist`.
pub fn load(runtime: &Runtime, name: &str) -> WasmComponent {
    let path = PathBuf::from(format!("{}/../plugins/dist/{name}.wasm", env!("CARGO_MANIFEST_DIR")));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run plugins/build", path.display()));
    runtime.load(&bytes).unwrap()
}

/// An instance of it, with every limit at its default but memory: interpreters of languages take more.
pub fn open(component: &WasmComponent, config: Value, schema: &SchemaRef) -> Box<dyn Transform> {
    component.open_transform(&opening(config, schema)).outcome.unwrap_or_else(|error| panic!("{error}")).0
}

/// What an instance is opened with.
pub fn opening(config: Value, schema: &SchemaRef) -> Opening {
    Opening {
        stage: "bench".into(),
        config,
        inputs: vec![Input { name: "in".into(), schema: Arc::clone(schema) }],
        limits: Limits { memory: 2 << 30, ..Limits::default() },
        grants: Grants::default(),
        restore: None,
    }
}
