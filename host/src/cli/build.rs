//! `parshall build`: a project becomes a component.

use std::path::PathBuf;

use super::{Exit, amount, exit};
use crate::project;

/// Arguments of `parshall build`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The project's folder.
    #[arg(value_name = "FOLDER", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// Where the component goes, instead of build/NAME.wasm.
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

/// Builds it.
pub fn build(arguments: &Arguments) -> Result<(), Exit> {
    let built = project::build(&arguments.folder, arguments.out.as_deref()).map_err(Exit::Wrong)?;
    let here = std::env::current_dir().unwrap_or_default();
    let shown = built.component.strip_prefix(here).unwrap_or(&built.component).display();
    exit::print(&format!("{shown}: {} in {}\n", amount::bytes(built.size), amount::seconds(built.took.as_secs_f64())))
}
