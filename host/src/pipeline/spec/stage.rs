//! One stage as written.

use serde_json::Value;
use toml::{
    Spanned,
    de::{DeString, DeTable},
};

use super::{
    config::{self, Places},
    grants, keys, limits, metering, on_error,
    scope::Scope,
    table::Table,
    text::Text,
};
use crate::{
    pipeline::{plan::ComponentRef, policy::OnError, source::Span},
    words::{
        grants::Grants,
        limits::Limits,
        oci::{self, BadOciName},
        stage::Kind,
    },
};

/// A stage as written.
#[derive(Clone, Debug)]
pub struct StageSpec {
    /// Its name.
    pub name: String,
    /// Under which of the three it stands.
    pub kind: Kind,
    /// What it runs.
    pub component: ComponentRef,
    /// What feeds it.
    pub inputs: Vec<InputSpec>,
    /// Its configuration; an empty object when there is none.
    pub config: Value,
    /// What an instance of it may use.
    pub limits: Limits,
    /// What it may do.
    pub grants: Grants,
    /// Bytes that may wait in front of it.
    pub queue_bytes: u64,
    /// How many instances work side by side.
    pub instances: usize,
    /// What is done when a call of it fails.
    pub on_error: OnError,
    /// Bytes of linear memory beyond which an instance is replaced; none for a share of the limit.
    pub recycle: Option<u64>,
    /// Where all of this stands.
    pub places: StagePlaces,
}

/// Where the parts of a stage stand in the file.
#[derive(Clone, Debug)]
pub struct StagePlaces {
    /// The name in the header.
    pub name: Span,
    /// The value of `component`.
    pub component: Span,
    /// The value of `inputs`.
    pub inputs: Option<Span>,
    /// The value of `grants`.
    pub grants: Option<Span>,
    /// The value of `instances`.
    pub instances: Option<Span>,
    /// The value of `metering`; none where it is inherited.
    pub metering: Option<Span>,
    /// The value of `on_error`.
    pub on_error: Option<Span>,
    /// The value of `recycle`.
    pub recycle: Option<Span>,
    /// The values of the configuration.
    pub config: Places,
}

/// One of a stage's inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// `stage` or `stage.port`.
    pub written: String,
    /// The stage.
    pub stage: String,
    /// The port, if one is named.
    pub port: Option<String>,
    /// Where it is written.
    pub span: Span,
}

/// Settings that stages inherit.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub limits: Limits,
    pub metering: metering::Inherited,
    pub queue: u64,
}

// === impl StageSpec ===

impl StageSpec {
    /// `[kind.name]`, as the file has it.
    pub fn title(&self) -> String {
        title(self.kind, &self.name)
    }
}

fn title(kind: Kind, name: &str) -> String {
    format!("[{kind}.{name}]")
}

/// Reads a stage. Nothing when it has no component that could be asked anything.
pub(super) fn read<'a>(
    scope: &'a Scope<'a>,
    kind: Kind,
    key: &Spanned<DeString>,
    entries: &'a DeTable<'a>,
    defaults: &Defaults,
) -> Option<StageSpec> {
    let name = key.get_ref().to_string();
    // Keys of the other kinds are reported as misplaced, which says more than unknown.
    let (misplaced, placed): (Vec<_>, Vec<_>) = keys::STAGE.iter().partition(|key| keys::misplaced(kind, key.name).is_some());
    report_misplaced(scope, kind, &name, entries, &misplaced);
    let known = placed.into_iter().chain(misplaced.into_iter().filter(|key| entries.contains_key(key.name)));
    let table = Table::new(scope, title(kind, &name), entries, known);

    let header: Span = key.span().into();
    let fed = kind != Kind::Extract;
    // All is read before anything is given up, so that all is reported.
    let component = component(&table, header);
    let (inputs, inputs_span) = if fed { inputs(&table, header) } else { Default::default() };
    let instances = fed.then(|| table.count("instances", 1, keys::MAX_INSTANCES)).flatten();
    let queue = fed.then(|| table.bytes("queue")).flatten();
    let (config, config_places) = configuration(&table);
    let metering = metering::of_stage(&table, kind, defaults.metering);
    let limits = Limits { metering, ..limits(&table, defaults) };
    let on_error = on_error::read(&table, kind);
    let recycle = (kind != Kind::Load).then(|| table.bytes("recycle")).flatten();
    let mut grants = grants(&table);
    let (component, component_span) = component?;
    grants.read.extend(grants::implied(&component));
    let places = StagePlaces {
        name: header,
        component: component_span,
        inputs: inputs_span,
        grants: entries.get("grants").map(|value| value.span().into()),
        instances: instances.map(|(_, span)| span),
        metering: entries.get("metering").map(|value| value.span().into()),
        on_error: entries.get("on_error").map(|value| value.span().into()),
        recycle: entries.get("recycle").map(|value| value.span().into()),
        config: config_places,
    };
    let instances = instances.map_or(1, |(count, _)| count as usize);
    let queue_bytes = queue.unwrap_or(defaults.queue);
    Some(StageSpec { name, kind, component, inputs, config, limits, grants, queue_bytes, instances, on_error, recycle, places })
}

