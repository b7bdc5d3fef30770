//! Spans of a command.

use std::{path::PathBuf, sync::atomic::Ordering, time::Duration};

use comfy_table::{Cell, CellAlignment, Table};

use super::undelivered::Undelivered;
use crate::{
    cli::{Exit, amount, exit, outputs::Output, summary},
    telemetry::{
        health::{Bound, Healths, Signal},
        otlp::{self, Environment},
        propagation::parent_from_environment,
        traces::{Recording, Settings, Slow, SlowBatch, SlowCall, StartError, Traces},
    },
    words::trace::SpanContext,
};

/// Arguments about spans.
#[derive(clap::Args)]
pub struct Arguments {
    /// Write the run's spans to a file, as lines of OTLP/JSON. $OTEL_EXPORTER_OTLP_ENDPOINT sends them to a collector.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    trace_out: Option<PathBuf>,
    /// Show this many of the slowest batches below the table, and where their time went; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=1000))]
    slowest: u16,
}

impl Arguments {
    /// Files that are written.
    pub fn outputs(&self) -> Option<Output<'_>> {
        self.trace_out.as_deref().map(|path| ("--trace-out", path))
    }
}

/// Spans being recorded.
pub struct Running {
    recording: Recording,
    /// Where spans go, as messages may name it.
    target: String,
    healths: Healths,
}

/// Starts recording, if anybody wants spans; `parent` is the span that runs are part of.
pub fn start(arguments: &Arguments, environment: &Environment, parent: Option<SpanContext>, healths: &Healths) -> Result<Running, Exit> {
    let settings = Settings::read(environment).map_err(|error| Exit::Wrong(error.to_string()))?;
    // Asked for again only where there is a parent, so that nothing is warned of twice.
    let remote = parent.and_then(|_| parent_from_environment(environment).ok().flatten());
    let trace_state = remote.map(|parent| parent.trace_state).unwrap_or_default();
    let settings = Settings { parent, trace_state, file: arguments.trace_out.clone(), slowest: arguments.slowest.into(), ..settings };
    let collector = settings.collector.as_ref().map(otlp::Settings::collector);
    let file = settings.file.as_ref().map(|file| format!("`{}`", file.display()));
    let target = collector.or(file).unwrap_or_default();
    let recording = Recording::start(settings, healths).map_err(|error| match error {
        StartError::Thread(_) => Exit::Broken(error.into()),
        StartError::Exporter(_) | StartError::File { .. } => Exit::Wrong(error.to_string()),
    })?;
    Ok(Running { recording, target, healths: healths.clone() })
}

impl Running {
    /// The layer for the observer.
    pub fn layer(&self) -> Option<Traces> {
        Some(self.recording.traces())
    }

    /// Everything was recorded, and begins to leave. Answers the slowest batches, as text.
    pub fn settle(&mut self) -> String {
        text(&self.recording.settle())
    }

    /// Flushes. Answers what was lost.
    pub fn finish(self) -> Option<Undelivered> {
        let left = self.recording.finish();
        if let Some(error) = left.file {
            exit::tell(format_args!("warning: the file of spans is not complete: {error}"));
        }
        let health = self.healths.of(Signal::Spans);
        let [full, failed] = [&health.dropped_full, &health.dropped_failed].map(|number| number.load(Ordering::Relaxed));
        (full + failed > 0).then(|| {
            let all = full + failed + health.exported.load(Ordering::Relaxed);
            let bounds: Vec<_> = health.reached().into_iter().map(Bound::setting).collect();
            let no_room = match bounds.as_slice() {
                [] => format!("{} found no room", amount::count(full)),
                bounds => format!("{} found no room (a larger {} helps)", amount::count(full), bounds.join(" or ")),
            };
            let undelivered = health.why().unwrap_or_else(|| "the time for the last flush ran out".into());
            let why = [(full, no_room), (failed, undelivered)].into_iter().filter(|(count, _)| *count > 0).map(|(_, why)| why);
            let (lost, spans) = (amount::count(full + failed), if all == 1 { "span" } else { "spans" });
            let what = format!("{lost} of {} {spans}", amount::count(all));
            Undelivered { what, to: self.target, why: why.collect::<Vec<_>>().join("; ") }
        })
    }
}

/// The slowest batches and where their time went, in shares of each.
fn text(slow: &Slow) -> String {
    if slow.batches.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(summary::RULED);
    table.set_header(["batch", "took", "stage", "call", "queue", "guest", "copy", "host"]);
    for batch in &slow.batches {
        for (at, call) in batch.calls.iter().enumerate() {
            table.add_row(row(batch, call, at == 0));
        }
        if batch.more > 0 {
            let (count, calls) = (amount::count(batch.more as u64), if batch.more == 1 { "call" } else { "calls" });
            table.add_row([String::new(), String::new(), format!("and {count} more {calls}")]);
        }
    }
    let lines: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    let of = if slow.of == 1 { "the only batch".to_owned() } else { format!("slowest of {} batches", amount::count(slow.of)) };
    format!("\n{of}, and where its time went\n{lines}")
}

fn row(batch: &SlowBatch, call: &SlowCall, first: bool) -> Vec<Cell> {
    let share = |time: Duration| match time.as_secs_f64() / batch.duration.as_secs_f64().max(1e-9) * 100.0 {
        _ if time.is_zero() => "-".to_owned(),
        percent if percent < 0.95 => "<1 %".to_owned(),
        percent => format!("{percent:.0} %"),
    };
    let head = if first {
        [format!("#{}{}", batch.sequence, if batch.failed { " failed" } else { "" }), amount::seconds(batch.duration.as_secs_f64())]
    } else {
        [String::new(), String::new()]
    };
    let words = head.into_iter().chain([call.stage.clone(), call.export.to_owned()]).map(Cell::new);
    let shares = [call.waited, call.guest, call.copy, call.host].map(share);
    words.chain(shares.into_iter().map(|share| Cell::new(share).set_alignment(CellAlignment::Right))).collect()
}
