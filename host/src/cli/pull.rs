//! `parshall pull`: the components of a pipeline that are in registries, fetched and pinned.

use clap::ValueHint;
use std::path::PathBuf;

use super::{Exit, amount, exit, session};
use crate::{
    pipeline::{plan::ComponentRef, spec::Spec},
    registry::{self, Unpinned},
    words::oci::OciName,
};

/// Arguments of `parshall pull`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The pipeline file.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Ask the registries what the tags mean now, and pin that.
    #[arg(long)]
    update: bool,
}

/// Fetches them. What the lock file has of components that the pipeline no longer names is taken out of it.
pub fn pull(arguments: &Arguments, colour: bool) -> Result<(), Exit> {
    let spec = Spec::load(&arguments.file).map_err(|diagnostics| Exit::diagnostics(&diagnostics, colour))?;
    let catalog = session::catalog_with(if arguments.update { Unpinned::Renew } else { Unpinned::Pin })?;
    let names = names(&spec);
    let origin = spec.origin();
    for name in &names {
        let fetched = catalog.fetch(name, &origin).map_err(|error| Exit::Wrong(error.message))?;
        exit::print(&format!("{name}  {}  {}\n", fetched.digest, amount::bytes(fetched.bytes.len() as u64)))?;
    }
    if let Some(lock) = &origin.lock {
        registry::tidy(lock, &names).map_err(|error| Exit::Wrong(error.to_string()))?;
    }
    if names.is_empty() {
        exit::print("no component of this pipeline is in a registry\n")?;
    }
    Ok(())
}

/// Each once, in the order of the file.
fn names(spec: &Spec) -> Vec<OciName> {
    let mut names = Vec::new();
    for stage in &spec.stages {
        if let ComponentRef::Oci(name) = &stage.component
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    names
}
