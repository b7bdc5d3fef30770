//! In a stage of ours, called as a worker of a run calls it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use parshall::{
    bench::{self, Batches, Rung, watch::Watch},
    measure,
    tables::NativeTables,
    wasm::{Cache, Runtime},
    words::{
        grants::Grants,
        limits::Limits,
        observe::StageFacts,
        stage::{Component, Input, Kind, Opening},
        usage::Usage,
    },
};
use serde_json::json;

use super::arrays;
use crate::{arm::Arm, functions::Function, rows::Columns};

/// Calls of which the parts are told.
const PARTS: usize = 500;

pub struct Parshall<'a> {
    arm: bench::Arm<'a>,
    component: Arc<dyn Component>,
    opening: &'a Opening,
    watch: &'a Watch,
    batches: Batches,
}

impl<'a> Parshall<'a> {
    /// With what a rung of the ladder has around a call.
    pub fn open(function: Function, rung: Rung, opening: &'a Opening, watch: &'a Watch, batches: &[Columns]) -> Result<Self> {
        let cache = Cache::at(std::env::temp_dir().join("parshall-bench-components"));
        let runtime = Runtime::with(rung.accounting(), cache, Arc::new(NativeTables::default())).map_err(|error| anyhow!("{error:#}"))?;
        let component: Arc<dyn Component> = Arc::new(runtime.load(&component(function)?)?);
        let arm = bench::Arm::open(Arc::clone(&component), opening, watch)?;
        let captured: Vec<_> = batches.iter().map(|columns| Arc::new(arrays::batch(columns))).collect();
        let rows = captured[0].num_rows();
        let batches = bench::batches(&[captured], rows)?.context("rows")?;
        Ok(Parshall { arm, component, opening, watch, batches })
    }

    /// Where the time of a call goes, by its own clock, and its fuel.
    pub fn parts(&mut self) -> Result<String> {
        let usages = (0..PARTS).map(|_| self.arm.call(&self.batches)).collect::<Result<Vec<_>, _>>()?;
        let of = |part: fn(&Usage) -> Duration| {
            1e6 * measure::median(&mut usages.iter().map(|usage| part(usage).as_secs_f64()).collect::<Vec<_>>())
        };
        let (guest, copy, host) = (of(|usage| usage.guest), of(|usage| usage.copy), of(|usage| usage.host));
        Ok(format!("guest {guest:.2} µs, copying and checking {copy:.2} µs, host {host:.2} µs; {} units of fuel", usages[0].fuel))
    }
}

impl Arm for Parshall<'_> {
    fn call(&mut self) -> Result<()> {
        self.arm.call(&self.batches)?;
        Ok(())
    }

    fn answer(&mut self) -> Result<Columns> {
        let (mut instance, _) = self.component.open_transform(self.opening).outcome?;
        let (input, batch) = self.batches.nth(0);
        let answer = instance.process(input, batch).outcome?;
        Ok(arrays::columns(&answer.outputs[0].1))
    }

    fn records(&self) -> bool {
        self.watch.records()
    }

    fn settle(&self) {
        if self.watch.is_full() {
            self.watch.settle();
        }
    }
}

/// What a stage is opened with.
pub fn opening(function: Function, batches: &[Columns]) -> Opening {
    let config = match function {
        Function::Filter => json!({ "where": "c0 > 0" }),
        _ => json!({ "function": function.name() }),
    };
    let inputs = vec![Input { name: "in".into(), schema: arrays::batch(&batches[0]).schema() }];
    Opening { stage: "peers".into(), config, inputs, limits: Limits::default(), grants: Grants::default(), restore: None }
}

/// What is told to who watches.
pub fn facts(opening: &Opening) -> StageFacts {
    StageFacts {
        name: "peers".into(),
        kind: Kind::Transform,
        component: "functions".into(),
        version: "0.1.0".into(),
        digest: "3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1".into(),
        instances: 1,
        sources: vec!["in".into()],
        columns: opening.inputs.iter().map(|input| input.schema.fields().iter().map(|field| field.name().clone()).collect()).collect(),
        datasets: Vec::new(),
        queue_bound: None,
        memory_limit: 256 << 20,
    }
}

/// The filter is the one that everybody has.
fn component(function: Function) -> Result<Vec<u8>> {
    if function == Function::Filter {
        return super::read(&super::root().join("plugins/dist/filter.wasm"));
    }
    super::read(&super::root().join("target/peers/functions.wasm"))
}
