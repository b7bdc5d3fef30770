//! From a pipeline file to a plan, timed: where a start spends its time.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{Exit, PipelineFile, exit};
use crate::{
    catalog::Catalog,
    pipeline::{
        diagnostic,
        plan::{BUILD, ComponentErrorKind, ComponentRef, Origin, Plan},
        spec::Spec,
    },
    registry::{Registry, Store, Unpinned},
    tables::NativeTables,
    wasm::{Cache, Runtime, WasmComponent},
    words::{
        delivery::{Delivery, Kept},
        limits::Loading,
        oci,
    },
};

/// Where a start spent its time, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Startup {
    /// Reading and checking the file.
    pub spec: f64,
    /// Creating the engine.
    pub engine: f64,
    /// Loading components (compiling those that are not cached) and opening stages.
    pub plan: f64,
    /// All of it.
    pub total: f64,
}

impl Startup {
    /// Of its parts.
    pub fn of(spec: Duration, engine: Duration, plan: Duration) -> Self {
        let seconds = |duration: Duration| duration.as_secs_f64();
        Startup { spec: seconds(spec), engine: seconds(engine), plan: seconds(plan), total: seconds(spec + engine + plan) }
    }
}

/// A pipeline file that can run.
pub struct Planned {
    /// As written.
    pub spec: Spec,
    /// As checked.
    pub plan: Plan,
    /// Where its components come from.
    pub catalog: Catalog,
    /// What it took.
    pub startup: Startup,
}

/// The catalog of components over a new runtime.
pub fn catalog() -> Result<Catalog, Exit> {
    catalog_over(NativeTables::default(), Unpinned::default())
}

/// The same, with a rule for tags of registries.
pub fn catalog_with(unpinned: Unpinned) -> Result<Catalog, Exit> {
    catalog_over(NativeTables::default(), unpinned)
}

fn catalog_over(tables: NativeTables, unpinned: Unpinned) -> Result<Catalog, Exit> {
    let runtime = Runtime::new(Cache::from_env(), Arc::new(tables));
    let registry = Registry::new(Store::from_env()).with(unpinned);
    let runtime = runtime.map_err(|error| anyhow::anyhow!("the WebAssembly engine could not be created: {error:#}"))?;
    Ok(Catalog::new(runtime).with_registry(registry))
}

/// A component, as it is named on the command line: paths start in the working folder.
pub fn reference(text: &str) -> Result<ComponentRef, Exit> {
    text.parse()
        .map_err(|wrong| Exit::Wrong(format!("`{text}` names no component in a registry: {wrong}\n  = help: expected {}", oci::EXPECTED)))
}

/// The component of that name, or what is wrong with it and what to do.
pub fn component(catalog: &Catalog, reference: &ComponentRef) -> Result<WasmComponent, Exit> {
    component_within(catalog, reference, Loading::default())
}

/// The same, with other bounds on loading it.
pub fn component_within(catalog: &Catalog, reference: &ComponentRef, loading: Loading) -> Result<WasmComponent, Exit> {
    catalog.component(reference, &Origin::folder("."), loading).map_err(|error| {
        let standard = || Catalog::names().map(|name| format!("std:{name}")).collect::<Vec<_>>().join(", ");
        let help = error.advice(reference).or_else(|| match (&error.kind, reference) {
            (ComponentErrorKind::NotFound { .. }, ComponentRef::Std(_)) => Some(format!("the standard stages are {}", standard())),
            (ComponentErrorKind::NotFound { .. }, ComponentRef::Path(_)) => Some(BUILD.to_owned()),
            _ => None,
        });
        let help = help.map(|help| format!("\n  = help: {help}")).unwrap_or_default();
        Exit::Wrong(format!("{}{help}", error.message))
    })
}

/// A pipeline file, as written.
pub fn read(file: &Path, colour: bool) -> Result<Spec, Exit> {
    Spec::load(file).map_err(|diagnostics| Exit::diagnostics(&diagnostics, colour))
}

/// The plan of a pipeline file that is not to be run. Warnings go to standard error.
pub fn plan(pipeline: &PipelineFile, colour: bool) -> Result<Planned, Exit> {
    let started = Instant::now();
    let spec = read(&pipeline.file, colour)?;
    let delivery = spec.delivery.checkpoint.map(|_| Arc::new(Delivery::new(Delivery::name(), 0, None)));
    plan_of(spec, started, pipeline.locked, (delivery, &[]), colour)
}

/// The plan of a pipeline file that was read since `started`, for a run that goes on from a checkpoint or takes some. Locked, it has what
/// its lock file says.
pub fn plan_of(
    spec: Spec,
    started: Instant,
    locked: bool,
    (delivery, kept): (Option<Arc<Delivery>>, &[Kept]),
    colour: bool,
) -> Result<Planned, Exit> {
    let read = started.elapsed();
    let unpinned = if locked { Unpinned::Refuse } else { Unpinned::Pin };
    let catalog = catalog_over(delivery.map_or_else(NativeTables::default, NativeTables::delivering), unpinned)?;
    let created = started.elapsed();
    let plan = Plan::resumed(&spec, &catalog, kept).map_err(|diagnostics| Exit::diagnostics(&diagnostics, colour))?;
    let planned = started.elapsed();
    if !plan.warnings.is_empty() {
        exit::tell(format_args!("{}", diagnostic::render_all(&plan.warnings, colour).trim_end()));
    }
    let startup = Startup::of(read, created - read, planned - created);
    Ok(Planned { spec, plan, catalog, startup })
}
