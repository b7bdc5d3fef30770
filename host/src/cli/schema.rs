//! `parshall schema`: the JSON Schema of the pipeline file.

use serde_json::Value;

use super::{Exit, exit, session};
use crate::{
    catalog::Catalog,
    pipeline::{
        json_schema,
        plan::{ComponentRef, Origin},
    },
    words::{limits::Loading, stage::Component as _},
};

/// Arguments of `parshall schema`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Leave out the configurations of the standard stages.
    #[arg(long)]
    bare: bool,
}

/// Prints it, with the configuration of each standard stage where `component` names it.
pub fn schema(arguments: &Arguments) -> Result<(), Exit> {
    let stages = if arguments.bare { Vec::new() } else { standard_stages()? };
    let stages: Vec<_> = stages.iter().map(|(name, schema)| (name.as_str(), schema)).collect();
    exit::print(&(serde_json::to_string_pretty(&json_schema::schema(&stages)).map_err(anyhow::Error::from)? + "\n"))
}

fn standard_stages() -> Result<Vec<(String, Value)>, Exit> {
    let catalog = session::catalog()?;
    let stage = |name: &str| {
        let reference = ComponentRef::Std(name.to_owned());
        let component = catalog.component(&reference, &Origin::folder("."), Loading::default()).map_err(anyhow::Error::from)?;
        let description = component.description().map_err(anyhow::Error::from)?;
        Ok((name.to_owned(), description.config_schema.clone()))
    };
    Catalog::names().map(stage).collect()
}
