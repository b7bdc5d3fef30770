//! `parshall dashboards`: what Grafana, Prometheus and Alertmanager need to know about runs.

use std::{fs, path::PathBuf};

use anyhow::Context as _;

use super::{Exit, exit};
use crate::telemetry::dashboards::{self, File};

/// Arguments of `parshall dashboards`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder that they are written to; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "monitoring", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
    /// Write nothing: say whether the files in the folder are those that would be written. Exit code 1 if not.
    #[arg(long)]
    check: bool,
}

/// Writes them, or compares them.
pub fn dashboards(arguments: &Arguments) -> Result<(), Exit> {
    if arguments.check { check(arguments) } else { write(arguments) }
}

fn write(arguments: &Arguments) -> Result<(), Exit> {
    let folder = &arguments.out;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    for File { name, text } in dashboards::files() {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        exit::print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

fn check(arguments: &Arguments) -> Result<(), Exit> {
    let mut different = 0;
    for File { name, text } in dashboards::files() {
        let path = arguments.out.join(name);
        let problem = match fs::read_to_string(&path) {
            Ok(found) if found == text => continue,
            Ok(_) => "not what this version of Parshall would write".to_owned(),
            Err(error) => error.to_string(),
        };
        eprintln!("error: `{}`: {problem}", path.display());
        different += 1;
    }
    if different == 0 {
        return Ok(());
    }
    eprintln!("`parshall dashboards --out {}` writes them anew", arguments.out.display());
    Err(Exit::Failed)
}