fn limits(table: &Table, defaults: &Defaults) -> Limits {
    let limits = defaults.limits.clone();
    match table.table("limits", limits::LIMITS.iter().map(|limit| &limit.key)) {
        Some(table) => limits::read(&table, limits),
        None => limits,
    }
}

fn grants(table: &Table) -> Grants {
    match table.table("grants", keys::GRANTS.iter()) {
        Some(table) => grants::read(&table),
        None => Grants { base: table.scope.base.to_owned(), ..Grants::default() },
    }
}

fn report_misplaced(scope: &Scope, kind: Kind, name: &str, entries: &DeTable, keys: &[&keys::Key]) {
    for key in keys {
        if let (Some((found, _)), Some(why)) = (entries.get_key_value(key.name), keys::misplaced(kind, key.name)) {
            let message = format!("`{}` does not belong in {}", key.name, title(kind, name));
            scope.complain(scope.error("misplaced-key", found.span().into(), message).label(why));
        }
    }
}

fn component(table: &Table, header: Span) -> Option<(ComponentRef, Span)> {
    const EXPECTED: &str = "`std:NAME`, the path of a `.wasm` file, or `oci://…`";
    if table.get("component").is_none() {
        if table.is_misspelt("component") {
            return Default::default();
        }
        let message = format!("{} is missing", table.title_of("component"));
        let diagnostic = table.scope.error("missing-key", header, message).label("this stage runs nothing");
        table.scope.complain(diagnostic.help(format!("add `component = \"…\"`: {EXPECTED}")));
        return None;
    }
    let text = table.text("component", &format!("a string: {EXPECTED}"))?;
    let bad = |message: String, expected: &str| {
        table.scope.complain(table.scope.error("bad-component", text.span, message).label(format!("expected {expected}")));
    };
    if text.value.is_empty() || text.value == "std:" {
        bad(format!("{} names nothing", table.title_of("component")), EXPECTED);
        return None;
    }
    let told = |wrong: &BadOciName| bad(format!("{} names nothing in a registry: {wrong}", table.title_of("component")), oci::EXPECTED);
    Some((text.value.parse().inspect_err(told).ok()?, text.span))
}

/// The inputs and their place. That there are none is reported here; whether they exist, later.
fn inputs(table: &Table, header: Span) -> (Vec<InputSpec>, Option<Span>) {
    const EXPECTED: &str = "`stage` or `stage.port`";
    if table.get("inputs").is_none() {
        if table.is_misspelt("inputs") {
            return Default::default();
        }
        let message = format!("{} is missing", table.title_of("inputs"));
        let diagnostic = table.scope.error("missing-key", header, message).label("nothing feeds this stage");
        table.scope.complain(diagnostic.help("add `inputs = [\"…\"]` with the stages that feed it"));
        return Default::default();
    }
    let Some((texts, span)) = table.texts("inputs", EXPECTED) else {
        return Default::default();
    };
    if table.get("inputs").is_some_and(|(_, value)| value.get_ref().as_array().is_some_and(|array| array.is_empty())) {
        let diagnostic = table.scope.error("no-inputs", span, format!("{} is empty", table.title_of("inputs")));
        table.scope.complain(diagnostic.label(format!("expected at least one {EXPECTED}")));
    }
    (texts.into_iter().map(input).collect(), Some(span))
}

fn input(text: Text) -> InputSpec {
    // A stage's name has no dot; what follows the first one is the port's.
    let (stage, port) = match text.value.split_once('.') {
        Some((stage, port)) => (stage.to_owned(), Some(port.to_owned())),
        None => (text.value.clone(), None),
    };
    InputSpec { stage, port, span: text.span, written: text.value }
}

fn configuration(table: &Table) -> (Value, Places) {
    let empty = || (Value::Object(Default::default()), Places::default());
    let Some((key, value)) = table.get("config") else { return empty() };
    match value.get_ref().as_table() {
        Some(entries) => config::read(table.scope, key.span().into(), value, entries),
        None => {
            table.scope.complain(table.scope.wrong_type(&table.title_of("config"), "a table", value));
            empty()
        }
    }
}
