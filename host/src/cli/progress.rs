//! How a run is going, on a terminal: a line for each stage.

use std::{sync::Arc, thread, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{When, amount};
use crate::{
    pipeline::run::{Run, Stage},
    words::stage::Kind,
};

/// How often the lines are drawn anew.
const INTERVAL: Duration = Duration::from_millis(100);
/// How often the end of the run is looked for.
const GLANCE: Duration = Duration::from_millis(2);

/// A line for each stage, or nothing.
pub struct Progress {
    all: Option<MultiProgress>,
}

impl Progress {
    /// Lines for the stages of a run, if they are wanted.
    pub fn new(when: When) -> Self {
        use std::io::IsTerminal as _;
        let wanted = match when {
            When::Auto => std::io::stderr().is_terminal(),
            When::Always => true,
            When::Never => false,
        };
        Progress { all: wanted.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr())) }
    }

    /// Draws until the run has ended, then clears.
    pub fn follow(&self, run: &Run) {
        let Some(all) = &self.all else { return };
        let (mut since_drawn, mut lines) = (INTERVAL, Vec::new());
        while !run.finished() {
            if since_drawn >= INTERVAL {
                let stages = run.stages();
                let shown = lines.iter().map(|(index, _): &(usize, ProgressBar)| *index);
                if shown.ne(stages.iter().map(|stage| stage.index)) {
                    let _ = all.clear();
                    lines.iter().for_each(|(_, line)| all.remove(line));
                    lines = lines_of(all, &stages);
                }
                for (stage, (_, line)) in stages.iter().zip(&lines) {
                    line.set_message(message(run, stage));
                    line.tick();
                }
                since_drawn = Duration::ZERO;
            }
            thread::sleep(GLANCE);
            since_drawn += GLANCE;
        }
        let _ = all.clear();
    }
}

/// A line for each stage, with the stage's index.
fn lines_of(all: &MultiProgress, stages: &[Arc<Stage>]) -> Vec<(usize, ProgressBar)> {
    let widest = stages.iter().map(|stage| stage.name.chars().count()).max().unwrap_or(0);
    let style = ProgressStyle::with_template("{spinner} {prefix} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let line = |stage: &Arc<Stage>| {
        let line = all.add(ProgressBar::new_spinner());
        line.set_style(style.clone());
        line.set_prefix(format!("{:widest$}", stage.name));
        (stage.index, line)
    };
    stages.iter().map(line).collect()
}

/// Rows, rows per second, and what stands in front of the stage.
fn message(run: &Run, stage: &Stage) -> String {
    let rows = stage.rows();
    let elapsed = run.elapsed().as_secs_f64().max(1e-3);
    let through = if stage.kind == Kind::Extract { rows.rows_out } else { rows.rows_in };
    let busy = 100.0 * rows.busy.as_secs_f64() / elapsed;
    let mut text =
        format!("{:>14} rows  {:>12}/s  busy {busy:>3.0} %", amount::count(through), amount::count((through as f64 / elapsed) as u64));
    if let Some(level) = stage.level() {
        text.push_str(&format!("  queue {:>9}", amount::bytes(level.bytes)));
    }
    if rows.rows_rejected > 0 {
        text.push_str(&format!("  rejected {}", amount::count(rows.rows_rejected)));
    }
    text
}
