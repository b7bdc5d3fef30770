//! `parshall bench`: what metering and watching cost the stages of a pipeline, on its own rows; or whether one version of them is
//! slower than another.

mod answer;
mod compare;
mod page;
mod plot;
mod prepare;
mod table;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Exit, When, exit, outputs};
use crate::{
    bench::{Ladder, NoLadder, Report, Settings},
    pipeline::spec::units,
};

/// Arguments of `parshall bench`.
#[derive(clap::Args)]
#[command(after_help = "\
Only transforms are measured: extracts and loads wait for storage. Loads write nothing. Exit code 1 with --compare: something is slower \
than --threshold allows. BENCHMARKS.md says how to read it all.")]
pub struct Arguments {
    /// The pipeline file.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, required_unless_present = "compare")]
    file: Option<PathBuf>,
    /// Only these transforms.
    #[arg(long, value_name = "NAME")]
    stage: Vec<String>,
    /// Rows of batches.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,100,1000,8192,65536",
        value_parser = clap::value_parser!(u32).range(1..=4_194_304))]
    batch_rows: Vec<u32>,
    /// How long to measure, such as 30s.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    time: Duration,
    /// Rows of its own that are taken from each extract; where there are fewer than a batch needs, they are repeated.
    #[arg(long, value_name = "N", default_value_t = 131_072, value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    rows: u32,
    /// Compare two versions instead: two pipeline files; with FILE and one --stage, two components for it.
    #[arg(long, value_names = ["A", "B"], num_args = 2)]
    compare: Option<Vec<String>>,
    /// With --compare: how much slower B may be.
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
    threshold: f64,
    /// Write everything to a file, as JSON.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    json: Option<PathBuf>,
    /// Write a page with plots.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath, conflicts_with = "compare")]
    html: Option<PathBuf>,
    /// Show progress, on standard error.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    progress: When,
}

/// Measures.
pub fn bench(arguments: &Arguments, colour: bool) -> Result<(), Exit> {
    let json = arguments.json.as_deref().map(|path| ("--json", path));
    let html = arguments.html.as_deref().map(|path| ("--html", path));
    let outputs: Vec<_> = json.into_iter().chain(html).collect();
    match (&arguments.compare, &arguments.file) {
        (Some(versions), file) => compare::compare(arguments, versions, file.as_deref(), &outputs, colour),
        (None, Some(file)) => ladder(arguments, file, &outputs, colour),
        (None, None) => Err(Exit::Wrong("a pipeline file is needed".into())),
    }
}

fn ladder(arguments: &Arguments, file: &Path, outputs: &[outputs::Output<'_>], colour: bool) -> Result<(), Exit> {
    outputs::check(outputs, file)?;
    let (export, receiver) = prepare::receiver()?;
    let prepared = prepare::prepare(file, arguments, colour)?;
    outputs::check_plan(outputs, &prepared.plan)?;
    let load = prepare::loader(&prepared)?;
    let settings = Settings { sizes: arguments.sizes(), time: arguments.time, export };
    let (began, bar) = (Instant::now(), bar(arguments.progress));
    let ladder = Ladder::climb(&prepared.plan.stages, &prepared.captured, &settings, &*load, &|stage, rows, done| {
        told(&bar, stage, rows, done);
    });
    bar.finish_and_clear();
    let ladder = ladder.map_err(broken)?;
    if ladder.spans.dropped_full + ladder.spans.dropped_failed > 0 {
        let lost = ladder.spans.dropped_full + ladder.spans.dropped_failed;
        let why = ladder.why.clone().unwrap_or_else(|| "they found no room".into());
        exit::tell(format_args!("warning: {lost} spans did not arrive at {receiver}: {why}. `+ export` is what that costs"));
    }
    let mut report = Report {
        format: 1,
        parshall: env!("CARGO_PKG_VERSION"),
        pipeline: prepared.plan.name.clone(),
        machine: prepare::machine(),
        seconds: began.elapsed().as_secs_f64(),
        rows_taken: prepared.rows_taken,
        own_batch_rows: prepared.own_batch_rows,
        receiver,
        spans: ladder.spans,
        total: ladder.total(),
        one_percent_from_rows: ladder.within(0.01),
        stages: ladder.stages,
        answer: String::new(),
    };
    report.answer = answer::answer(&report);
    exit::print(&table::text(&report))?;
    if let Some(path) = &arguments.json {
        write(path, &(serde_json::to_string_pretty(&report).map_err(anyhow::Error::from)? + "\n"))?;
    }
    if let Some(path) = &arguments.html {
        write(path, &page::page(&report))?;
    }
    Ok(())
}

impl Arguments {
    /// Ascending, each once.
    fn sizes(&self) -> Vec<usize> {
        let mut sizes: Vec<usize> = self.batch_rows.iter().map(|rows| *rows as usize).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}

fn write(path: &Path, text: &str) -> Result<(), Exit> {
    let failed = |error| Exit::Broken(anyhow::anyhow!("`{}` could not be written: {error}", path.display()));
    outputs::write(path, text).map_err(failed)
}

fn broken(error: NoLadder) -> Exit {
    Exit::Broken(match error {
        NoLadder::Failed(failed) => anyhow::anyhow!("{failed}\n  = help: a pipeline is measured that runs; `parshall run` says more"),
        other => other.into(),
    })
}

fn bar(when: When) -> ProgressBar {
    use std::io::IsTerminal as _;
    let wanted = when == When::Always || (when == When::Auto && std::io::stderr().is_terminal());
    let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(1_000), target).with_style(style)
}

fn told(bar: &ProgressBar, stage: &str, rows: usize, done: f64) {
    bar.set_position((done * 1e3) as u64);
    bar.set_message(format!("{stage}, {rows} rows a batch"));
}

fn time(text: &str) -> Result<Duration, String> {
    let time = units::time(text).map_err(|error| error.to_string())?;
    let (least, most) = (Duration::from_millis(10), Duration::from_secs(86_400));
    if time < least || time > most { Err("expected between 10ms and 24h".into()) } else { Ok(time) }
}

/// A percentage as a share.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim().parse::<f64>().ok();
    let share = number.filter(|number| (0.0..=1_000.0).contains(number)).map(|number| number / 100.0);
    share.ok_or_else(|| "expected a percentage between 0% and 1000%, such as 5%".into())
}
