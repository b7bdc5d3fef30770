//! Bytes become a component: compiled or taken from the cache, its world checked.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Instant,
};

use wasmtime::component::types::ComponentItem;

use super::{
    cache::Cache,
    compile,
    component::{Loaded, WasmComponent},
    engine::{Accounting, Engine},
    form::{Code, Form},
    imports,
};
use crate::words::{digest::Digest, limits::Loading, outgoing::Outgoing, stage::Kind, tables::Tables};

/// Why bytes are not a component that can be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A core module: a component is needed.
    #[error("it is a core WebAssembly module, not a component; `wasm-tools component new` turns one into the other")]
    CoreModule,
    /// Not WebAssembly at all.
    #[error("it is not WebAssembly: it does not begin with the magic bytes `\\0asm`")]
    NotWasm,
    /// WebAssembly that does not validate or compile.
    #[error("it does not compile: {0}")]
    Invalid(String),
    /// A component that is no stage.
    #[error("it exports none of `extract`, `transform`, `load` of {}@{}{found}", imports::PACKAGE, imports::VERSION)]
    NoStage {
        /// What it exports instead, for the message.
        found: String,
    },
    /// A stage of another version of the contract.
    #[error(
        "it was made for version {version} of the contract ({}/{kind}), and this parshall speaks {}: build it against `wit/` of this \
         version, or run it with a parshall that speaks the other",
        imports::PACKAGE,
        imports::VERSION
    )]
    OtherVersion {
        /// Which stage it is.
        kind: Kind,
        /// The contract's version that it exports.
        version: String,
    },
    /// A stage without some of its functions.
    #[error(
        "it is half of a stage: {}/{kind}@{} is exported without {}; build it against the whole of `wit/`",
        imports::PACKAGE,
        imports::VERSION,
        missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    )]
    Half {
        /// Which stage it is.
        kind: Kind,
        /// What it does not export.
        missing: Vec<&'static str>,
    },
    /// More than a limit allows.
    #[error("limit `{limit}` exceeded by the component: {amounts}")]
    Limit {
        /// The setting's name in the pipeline file.
        limit: &'static str,
        /// What is requested, what is allowed, and the unit.
        amounts: String,
    },
    /// The host cannot compile it now.
    #[error("it cannot be compiled now: {0}")]
    Busy(String),
    /// A component that is several stages.
    #[error("it exports several of `extract`, `transform` and `load`; a stage is one of them")]
    SeveralKinds,
}

/// Loads components: an engine, a cache, and the tables that stages may be granted.
#[derive(Clone)]
pub struct Runtime {
    engine: Engine,
    /// Compiles what counts no fuel; there once somebody needs it.
    uncounted: Arc<OnceLock<Engine>>,
    cache: Cache,
    pub(super) tables: Arc<dyn Tables>,
    pub(super) outgoing: Option<Arc<dyn Outgoing>>,
    /// What is loaded now, by anybody: whoever loads the same bytes again shares it.
    live: Arc<Mutex<Vec<Weak<Loaded>>>>,
}

impl Runtime {
    /// A runtime with full accounting.
    pub fn new(cache: Cache, tables: Arc<dyn Tables>) -> wasmtime::Result<Self> {
        Self::with(Accounting::default(), cache, tables)
    }

    /// A runtime that accounts only for some things, to measure what the rest costs.
    pub fn with(accounting: Accounting, cache: Cache, tables: Arc<dyn Tables>) -> wasmtime::Result<Self> {
        Ok(Self::on(Engine::new(accounting)?, cache, tables))
    }

    /// A runtime with full accounting, whose instances have their memories out of a pool: to measure what that saves.
    pub fn pooled(cache: Cache, tables: Arc<dyn Tables>) -> wasmtime::Result<Self> {
        Ok(Self::on(Engine::pooled(Accounting::default())?, cache, tables))
    }

    fn on(engine: Engine, cache: Cache, tables: Arc<dyn Tables>) -> Self {
        Runtime { engine, uncounted: Arc::default(), cache, tables, outgoing: None, live: Arc::default() }
    }

    /// The same, with an observer of the requests that stages send.
    pub fn observing(self, outgoing: Arc<dyn Outgoing>) -> Self {
        Runtime { outgoing: Some(outgoing), ..self }
    }

    /// Loads a component from its bytes, within the default limits.
    pub fn load(&self, bytes: &[u8]) -> Result<WasmComponent, LoadError> {
        self.load_within(bytes, Loading::default())
    }

    /// Loads a component from its bytes.
    pub fn load_within(&self, bytes: &[u8], limits: Loading) -> Result<WasmComponent, LoadError> {
        let started = Instant::now();
        LoadError::sized(bytes.len() as u64, limits)?;
        match bytes.get(..8) {
            Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => return Err(LoadError::CoreModule),
            Some([0, b'a', b's', b'm', ..]) => {}
            _ => return Err(LoadError::NotWasm),
        }
        let digest = Digest::of(bytes);
        let (loaded, mut compiled) = match self.live(digest) {
            Some(loaded) => (loaded, false),
            None => {
                let (code, compiled) = self.code(&self.engine, digest, bytes, limits)?;
                let (kind, imports) = world(&self.engine, &code)?;
                let (counted, size) = (Form::new(self.engine.clone(), code), bytes.len() as u64);
                let (uncounted, description) = (OnceLock::new(), OnceLock::new());
                let loaded = Arc::new(Loaded { counted, uncounted, digest, kind, imports, size, description });
                self.lock().push(Arc::downgrade(&loaded));
                (loaded, compiled)
            }
        };
        if limits.uncounted && loaded.uncounted.get().is_none() {
            let engine = self.engine_of_uncounted().map_err(|error| LoadError::Busy(format!("{error:#}")))?;
            let (code, anew) = self.code(&engine, digest, bytes, limits)?;
            compiled |= anew;
            let _ = loaded.uncounted.set(Form::new(engine, code));
        }
        Ok(WasmComponent { runtime: self.clone(), loaded, compiled, loading: started.elapsed() })
    }

