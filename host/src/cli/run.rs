//! `parshall run`: runs a pipeline, shows how it goes, and reports what it cost.

use std::{path::PathBuf, time::Instant};

use clap::ValueEnum;
use serde::Serialize;

use super::{
    Exit, PipelineFile, When, ending, exit, live, outputs,
    progress::Progress,
    session::{self, Planned, Startup},
    state, summary, telemetry,
};
use crate::pipeline::run::{Outcome, Report, Run};

/// Arguments of `parshall run`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineFile,
    /// What to print at the end on standard output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    report: Format,
    /// Also write the JSON report to a file.
    #[arg(long, value_name = "PATH")]
    report_file: Option<PathBuf>,
    /// Show progress while it runs, on standard error.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    progress: When,
    #[command(flatten)]
    state: state::Arguments,
    #[command(flatten)]
    live: live::Arguments,
    #[command(flatten)]
    telemetry: telemetry::Arguments,
}

/// The form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people.
    Text,
    /// One JSON document.
    Json,
    /// Nothing.
    None,
}

/// The JSON report: that of the run, with the version of this form and where the start spent its time.
#[derive(Serialize)]
struct Document<'a> {
    /// Grows when a field changes its meaning.
    format: u32,
    startup_seconds: Startup,
    #[serde(flatten)]
    report: &'a Report,
}

/// Runs it.
pub fn run(arguments: Arguments, colour: bool) -> Result<(), Exit> {
    let file = &arguments.pipeline.file;
    let mut outputs = arguments.telemetry.outputs();
    outputs.extend(arguments.report_file.as_deref().map(|path| ("--report-file", path)));
    outputs::check(&outputs, file)?;
    let live = arguments.live.prepare()?;
    // Before the plan, so that what stages say while they are opened is exported as well.
    let mut watching = telemetry::start(&arguments.telemetry)?;
    let (mut state, Planned { spec, plan, catalog, startup }) = match planned(&arguments, colour) {
        Ok(planned) => planned,
        Err(exit) => {
            watching.refused(file, &exit);
            watching.finish();
            return Err(exit);
        }
    };
    if let Err(exit) = outputs::check_plan(&outputs, &plan) {
        // Its last words would be written over what is not its own.
        std::mem::forget(watching);
        return Err(exit);
    }
    let run = match state.begin() {
        Ok(delivering) => Run::delivered(plan, &watching.observer, delivering),
        Err(exit) => {
            watching.finish();
            return Err(exit);
        }
    };
    let run = match run {
        Ok(run) => run,
        Err(failure) => {
            state.failed(failure.to_string());
            // What telemetry has to say of it leaves nevertheless.
            watching.finish();
            return Err(Exit::Broken((*failure).into()));
        }
    };
    let mut live = live.start(&run, spec, catalog, file)?;
    let ending = ending::listen(run.stopper(), live.hangup.take())?;
    let progress = Progress::new(arguments.progress);
    progress.follow(&run);
    let report = run.wait();
    state.ended(&report);
    live.stop();
    let exit = exit::of(report.outcome);
    ending.is(u8::from(exit.is_err()));
    // Everything is told before telemetry is flushed: a collector that does not answer keeps nobody waiting for the outcome.
    let slowest = watching.settle();
    let told = tell(&arguments, &report, startup, &slowest);
    watching.finish();
    told.and(exit)
}

/// The pipeline, and where it stands.
fn planned(arguments: &Arguments, colour: bool) -> Result<(state::State, Planned), Exit> {
    let (file, started) = (&arguments.pipeline.file, Instant::now());
    let spec = session::read(file, colour)?;
    let state = arguments.state.prepare(&spec, file)?;
    let planned = session::plan_of(spec, started, arguments.pipeline.locked, (state.delivery(), state.kept()), colour)
        .map_err(|exit| state.explain(exit))?;
    Ok((state, planned))
}

fn tell(arguments: &Arguments, report: &Report, startup: Startup, slowest: &str) -> Result<(), Exit> {
    let document = || serde_json::to_string_pretty(&Document { format: 1, startup_seconds: startup, report });
    let printed = match arguments.report {
        Format::Text => exit::print(&(summary::text(report, &startup) + slowest)),
        Format::Json => document().map_err(anyhow::Error::from).map_err(Exit::from).and_then(|text| exit::print(&(text + "\n"))),
        Format::None => Ok(()),
    };
    if let Some(path) = &arguments.report_file {
        let text = document().map_err(anyhow::Error::from)?;
        // The run is what it is: a report that cannot be written does not make it fail.
        if let Err(error) = outputs::write(path, &(text + "\n")) {
            exit::tell(format_args!("warning: the report could not be written to `{}`: {error}", path.display()));
        }
    }
    summary::warn(report);
    if matches!(report.outcome, Outcome::Failed | Outcome::Aborted) {
        summary::complain(report);
    }
    printed
}
