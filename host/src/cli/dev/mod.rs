//! `parshall dev`: builds a project whenever it changes, and gives what was built to the pipeline that runs, or to its tests.

mod flow;
mod interrupt;
pub mod sources;

use std::{path::PathBuf, thread, time::Duration};

use clap::ValueHint;

use self::{
    flow::{Flow, Shown},
    interrupt::Interrupt,
    sources::Sources,
};
use super::{Exit, PipelineFile, When, build, exit::tell, test};
use crate::project;

/// How often sources are looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// Arguments of `parshall dev`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The project's folder.
    #[arg(value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
    /// Run this pipeline, one of whose stages runs the component that is built; without it, the project's cases are tried.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pipeline: Option<PathBuf>,
    /// Batches to show after each build.
    #[arg(long, value_name = "N", default_value_t = 1)]
    batches: u64,
    /// Rows to show of each.
    #[arg(long, value_name = "N", default_value_t = 10)]
    rows: usize,
    /// Say on standard error what is being built.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    progress: When,
}

/// Goes on until it is interrupted. What does not build is told, and what runs goes on.
pub fn dev(arguments: Arguments, colour: bool) -> Result<(), Exit> {
    let Arguments { folder, pipeline, batches, rows, progress } = arguments;
    let pipeline = pipeline.as_deref().map(PipelineFile::of);
    let shown = Shown { batches, rows };
    project::Manifest::load(&folder).map_err(Exit::Wrong)?;
    let interrupt = Interrupt::listen()?;
    let mut sources = Sources::of(&folder);
    let mut flow: Option<Flow> = None;
    loop {
        match build::built(&folder, None, progress) {
            Err(why) => drop(Exit::Wrong(why).report()),
            Ok(built) => {
                tell(format_args!("{}", build::told(&built)));
                flow = flow.filter(|flow| !flow.over());
                match (&mut flow, &pipeline) {
                    (Some(flow), _) => flow.swap(shown),
                    (None, Some(pipeline)) => flow = told(Flow::start(pipeline, &built.component, shown, colour)),
                    (None, None) => drop(told(test::cases(&folder, progress))),
                }
            }
        }
        interrupt.ends(flow.as_ref().map(Flow::stopper));
        loop {
            match &mut flow {
                Some(running) => running.show(shown, GLANCE)?,
                None => thread::sleep(GLANCE),
            }
            if flow.as_ref().is_some_and(Flow::over) {
                flow.take().into_iter().for_each(Flow::end);
            }
            if interrupt.came() {
                flow.into_iter().for_each(Flow::end);
                return Ok(());
            }
            if let Some(changed) = sources.changed() {
                tell(format_args!("{} has changed", changed.display()));
                break;
            }
        }
    }
}

/// What goes wrong is told, and the next change may mend it.
fn told<T>(outcome: Result<T, Exit>) -> Option<T> {
    outcome.map_err(|exit| exit.report()).ok()
}