    /// Machine code of a component, and whether it had to be compiled.
    fn code(&self, engine: &Engine, digest: Digest, bytes: &[u8], limits: Loading) -> Result<(Code, bool), LoadError> {
        if let Some(kept) = self.cache.get(engine, digest) {
            return Ok((kept, false));
        }
        let fresh = compile::within(&engine.inner, bytes, limits.time)?;
        self.cache.keep(engine, digest, &fresh);
        Ok((fresh, true))
    }

    fn engine_of_uncounted(&self) -> wasmtime::Result<Engine> {
        if let Some(engine) = self.uncounted.get() {
            return Ok(engine.clone());
        }
        let engine = Engine::new(Accounting { fuel: false, ..self.engine.accounting })?;
        Ok(self.uncounted.get_or_init(|| engine).clone())
    }

    /// What was loaded from these bytes and has not been let go of.
    fn live(&self, digest: Digest) -> Option<Arc<Loaded>> {
        let mut live = self.lock();
        live.retain(|loaded| loaded.strong_count() > 0);
        live.iter().filter_map(Weak::upgrade).find(|loaded| loaded.digest == digest)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Loaded>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl LoadError ===

impl LoadError {
    /// Whether a component of this size may be loaded.
    pub fn sized(bytes: u64, limits: Loading) -> Result<(), LoadError> {
        if bytes <= limits.bytes {
            return Ok(());
        }
        Err(LoadError::Limit { limit: "component_bytes", amounts: format!("{bytes} requested, {} allowed (bytes)", limits.bytes) })
    }

    /// The limit that was exceeded, if that is why.
    pub fn limit(&self) -> Option<&'static str> {
        match self {
            LoadError::Limit { limit, .. } => Some(limit),
            _ => None,
        }
    }
}

/// Which stage a component is, and what it imports.
fn world(engine: &Engine, component: &wasmtime::component::Component) -> Result<(Kind, Vec<String>), LoadError> {
    let types = component.component_type();
    let exports: Vec<_> = types.exports(&engine.inner).map(|(name, _)| name.to_owned()).collect();
    let kinds: Vec<_> = [Kind::Extract, Kind::Transform, Kind::Load]
        .into_iter()
        .filter(|kind| exports.contains(&imports::interface(&kind.to_string())))
        .collect();
    let imports = types
        .imports(&engine.inner)
        // An interface of types alone asks for nothing.
        .filter(|(_, item)| !only_types(engine, &item.ty))
        .map(|(name, _)| name.to_owned())
        .collect();
    match kinds[..] {
        [kind] => {
            let missing = missing(engine, component, kind);
            if missing.is_empty() { Ok((kind, imports)) } else { Err(LoadError::Half { kind, missing }) }
        }
        [] => Err(of_another_version(&exports).unwrap_or_else(|| LoadError::NoStage { found: found(&exports) })),
        _ => Err(LoadError::SeveralKinds),
    }
}

/// Functions of the contract that a stage of this kind does not export.
fn missing(engine: &Engine, component: &wasmtime::component::Component, kind: Kind) -> Vec<&'static str> {
    let types = component.component_type();
    let interface = types.get_export(&engine.inner, &imports::interface(&kind.to_string()));
    let exported = |name: &str| match interface.as_ref().map(|export| &export.ty) {
        Some(ComponentItem::ComponentInstance(instance)) => instance.get_export(&engine.inner, name).is_some(),
        _ => false,
    };
    functions(kind).iter().copied().filter(|name| !exported(name)).collect()
}

/// The functions of a kind's interface.
fn functions(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Extract => &["describe", "open", "next"],
        Kind::Transform => &["describe", "open", "process", "finish", "snapshot"],
        Kind::Load => &["describe", "open", "write", "commit", "snapshot"],
    }
}

/// Whether what is exported is a stage, but of another version of the contract.
fn of_another_version(exports: &[String]) -> Option<LoadError> {
    let ours = exports.iter().filter_map(|name| name.strip_prefix(imports::PACKAGE)?.strip_prefix('/'));
    ours.filter_map(|name| name.split_once('@')).find_map(|(name, version)| {
        let kind = [Kind::Extract, Kind::Transform, Kind::Load].into_iter().find(|kind| kind.to_string() == name)?;
        Some(LoadError::OtherVersion { kind, version: version.to_owned() })
    })
}

fn found(exports: &[String]) -> String {
    match exports {
        [] => "; it exports nothing".into(),
        exports => format!("; it exports {}", exports.iter().take(8).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

fn only_types(engine: &Engine, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(&engine.inner).all(|(_, export)| matches!(export.ty, ComponentItem::Type(_)))
        }
        ComponentItem::Type(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a function of the contract that nobody misses when a component is loaded.
    #[test]
    fn functions_are_those_of_the_contract() {
        let contract = include_str!("../../../wit/stages.wit");
        for kind in [Kind::Extract, Kind::Transform, Kind::Load] {
            let (_, interface) = contract.split_once(&format!("interface {kind} {{")).expect("its interface");
            let (interface, _) = interface.split_once("\n}").expect("its end");
            let names: Vec<_> = interface.lines().filter_map(|line| line.trim().split_once(": func(")).map(|(name, _)| name).collect();
            assert_eq!(functions(kind), names, "of {kind}");
        }
    }
}
