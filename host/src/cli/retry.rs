//! `parshall retry`: feeds dead letters back into the stage where they failed, after a fix.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{Exit, When, amount, ending, exit, outputs, progress::Progress, session, summary, telemetry};
use crate::{
    pipeline::{
        dead_letters::{Fed, Reader},
        diagnostic,
        plan::{ComponentRef, Plan},
        run::{Outcome, Report, Run},
        spec::Spec,
    },
    words::stage::Kind,
};

/// What is added to the name of a file whose rows have been fed back.
const DONE: &str = "retried";

/// Arguments of `parshall retry`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The file of dead letters.
    #[arg(value_name = "DEADLETTERS", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// The pipeline file, where it is another than the letters name.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pipeline: Option<PathBuf>,
    /// Also where a load replaces what it has written before: these rows alone will be there then.
    #[arg(long)]
    replace: bool,
    /// Show progress while it runs, on standard error.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    progress: When,
    #[command(flatten)]
    telemetry: telemetry::Arguments,
}

/// Feeds them back.
pub fn retry(arguments: &Arguments, colour: bool) -> Result<(), Exit> {
    let wrong = |error: &dyn std::fmt::Display| Exit::Wrong(error.to_string());
    let reader = Reader::open(&arguments.file).map_err(|error| wrong(&error))?;
    let envelope = reader.envelope.clone();
    let pipeline = arguments.pipeline.clone().unwrap_or_else(|| envelope.file.clone());
    if arguments.pipeline.is_none() && !pipeline.is_file() {
        let shown = pipeline.display();
        return Err(Exit::Wrong(format!("the pipeline file `{shown}`, which the letters name, is not there; name it with --pipeline")));
    }
    outputs::check(&arguments.telemetry.outputs(), &pipeline)?;
    let spec = Spec::load(&pipeline).map_err(|diagnostics| Exit::diagnostics(&diagnostics, colour))?;
    let fed = Fed::new(spec, &arguments.file, envelope).map_err(|error| Exit::Wrong(format!("{}: {error}", pipeline.display())))?;
    if !arguments.replace {
        check_loads(&fed.spec)?;
    }
    let mut watching = telemetry::start(&arguments.telemetry)?;
    let planned = plan(&fed, colour);
    let (plan, startup) = match planned {
        Ok(plan) => plan,
        Err(exit) => {
            watching.refused(&pipeline, &exit);
            watching.finish();
            return Err(exit);
        }
    };
    let run = match Run::observed(plan, &watching.observer) {
        Ok(run) => run,
        Err(failure) => {
            watching.finish();
            return Err(Exit::Broken((*failure).into()));
        }
    };
    let ending = ending::listen(run.stopper(), None)?;
    Progress::new(arguments.progress).follow(&run);
    let report = run.wait();
    let exit = exit::of(report.outcome);
    ending.is(u8::from(exit.is_err()));
    let slowest = watching.settle();
    let told = tell(arguments, &fed, &report, startup, &slowest);
    watching.finish();
    told.and(exit)
}

/// The plan of the stage and what it feeds.
fn plan(fed: &Fed, colour: bool) -> Result<(Plan, session::Startup), Exit> {
    let began = Instant::now();
    let catalog = Arc::new(session::catalog()?);
    let engine = began.elapsed();
    let plan = Plan::make(&fed.spec, &fed.components(&*catalog)).map_err(|diagnostics| {
        let why = "these rows do not fit the pipeline as it is now";
        match Exit::diagnostics(&diagnostics, colour) {
            Exit::Diagnostics(text) => {
                Exit::Diagnostics(format!("{text}{why}: `{}` and what it feeds were opened for them\n", fed.envelope.stage))
            }
            other => other,
        }
    })?;
    // That nobody takes a port may be because only a part of the pipeline runs.
    let warnings: Vec<_> = plan.warnings.iter().filter(|warning| warning.code != "untaken-output").cloned().collect();
    if !warnings.is_empty() {
        exit::tell(format_args!("{}", diagnostic::render_all(&warnings, colour).trim_end()));
    }
    let startup = session::Startup::of(std::time::Duration::ZERO, engine, began.elapsed() - engine);
    Ok((plan, startup))
}

/// A load that replaces what is there would leave these rows alone in it.
fn check_loads(spec: &Spec) -> Result<(), Exit> {
    for stage in spec.stages.iter().filter(|stage| stage.kind == Kind::Load && stage.component == ComponentRef::Std("write".to_owned())) {
        let text = |key: &str| stage.config.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let (mode, to) = (text("mode").unwrap_or_else(|| "replace".to_owned()), text("to").unwrap_or_default());
        let path = spec.base.join(to.strip_prefix("sqlite:").unwrap_or(&to));
        if mode == "replace" && path.exists() {
            return Err(Exit::Wrong(format!(
                "`{}` replaces `{to}`, so that these rows would be alone in it; let it write with `mode = \"append\"`, write elsewhere, or \
                 say --replace",
                stage.name
            )));
        }
    }
    Ok(())
}

fn tell(arguments: &Arguments, fed: &Fed, report: &Report, startup: session::Startup, slowest: &str) -> Result<(), Exit> {
    let printed = exit::print(&(summary::text(report, &startup) + slowest));
    let rows = |name: &str| report.stages.iter().find(|stage| stage.name == name);
    let sent = rows(&fed.source).map_or(0, |stage| stage.rows.out);
    let (name, again) = (&fed.envelope.stage, rows(&fed.envelope.stage).map_or(0, |stage| stage.rows.failed));
    let file = arguments.file.display();
    match report.outcome {
        Outcome::Completed => {
            let (sent, went, again) = (amount::count(sent), amount::count(sent - again.min(sent)), amount::count(again));
            let done = done(&arguments.file);
            let kept = match std::fs::rename(&arguments.file, &done) {
                Ok(()) => format!("the file is `{}` now", done.display()),
                Err(error) => format!("and `{file}` could not be renamed, so do not feed it again: {error}"),
            };
            exit::tell(format_args!("{sent} rows were fed to `{name}`: {went} went on, {again} failed again; {kept}"));
        }
        Outcome::Stopped => exit::tell(format_args!("warning: stopped before all of `{file}` was fed; feeding it again will repeat rows")),
        Outcome::Failed | Outcome::Aborted => summary::complain(report),
    }
    summary::warn(report);
    printed
}

fn done(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(DONE);
    name.into()
}
