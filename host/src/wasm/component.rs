//! Bytes become a component: compiled or taken from the cache, its world checked. A component opens as instances.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::{Duration, Instant},
};

use wasmtime::component::{InstancePre, Linker, types::ComponentItem};

use super::{
    cache::Cache,
    compile, contract,
    engine::{Accounting, Engine},
    extract::WasmExtract,
    failure,
    host::Host,
    imports::{
        self,
        wasi::{self, Wasi},
    },
    instance::Instance,
    load::WasmLoad,
    schema::{self, SchemaError},
    transform::{WasmTransform, said},
};
use crate::words::{
    call::{Call, CallError, StageError},
    digest::Digest,
    grants::Grants,
    limits::{Limits, Loading},
    outgoing::Outgoing,
    stage::{Component, Description, Extract, Input, Kind, Load, Opening, Port, Transform},
    tables::Tables,
    usage::Usage,
};

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
    cache: Cache,
    tables: Arc<dyn Tables>,
    outgoing: Option<Arc<dyn Outgoing>>,
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
        Ok(Runtime { engine: Engine::new(accounting)?, cache, tables, outgoing: None, live: Arc::default() })
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
        if let Some(loaded) = self.live(digest) {
            return Ok(WasmComponent { runtime: self.clone(), loaded, compiled: false, loading: started.elapsed() });
        }
        let (inner, compiled) = match self.cache.get(&self.engine, digest) {
            Some(kept) => (kept, false),
            None => {
                let fresh = compile::within(&self.engine.inner, bytes, limits.time)?;
                self.cache.keep(&self.engine, digest, &fresh);
                (fresh, true)
            }
        };
        let (kind, imports) = world(&self.engine, &inner)?;
        let (size, description, linked) = (bytes.len() as u64, OnceLock::new(), Mutex::default());
        let loaded = Arc::new(Loaded { inner, digest, kind, imports, size, description, linked });
        self.lock().push(Arc::downgrade(&loaded));
        Ok(WasmComponent { runtime: self.clone(), loaded, compiled, loading: started.elapsed() })
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
        [kind] => Ok((kind, imports)),
        [] => Err(of_another_version(&exports).unwrap_or_else(|| LoadError::NoStage { found: found(&exports) })),
        _ => Err(LoadError::SeveralKinds),
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

/// A compiled component whose world is known.
pub struct WasmComponent {
    runtime: Runtime,
    loaded: Arc<Loaded>,
    compiled: bool,
    loading: Duration,
}

/// What is the same for all who have loaded the same bytes.
struct Loaded {
    inner: wasmtime::component::Component,
    digest: Digest,
    kind: Kind,
    imports: Vec<String>,
    size: u64,
    description: OnceLock<Result<Arc<Description>, CallError>>,
    /// Linked with what certain grants give: another instance costs no more than its memory.
    linked: Mutex<Vec<(Grants, InstancePre<Host>)>>,
}

/// Grants that a component is kept linked for: stages that share one seldom have other grants each.
const LINKED: usize = 8;

impl WasmComponent {
    /// Bytes of the component.
    pub fn size(&self) -> u64 {
        self.loaded.size
    }

    /// Whether loading had to compile it.
    pub fn compiled(&self) -> bool {
        self.compiled
    }

    /// How long loading took.
    pub fn loading(&self) -> Duration {
        self.loading
    }

    /// The imports that must be granted, or are not to be had here, each with what to do about it.
    pub fn needs(&self) -> Vec<(String, String)> {
        let need = |import: &String| Some((import.clone(), imports::missing(import, &Grants::default())?));
        self.loaded.imports.iter().filter_map(need).collect()
    }

    fn imports_wasi(&self) -> bool {
        wasi::is_wanted(&self.loaded.imports)
    }

    /// What stands beside a new instance.
    fn host(&self, stage: &str, limits: Limits, grants: Grants) -> Host {
        let wasi = self.imports_wasi().then(|| Box::new(Wasi::new(stage, &limits, &grants, self.runtime.outgoing.clone())));
        let mut host = Host::new(stage, limits, grants, Arc::clone(&self.runtime.tables));
        host.wasi = wasi;
        host
    }

    fn instance(&self, opening: &Opening) -> Result<Instance, CallError> {
        for import in &self.loaded.imports {
            if let Some(help) = imports::missing(import, &opening.grants) {
                return Err(CallError::Ungranted { import: import.clone(), help });
            }
        }
        let linked = self.linked(&opening.grants)?;
        let host = self.host(&opening.stage, opening.limits.clone(), opening.grants.clone());
        Instance::new(&self.runtime.engine, &linked, host, &self.loaded.kind.to_string())
    }

