//! `parshall inspect`: what a component is.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Exit, amount, exit, session};
use crate::{
    catalog::Catalog,
    pipeline::{
        plan::{ComponentRef, Origin},
        spec::limits::{LIMITS, Limit},
    },
    project,
    wasm::WasmComponent,
    words::{
        limits::{Limits, Loading},
        stage::{Component as _, Description},
    },
};

/// Arguments of `parshall inspect`.
#[derive(clap::Args)]
pub struct Arguments {
    /// `std:NAME`, a path, or `oci://…`; without it, the standard stages are listed.
    #[arg(value_name = "COMPONENT")]
    component: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Print what it imports and exports as WIT; without a component, the contract.
    #[arg(long, conflicts_with = "json")]
    wit: bool,
    /// Print every limit of a stage: its unit, its default, what happens beyond it, and why.
    #[arg(long, conflicts_with_all = ["component", "wit"])]
    limits: bool,
}

/// Shows it.
pub fn inspect(arguments: &Arguments) -> Result<(), Exit> {
    let catalog = session::catalog()?;
    if arguments.wit {
        return exit::print(&wit(&catalog, arguments.component.as_deref())?);
    }
    if arguments.limits {
        return exit::print(&limits(arguments.json)?);
    }
    let Some(name) = &arguments.component else { return list(&catalog, arguments.json) };
    let reference = session::reference(name)?;
    let component = session::component(&catalog, &reference)?;
    let description = describe(&reference, &component)?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&document(&reference, &component, &description)).map_err(anyhow::Error::from)?;
        return exit::print(&(text + "\n"));
    }
    exit::print(&text(&reference, &component, &description)?)
}

/// A component's own world, whatever it is the world of; or the contract.
fn wit(catalog: &Catalog, name: Option<&str>) -> Result<String, Exit> {
    let Some(name) = name else { return project::contract().map_err(Exit::Wrong) };
    let bytes =
        catalog.bytes(&session::reference(name)?, &Origin::folder("."), Loading::default()).map_err(|error| Exit::Wrong(error.message))?;
    componentize::wit::of_component(&bytes).map_err(|error| Exit::Wrong(format!("`{name}` is no component: {error:#}")))
}

fn describe(reference: &ComponentRef, component: &WasmComponent) -> Result<std::sync::Arc<Description>, Exit> {
    component.description().map_err(|error| Exit::Wrong(format!("`{reference}` cannot describe itself: {error}")))
}

fn list(catalog: &Catalog, as_json: bool) -> Result<(), Exit> {
    let mut documents = Vec::new();
    let mut text = String::new();
    for name in Catalog::names() {
        let reference = ComponentRef::Std(name.to_owned());
        let component = session::component(catalog, &reference)?;
        let description = describe(&reference, &component)?;
        text.push_str(&format!("{:<15} {:<9}  {}\n", reference.to_string(), component.kind().to_string(), description.summary));
        documents.push(document(&reference, &component, &description));
    }
    if as_json {
        text = serde_json::to_string_pretty(&documents).map_err(anyhow::Error::from)? + "\n";
    }
    exit::print(&text)
}

/// Every limit, as people or programs read it.
fn limits(as_json: bool) -> Result<String, Exit> {
    let defaults = Limits::default();
    if as_json {
        let document = |limit: &Limit| {
            json!({
                "limit": limit.key.name,
                "unit": limit.unit,
                "default": limit.shown(&defaults),
                "beyond": limit.beyond.to_string(),
                "description": limit.key.doc,
                "reason": limit.reason,
            })
        };
        let documents: Vec<Value> = LIMITS.iter().map(document).collect();
        return Ok(serde_json::to_string_pretty(&documents).map_err(anyhow::Error::from)? + "\n");
    }
    let mut text = String::new();
    for limit in LIMITS {
        let (name, default, unit, beyond) = (limit.key.name, limit.shown(&defaults), limit.unit, limit.beyond);
        text.push_str(&format!("{name:<15}  {default} ({unit}); beyond it: {beyond}\n"));
        text.push_str(&format!("{:17}{}\n{:17}Default: {}.\n", "", limit.key.doc, "", limit.reason));
    }
    text.push_str("\nSet them for a stage with `limits = { memory = \"64MiB\" }`, for all with `[defaults] limits = { … }`.\n");
    Ok(text)
}

fn document(reference: &ComponentRef, component: &WasmComponent, description: &Description) -> Value {
    json!({
        "component": reference.to_string(),
        "kind": component.kind(),
        "name": description.name,
        "version": description.version,
        "summary": description.summary,
        "documentation": description.documentation,
        "digest": format!("sha256:{}", component.digest()),
        "size_bytes": component.size(),
        "stateful": description.stateful,
        "imports": component.imports(),
        "needs": component.needs().into_iter().map(|(import, help)| (import, json!(help))).collect::<serde_json::Map<_, _>>(),
        "config_schema": description.config_schema,
    })
}

fn text(reference: &ComponentRef, component: &WasmComponent, description: &Description) -> Result<String, Exit> {
    let imports = component.imports();
    let imports = if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") };
    let needs: Vec<_> = component.needs().iter().map(|(import, help)| format!("{import}: {help}")).collect();
    let needs = if needs.is_empty() { "no grant".to_owned() } else { needs.join("\n         ") };
    let state = if description.stateful { "remembers rows from call to call" } else { "stateless: may run in parallel instances" };
    let loading = match component.compiled() {
        true => format!("compiled in {}", amount::seconds(component.loading().as_secs_f64())),
        false => format!("from the cache in {}", amount::seconds(Duration::as_secs_f64(&component.loading()))),
    };
    let schema = serde_json::to_string_pretty(&description.config_schema).map_err(anyhow::Error::from)?;
    Ok(format!(
        "{reference}: {summary}\n\n\
         kind     {kind}\n\
         name     {name}\n\
         version  {version}\n\
         digest   sha256:{digest}\n\
         size     {size}, {loading}\n\
         state    {state}\n\
         imports  {imports}\n\
         needs    {needs}\n\n\
         {documentation}\n\n\
         Configuration (JSON Schema):\n{schema}\n",
        summary = description.summary,
        kind = component.kind(),
        name = description.name,
        version = description.version,
        digest = component.digest(),
        size = format_args!("{} of {} (limit `component_bytes`)", amount::bytes(component.size()), amount::bytes(Loading::default().bytes)),
        documentation = description.documentation.trim(),
    ))
}
