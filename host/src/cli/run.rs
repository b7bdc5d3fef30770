//! `parshall run`: runs a pipeline, shows how it goes, and reports what it cost.

use std::{path::PathBuf, thread};

use clap::ValueEnum;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Exit, PipelineFile, When, exit,
    progress::Progress,
    session::{self, Startup},
    summary, telemetry,
};
use crate::pipeline::run::{Outcome, Report, Run, Stopper};

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
    // First, so that what stages say while they are opened is exported as well.
    let watching = telemetry::start(&arguments.telemetry)?;
    let (plan, startup) = session::plan(&arguments.pipeline.file, colour)?;
    let run = match Run::observed(plan, &watching.observer) {
        Ok(run) => run,
        Err(failure) => {
            // What telemetry has to say of it leaves nevertheless.
            watching.finish();
            return Err(Exit::Broken((*failure).into()));
        }
    };
    stop_on_signals(run.stopper())?;
    let progress = Progress::new(&run, arguments.progress);
    progress.follow(&run);
    let report = run.wait();
    let slowest = watching.finish();
    let document = || serde_json::to_string_pretty(&Document { format: 1, startup_seconds: startup, report: &report });
    if let Some(path) = &arguments.report_file {
        let text = document().map_err(anyhow::Error::from)?;
        std::fs::write(path, text + "\n").map_err(|error| anyhow::anyhow!("cannot write the report to `{}`: {error}", path.display()))?;
    }
    match arguments.report {
        Format::Text => exit::print(&(summary::text(&report, &startup) + &slowest))?,
        Format::Json => exit::print(&(document().map_err(anyhow::Error::from)? + "\n"))?,
        Format::None => {}
    }
    summary::warn(&report);
    match report.outcome {
        Outcome::Completed | Outcome::Stopped => Ok(()),
        Outcome::Failed | Outcome::Aborted => {
            summary::complain(&report);
            Err(Exit::Failed)
        }
    }
}

/// The first Ctrl-C (or SIGTERM, or SIGHUP of a closed terminal) finishes and commits what is in flight; the second gives up.
fn stop_on_signals(stopper: Stopper) -> Result<(), Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let listen = move || {
        runtime.block_on(async {
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
            let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds else {
                tracing::warn!("signals cannot be listened to: Ctrl-C will end the process at once");
                return;
            };
            for again in [false, true] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                if again {
                    eprintln!("giving up: nothing that is in flight will be committed");
                    stopper.abort();
                } else {
                    eprintln!("stopping: finishing and committing what is in flight; once more gives up");
                    stopper.stop();
                }
            }
        });
    };
    thread::Builder::new().name("signals".into()).spawn(listen).map_err(anyhow::Error::from)?;
    Ok(())
}
