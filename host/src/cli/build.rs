//! `parshall build`: a project becomes a component.

use std::path::{Path, PathBuf};

use super::{Exit, When, amount, doing::Doing, exit, session};
use crate::{
    pipeline::plan::ComponentRef,
    project::{self, Built, Manifest},
    words::{call::CallError, limits::Loading, shown::shown, stage::Component as _},
};

/// Arguments of `parshall build`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The project's folder.
    #[arg(value_name = "FOLDER", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// Where the component goes, instead of build/NAME.wasm.
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Say on standard error what is being done: a line that turns on a terminal, a plain one elsewhere.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    progress: When,
}

/// Builds it.
pub fn build(arguments: &Arguments) -> Result<(), Exit> {
    let built = built(&arguments.folder, arguments.out.as_deref(), arguments.progress).map_err(Exit::Wrong)?;
    exit::print(&(told(&built) + "\n"))?;
    tried(&built, arguments.progress)
}

/// Loads what was built and asks what it is. Languages that say at run time what they export can be built without it.
fn tried(built: &Built, progress: When) -> Result<(), Exit> {
    if !built.component.is_file() {
        return Ok(());
    }
    let _loading = Doing::quietly(progress, "loading it");
    let reference = ComponentRef::Path(built.component.clone());
    // How large it may be is said where it is used.
    let loading = Loading { bytes: Loading::default().bytes.max(built.size), ..Loading::default() };
    let component = session::component_within(&session::catalog()?, &reference, loading)?;
    component.description().map(drop).map_err(|error| {
        let help = if matches!(error, CallError::Trap { .. }) { HELP } else { "" };
        Exit::Wrong(format!("it is built, and cannot say what it is: {error}{help}"))
    })
}

const HELP: &str =
    "\n  = help: a stage that its source does not export, or exports by another name, ends like this; `parshall new` makes one that does";

/// The same, for other commands: it says that it builds, with what, and for how long.
pub fn built(folder: &Path, out: Option<&Path>, progress: When) -> Result<Built, String> {
    let manifest = Manifest::load(folder)?;
    let _building = Doing::aloud(progress, &format!("building {} with {}", manifest.name, manifest.builders()));
    project::build(folder, out)
}

/// What was built, how large it is, how long it took.
pub fn told(built: &Built) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let place = shown(built.component.strip_prefix(here).unwrap_or(&built.component));
    format!("{}: {} in {}", place.display(), amount::bytes(built.size), amount::seconds(built.took.as_secs_f64()))
}
