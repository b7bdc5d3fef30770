//! A component that is loaded opens as instances.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    contract,
    extract::WasmExtract,
    form::Form,
    host::Host,
    imports::{
        self,
        wasi::{self, Wasi},
    },
    instance::Instance,
    load::WasmLoad,
    runtime::Runtime,
    sampled::Sampled,
    schema::{self, SchemaError},
    transform::{WasmTransform, said},
};
use crate::words::{
    call::{Call, CallError, StageError},
    digest::Digest,
    grants::Grants,
    limits::{Limits, Metering},
    stage::{Component, Description, Extract, Input, Kind, Load, Opening, Port, Transform},
    usage::Usage,
};

/// A compiled component whose world is known.
pub struct WasmComponent {
    pub(super) runtime: Runtime,
    pub(super) loaded: Arc<Loaded>,
    pub(super) compiled: bool,
    pub(super) loading: Duration,
}

/// What is the same for all who have loaded the same bytes.
pub(super) struct Loaded {
    pub counted: Form,
    /// The form that counts no fuel; there once somebody needs it.
    pub uncounted: OnceLock<Form>,
    pub digest: Digest,
    pub kind: Kind,
    pub imports: Vec<String>,
    pub size: u64,
    pub description: OnceLock<Result<Arc<Description>, CallError>>,
}

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

    fn instance(&self, opening: &Opening, form: &Form) -> Result<Instance, CallError> {
        for import in &self.loaded.imports {
            if let Some(help) = imports::missing(import, &opening.grants) {
                return Err(CallError::Ungranted { import: import.clone(), help });
            }
        }
        let linked = form.linked(&opening.grants, self.imports_wasi())?;
        let host = self.host(&opening.stage, opening.limits.clone(), opening.grants.clone());
        Instance::new(&form.engine, &linked, host, &self.loaded.kind.to_string())
    }

    fn begin(&self, opening: &Opening, kind: Kind, form: &Form) -> Result<Instance, CallError> {
        if self.loaded.kind != kind {
            return Err(CallError::Host(format!("the component is a {}, and was opened as a {kind}", self.loaded.kind)));
        }
        self.instance(opening, form)
    }

    /// The form in which calls are metered as the limits say; of sampled ones the form that counts.
    fn form(&self, limits: &Limits) -> Result<&Form, CallError> {
        match limits.metering {
            Metering::Fuel | Metering::Sampled(_) => Ok(&self.loaded.counted),
            Metering::Epoch => self.uncounted(),
        }
    }

    fn uncounted(&self) -> Result<&Form, CallError> {
        let absent = || CallError::Host("the component was not loaded in the form that counts no fuel".into());
        self.loaded.uncounted.get().ok_or_else(absent)
    }

    fn open_transform_as(&self, opening: &Opening, form: &Form) -> Call<(WasmTransform, Vec<Port>)> {
        type Parameters = (String, Vec<contract::Input>, Option<Vec<u8>>);
        type Answer = (Result<Vec<contract::Port>, contract::StageError>,);
        let begin = || {
            let inputs = lower_inputs(&opening.inputs)?;
            let stateful = self.description()?.stateful;
            let mut instance = self.begin(opening, Kind::Transform, form)?;
            let open = instance.function::<Parameters, Answer>("open")?;
            Ok((instance, open, inputs, stateful))
        };
        let (mut instance, open, inputs, stateful) = match begin() {
            Ok(begun) => begun,
            Err(error) => return failed(error),
        };
        let (outcome, cost) = instance.call(&open, (opening.config.to_string(), inputs, opening.restore.clone()), None);
        let opened = said(outcome, &opening.limits).and_then(|ports| lift_ports(ports, &opening.limits)).and_then(|ports| {
            let ports = shared(ports, &opening.inputs);
            Ok((WasmTransform::new(instance, &ports, stateful)?, ports))
        });
        cost.close(opened)
    }

    /// The other of two instances between which calls are sampled.
    fn open_uncounted(&self, opening: &Opening, ports: &[Port]) -> Result<WasmTransform, CallError> {
        let (other, others) = self.open_transform_as(opening, self.uncounted()?).outcome?;
        match others == ports {
            true => Ok(other),
            false => Err(CallError::Malformed("`open` declares other ports the second time it is asked".into())),
        }
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
        let form = &self.loaded.counted;
        let linked = form.link(imports::linker_for_describe(&form.engine, self.imports_wasi()))?;
        let mut instance = Instance::new(&form.engine, &linked, host, &self.loaded.kind.to_string())?;
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
            let mut instance = self.begin(opening, Kind::Extract, self.form(&opening.limits)?)?;
            let open = instance.function::<Parameters, Answer>("open")?;
            Ok((instance, open))
        };
        let (mut instance, open) = match begin() {
            Ok(begun) => begun,
            Err(error) => return failed(error),
        };
        let (outcome, cost) = instance.call(&open, (opening.config.to_string(), opening.restore.clone()), None);
        let opened = said(outcome, &opening.limits).and_then(|ports| lift_ports(ports, &opening.limits)).and_then(|ports| {
            let extract = WasmExtract::new(instance, ports.clone())?;
            Ok((Box::new(extract) as Box<dyn Extract>, ports))
        });
        cost.close(opened)
    }

    fn open_transform(&self, opening: &Opening) -> Call<(Box<dyn Transform>, Vec<Port>)> {
        let form = match self.form(&opening.limits) {
            Ok(form) => form,
            Err(error) => return failed(error),
        };
        let Call { outcome, usage } = self.open_transform_as(opening, form);
        let outcome = outcome.and_then(|(transform, ports)| {
            let transform: Box<dyn Transform> = match opening.limits.metering {
                Metering::Sampled(every) => Box::new(Sampled::new(transform, self.open_uncounted(opening, &ports)?, every)),
                Metering::Fuel | Metering::Epoch => Box::new(transform),
            };
            Ok((transform, ports))
        });
        Call { outcome, usage }
    }

    fn open_load(&self, opening: &Opening) -> Call<Box<dyn Load>> {
        type Parameters = (String, Vec<contract::Input>, Option<Vec<u8>>);
        type Answer = (Result<(), contract::StageError>,);
        let begin = || {
            let inputs = lower_inputs(&opening.inputs)?;
            let mut instance = self.begin(opening, Kind::Load, self.form(&opening.limits)?)?;
            let open = instance.function::<Parameters, Answer>("open")?;
            Ok((instance, open, inputs))
        };
        let (mut instance, open, inputs) = match begin() {
            Ok(begun) => begun,
            Err(error) => return failed(error),
        };
        let (outcome, cost) = instance.call(&open, (opening.config.to_string(), inputs, opening.restore.clone()), None);
        let opened = said(outcome, &opening.limits).and_then(|()| Ok(Box::new(WasmLoad::new(instance)?) as Box<dyn Load>));
        cost.close(opened)
    }
}