    /// Linked with what these grants give; once for each.
    fn linked(&self, grants: &Grants) -> Result<InstancePre<Host>, CallError> {
        let mut kept = self.loaded.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, linked)) = kept.iter().find(|(known, _)| known == grants) {
            return Ok(linked.clone());
        }
        let linked = self.link(imports::linker(&self.runtime.engine, grants, self.imports_wasi()))?;
        if kept.len() >= LINKED {
            kept.remove(0);
        }
        kept.push((grants.clone(), linked.clone()));
        Ok(linked)
    }

    fn link(&self, linker: wasmtime::Result<Linker<Host>>) -> Result<InstancePre<Host>, CallError> {
        let linker = linker.map_err(|error| CallError::Host(format!("{error:#}")))?;
        let failed = |error| failure::no_room(&error).unwrap_or(CallError::Trap { reason: "abi", message: format!("{error:#}") });
        linker.instantiate_pre(&self.loaded.inner).map_err(failed)
    }

    fn begin(&self, opening: &Opening, kind: Kind) -> Result<Instance, CallError> {
        if self.loaded.kind != kind {
            return Err(CallError::Host(format!("the component is a {}, and was opened as a {kind}", self.loaded.kind)));
        }
        self.instance(opening)
    }

    fn describe(&self) -> Result<Arc<Description>, CallError> {
        let host = self.host("describe", Limits::describing(), Grants::default());
        let unknown = self
            .loaded
            .imports
            .iter()
            .find_map(|import| imports::missing(import, &imports::everything()).map(|help| (import.clone(), help)));
        if let Some((import, help)) = unknown {
            return Err(CallError::Ungranted { import, help });
        }
        let linked = self.link(imports::linker_for_describe(&self.runtime.engine, self.imports_wasi()))?;
        let mut instance = Instance::new(&self.runtime.engine, &linked, host, &self.loaded.kind.to_string())?;
        let describe = instance.function::<(), (contract::Description,)>("describe")?;
        let (said, _) = instance.call(&describe, (), None);
        let said = said?;
        let texts = [&said.name, &said.version, &said.summary, &said.documentation, &said.config_schema];
        let length: usize = texts.iter().map(|text| text.len()).sum();
        if length > DESCRIPTION {
            let why = format!("`describe` answers {length} bytes of text, and {DESCRIPTION} are allowed");
            return Err(CallError::Malformed(why));
        }
        let config_schema = serde_json::from_str(&said.config_schema)
            .map_err(|error| CallError::Malformed(format!("`describe` answers a configuration schema that is not JSON: {error}")))?;
        Ok(Arc::new(Description {
            name: said.name,
            version: said.version,
            summary: said.summary,
            documentation: said.documentation,
            config_schema,
            stateful: said.stateful,
        }))
    }
}

/// Bytes of all texts of a description: a manual of a hundred pages.
const DESCRIPTION: usize = 256 << 10;

/// A call that failed before the guest ran.
fn failed<T>(error: CallError) -> Call<T> {
    Call { outcome: Err(error), usage: Usage::default() }
}

/// The inputs in the contract's form; a column that cannot cross is named.
fn lower_inputs(inputs: &[Input]) -> Result<Vec<contract::Input>, CallError> {
    let lower = |input: &Input| {
        let schema = schema::lower(&input.schema).map_err(|error| {
            let column = match &error {
                schema::SchemaError::Refused { column, .. } => Some(column.clone()),
                _ => None,
            };
            CallError::Stage(StageError::Schema { column, message: format!("from input `{}`: {error}", input.name) })
        })?;
        Ok(contract::Input { name: input.name.clone(), schema })
    };
    inputs.iter().map(lower).collect()
}

/// The ports that a guest declared: at least one, names usable, schemas sound.
fn lift_ports(ports: Vec<contract::Port>, limits: &Limits) -> Result<Vec<Port>, CallError> {
    let malformed = |why: String| CallError::Malformed(format!("the ports that `open` declares: {why}"));
    if ports.is_empty() || ports.len() > 64 {
        return Err(malformed(format!("{} ports; between 1 and 64 are allowed", ports.len())));
    }
    let mut lifted: Vec<Port> = Vec::with_capacity(ports.len());
    for port in ports {
        let usable =
            !port.name.is_empty() && port.name.len() <= 64 && port.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !usable || port.name == "rejected" || lifted.iter().any(|known| known.name == port.name) {
            let shown: String = port.name.chars().take(64).collect();
            return Err(malformed(format!("the name {shown:?} is taken, reserved, or not made of letters, digits, `_` and `-`")));
        }
        let schema = schema::lift(port.schema, limits).map_err(|error| match error {
            SchemaError::TooLarge { limit, requested, allowed, unit } => CallError::over(limit, requested, allowed, unit),
            error => malformed(format!("port `{}`: {error}", port.name)),
        })?;
        lifted.push(Port { name: port.name, schema });
    }
    Ok(lifted)
}

