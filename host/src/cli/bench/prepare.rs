//! What measuring needs: a plan, the rows that reach its transforms, components in engines that account otherwise, and a receiver.

use std::{collections::HashMap, path::Path, sync::Arc};

use super::Arguments;
use crate::{
    bench::{Captured, Load, Machine, capture, watch::Spans},
    catalog::Catalog,
    cli::{
        Exit, PipelineFile, exit,
        session::{self, Planned},
    },
    measure::median,
    pipeline::{
        diagnostic,
        plan::{ComponentRef, Components as _, Plan, PlannedStage},
        spec::Spec,
    },
    tables::NativeTables,
    telemetry::otlp::{Environment, shown, sink},
    wasm::{Accounting, Cache, Runtime},
    words::stage::Kind,
};

/// A pipeline, and what reaches its transforms.
pub struct Prepared {
    /// As written.
    pub spec: Spec,
    /// As checked.
    pub plan: Plan,
    /// Where its components come from.
    pub catalog: Catalog,
    /// What reaches the transforms that are measured.
    pub captured: Vec<Captured>,
    /// Rows that its extracts gave.
    pub rows_taken: usize,
    /// Rows of an ordinary batch.
    pub own_batch_rows: usize,
}

/// Plans a pipeline and takes rows through it.
pub fn prepare(file: &Path, arguments: &Arguments, colour: bool) -> Result<Prepared, Exit> {
    let Planned { spec, mut plan, catalog, .. } = session::plan(&PipelineFile::of(file), colour)?;
    known(&plan, &arguments.stage, file)?;
    let mut captured = capture(&mut plan, arguments.rows as usize).map_err(|failed| {
        Exit::Broken(anyhow::anyhow!("{failed}\n  = help: a pipeline is measured that runs; `parshall run {}` says more", file.display()))
    })?;
    let rows = |captured: &Captured| captured.inputs.iter().flatten().map(|batch| batch.num_rows()).sum::<usize>();
    let first = captured.iter().find(|captured| rows(captured) > 0);
    let mut sizes: Vec<f64> = first.iter().flat_map(|first| first.inputs.iter().flatten()).map(|batch| batch.num_rows() as f64).collect();
    let (own_batch_rows, rows_taken) = (median(&mut sizes) as usize, first.map_or(0, rows));
    captured.retain(|captured| arguments.stage.is_empty() || arguments.stage.contains(&plan.stages[captured.stage].name));
    for captured in captured.iter().filter(|captured| rows(captured) == 0) {
        exit::tell(format_args!("note: no row reaches stage `{}`: it is not measured", plan.stages[captured.stage].name));
    }
    if captured.iter().all(|captured| rows(captured) == 0) {
        return Err(Exit::Wrong(format!("{}: no row reaches a transform, so there is nothing to measure", file.display())));
    }
    Ok(Prepared { spec, plan, catalog, captured, rows_taken, own_batch_rows })
}

/// There is a transform, and those that are named are.
fn known(plan: &Plan, named: &[String], file: &Path) -> Result<(), Exit> {
    let transforms: Vec<&str> = plan.stages.iter().filter(|stage| stage.kind == Kind::Transform).map(|stage| stage.name.as_str()).collect();
    if transforms.is_empty() {
        let why = "it has no transform, and calls of transforms are what is measured";
        return Err(Exit::Wrong(format!("{}: {why}", file.display())));
    }
    match named.iter().find(|name| !transforms.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let nearest = diagnostic::nearest(name, transforms.iter().copied());
            let help = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            Err(Exit::Wrong(format!("--stage: {} has no transform `{name}`, only `{}`{help}", file.display(), transforms.join("`, `"))))
        }
    }
}

/// Loads a stage's component into an engine that accounts as asked.
pub fn loader(prepared: &Prepared) -> Result<Box<Load<'static>>, Exit> {
    let mut catalogs: HashMap<Accounting, Catalog> = HashMap::new();
    for rung in crate::bench::Rung::ALL {
        let accounting = rung.accounting();
        if accounting != Accounting::default() && !catalogs.contains_key(&accounting) {
            let runtime = Runtime::with(accounting, Cache::from_env(), Arc::new(NativeTables::default()));
            let runtime = runtime.map_err(|error| anyhow::anyhow!("the WebAssembly engine could not be created: {error:#}"))?;
            catalogs.insert(accounting, Catalog::new(runtime));
        }
    }
    let origin = prepared.spec.origin();
    Ok(Box::new(move |stage: &PlannedStage, accounting: Accounting| match catalogs.get(&accounting) {
        None => Ok(Arc::clone(&stage.component)),
        Some(catalog) => catalog.load(&stage.reference, &origin, stage.opening.limits.loading()).map_err(|error| error.message),
    }))
}

/// A reference to a component that was typed, from where it was typed.
pub fn typed(component: &str) -> Result<ComponentRef, Exit> {
    Ok(match session::reference(component)? {
        ComponentRef::Path(path) => ComponentRef::Path(std::path::absolute(path).map_err(anyhow::Error::from)?),
        known => known,
    })
}

/// Where the last rung's spans go: the collector that the environment names, or a receiver in this process. And its name.
pub fn receiver() -> Result<(Spans, String), Exit> {
    let environment = Environment::process();
    let named = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"].into_iter().find_map(|name| environment.get(name));
    if let Some(endpoint) = named {
        let name = shown(endpoint);
        let all = environment.with("OTEL_TRACES_SAMPLER", "always_on");
        return Ok((Spans::of(&all).map_err(|error| Exit::Wrong(error.to_string()))?, name));
    }
    let endpoint = sink::listen().map_err(|error| anyhow::anyhow!("no port for a receiver on loopback: {error}"))?;
    let name = format!("a receiver in this process ({endpoint})");
    Ok((Spans::to(&endpoint), name))
}

/// What this runs on.
pub fn machine() -> Machine {
    let line = |text: String, of: &str| {
        text.lines().find_map(|line| line.strip_prefix(of).map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned()))
    };
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    Machine {
        processor: line(read("/proc/cpuinfo"), "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        system: format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease").trim()).trim().to_owned(),
    }
}