/// A port that repeats an input's schema gets that very one: passing columns on is then known to fit by a pointer.
fn shared(ports: Vec<Port>, inputs: &[Input]) -> Vec<Port> {
    let share = |port: Port| match inputs.iter().find(|input| input.schema == port.schema) {
        Some(input) => Port { schema: Arc::clone(&input.schema), ..port },
        None => port,
    };
    ports.into_iter().map(share).collect()
}

impl Component for WasmComponent {
    fn kind(&self) -> Kind {
        self.loaded.kind
    }

    fn digest(&self) -> Digest {
        self.loaded.digest
    }

    fn description(&self) -> Result<Arc<Description>, CallError> {
        self.loaded.description.get_or_init(|| self.describe()).clone()
    }

    fn imports(&self) -> Vec<String> {
        self.loaded.imports.clone()
    }

    fn open_extract(&self, opening: &Opening) -> Call<(Box<dyn Extract>, Vec<Port>)> {
        type Parameters = (String, Option<Vec<u8>>);
        type Answer = (Result<Vec<contract::Port>, contract::StageError>,);
        let begin = || {
            let mut instance = self.begin(opening, Kind::Extract)?;
            let open = instance.function::<Parameters, Answer>("open")?;
            Ok((instance, open))
        };
        let (mut instance, open) = match begin() {
            Ok(begun) => begun,
            Err(error) => return failed(error),
        };
        let (outcome, metering) = instance.call(&open, (opening.config.to_string(), opening.restore.clone()), None);
        let opened = said(outcome, &opening.limits).and_then(|ports| lift_ports(ports, &opening.limits)).and_then(|ports| {
            let extract = WasmExtract::new(instance, ports.clone())?;
            Ok((Box::new(extract) as Box<dyn Extract>, ports))
        });
        metering.close(opened)
    }

    fn open_transform(&self, opening: &Opening) -> Call<(Box<dyn Transform>, Vec<Port>)> {
        type Parameters = (String, Vec<contract::Input>, Option<Vec<u8>>);
        type Answer = (Result<Vec<contract::Port>, contract::StageError>,);
        let begin = || {
            let inputs = lower_inputs(&opening.inputs)?;
            let stateful = self.description()?.stateful;
            let mut instance = self.begin(opening, Kind::Transform)?;
            let open = instance.function::<Parameters, Answer>("open")?;
            Ok((instance, open, inputs, stateful))
        };
        let (mut instance, open, inputs, stateful) = match begin() {
            Ok(begun) => begun,
            Err(error) => return failed(error),
        };
        let (outcome, metering) = instance.call(&open, (opening.config.to_string(), inputs, opening.restore.clone()), None);
        let opened = said(outcome, &opening.limits).and_then(|ports| lift_ports(ports, &opening.limits)).and_then(|ports| {
            let ports = shared(ports, &opening.inputs);
            let transform = WasmTransform::new(instance, &ports, stateful)?;
            Ok((Box::new(transform) as Box<dyn Transform>, ports))
        });
        metering.close(opened)
    }

    fn open_load(&self, opening: &Opening) -> Call<Box<dyn Load>> {
        type Parameters = (String, Vec<contract::Input>, Option<Vec<u8>>);
        type Answer = (Result<(), contract::StageError>,);
        let begin = || {
            let inputs = lower_inputs(&opening.inputs)?;
            let mut instance = self.begin(opening, Kind::Load)?;
            let open = instance.function::<Parameters, Answer>("open")?;
            Ok((instance, open, inputs))
        };
        let (mut instance, open, inputs) = match begin() {
            Ok(begun) => begun,
            Err(error) => return failed(error),
        };
        let (outcome, metering) = instance.call(&open, (opening.config.to_string(), inputs, opening.restore.clone()), None);
        let opened = said(outcome, &opening.limits).and_then(|()| Ok(Box::new(WasmLoad::new(instance)?) as Box<dyn Load>));
        metering.close(opened)
    }
}
