//! What is on the screen: the last look at the run, what is chosen, what is being typed, what is tapped.

use super::{
    feed::Event,
    rates::{self, Rates},
};
use crate::cli::{
    admin::shapes::{StageStatus, Status},
    tap::{Side, seen::Shown},
};

/// By what stages are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As data flows.
    #[default]
    Pipeline,
    /// The busiest first.
    Busy,
    /// Most rows a second first.
    Rows,
    /// The slowest first.
    Time,
    /// The hungriest first.
    Memory,
    /// By name.
    Name,
}

/// What keys mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Choosing.
    #[default]
    Table,
    /// Typing a component.
    Typing(String),
    /// Reading what keys do.
    Help,
}

/// An open tap.
pub struct Tapped {
    /// Its number.
    pub number: u64,
    /// Of which stage.
    pub stage: String,
    /// Which side was asked for.
    pub side: Option<Side>,
    /// The last batch.
    pub batch: Option<Shown>,
    /// Why there are no more.
    pub ended: Option<String>,
}

/// Everything that is shown.
#[derive(Default)]
pub struct State {
    /// The last look.
    pub status: Option<Status>,
    /// What changed since the one before.
    pub rates: Vec<Rates>,
    /// The stage that is chosen, by its name: its place may change.
    pub chosen: Option<String>,
    /// By what stages are sorted.
    pub sort: Sort,
    /// What keys mean.
    pub mode: Mode,
    /// What there is to say.
    pub message: Option<String>,
    /// Why the run does not answer.
    pub lost: Option<String>,
    /// The tap that is open.
    pub tap: Option<Tapped>,
    /// Enough.
    pub quit: bool,
}

impl Sort {
    /// The next one.
    pub fn next(self) -> Self {
        match self {
            Sort::Pipeline => Sort::Busy,
            Sort::Busy => Sort::Rows,
            Sort::Rows => Sort::Time,
            Sort::Time => Sort::Memory,
            Sort::Memory => Sort::Name,
            Sort::Name => Sort::Pipeline,
        }
    }

    /// As the screen says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Sort::Pipeline => "flow",
            Sort::Busy => "busy",
            Sort::Rows => "rows/s",
            Sort::Time => "p95",
            Sort::Memory => "memory",
            Sort::Name => "name",
        }
    }
}

impl State {
    /// Takes what a thread has to tell.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Status(status) => {
                self.rates = rates::of(self.status.as_ref(), &status);
                self.status = Some(*status);
                self.lost = None;
                if self.chosen_stage().is_none() {
                    self.chosen = self.rows().first().map(|(stage, _)| stage.name.clone());
                }
            }
            Event::Lost(why) => self.lost = Some(why),
            Event::Swapped(text) => self.message = Some(text),
            Event::Batch(number, shown) => {
                if let Some(tap) = self.tap.as_mut().filter(|tap| tap.number == number) {
                    tap.batch = Some(*shown);
                }
            }
            Event::TapEnded(number, why) => {
                if let Some(tap) = self.tap.as_mut().filter(|tap| tap.number == number) {
                    tap.ended = Some(why);
                }
            }
        }
    }

    /// The stages in the order of the screen.
    pub fn rows(&self) -> Vec<(&StageStatus, Rates)> {
        let Some(status) = &self.status else { return Vec::new() };
        let mut rows: Vec<_> = status.stages.iter().zip(self.rates.iter().copied()).collect();
        let most = |a: f64, b: f64| b.total_cmp(&a);
        match self.sort {
            Sort::Pipeline => {}
            Sort::Busy => rows.sort_by(|a, b| most(a.1.busy, b.1.busy)),
            Sort::Rows => rows.sort_by(|a, b| most(a.1.rows, b.1.rows)),
            Sort::Time => rows.sort_by(|a, b| most(a.0.call_seconds.p95, b.0.call_seconds.p95)),
            Sort::Memory => rows.sort_by_key(|row| std::cmp::Reverse(row.0.memory_peak_bytes)),
            Sort::Name => rows.sort_by(|a, b| a.0.name.cmp(&b.0.name)),
        }
        rows
    }

    /// The stage that is chosen.
    pub fn chosen_stage(&self) -> Option<&StageStatus> {
        let chosen = self.chosen.as_ref()?;
        self.status.as_ref()?.stages.iter().find(|stage| stage.name == *chosen)
    }

    /// The stage that all others wait for.
    pub fn bottleneck(&self) -> Option<&str> {
        let at = rates::bottleneck(&self.rates)?;
        self.status.as_ref()?.stages.get(at).map(|stage| stage.name.as_str())
    }

    /// Chooses another stage, so many lines further down.
    pub fn step(&mut self, by: isize) {
        let rows = self.rows();
        let at = rows.iter().position(|(stage, _)| Some(&stage.name) == self.chosen.as_ref()).unwrap_or(0);
        let next = at.saturating_add_signed(by).min(rows.len().saturating_sub(1));
        self.chosen = rows.get(next).map(|(stage, _)| stage.name.clone());
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::cli::admin::shapes::{CallSeconds, QueueStatus, RunStatus};

    /// A run of three stages, the second of which is busy.
    pub fn status() -> Status {
        let stage = |name: &str, kind: &str, busy: f64, p95: f64| StageStatus {
            name: name.into(),
            kind: kind.into(),
            component: format!("components/{name}.wasm"),
            digest: "0123456789abcdef".into(),
            generation: 1,
            instances: 1,
            calls: 12,
            call_seconds: CallSeconds { p50: p95, p95, p99: p95, max: p95 },
            busy_seconds: busy,
            rows_in: 90_000,
            rows_out: 100_000,
            fuel_per_row: 37.5,
            memory_peak_bytes: 3 << 20,
            queue: (kind != "extract").then_some(QueueStatus { batches: 3, bytes: 1 << 20, bound_bytes: 4 << 20, peak_bytes: 2 << 20 }),
            ..StageStatus::default()
        };
        let run = RunStatus {
            pid: 4711,
            pipeline: "flights".into(),
            file: "/somewhere/flights.toml".into(),
            version: "0".into(),
            started_at: 0.0,
            uptime_seconds: 10.0,
            state: "running".into(),
            swaps: 2,
        };
        let stages = vec![
            stage("numbers", "extract", 1.0, 0.001),
            stage("a_transform_with_a_rather_long_name", "transform", 9.8, 0.05),
            stage("end", "load", 0.1, 0.002),
        ];
        Status { format: 1, run, stages }
    }

    /// Protects what is chosen against being another stage once the order is another.
    #[test]
    fn what_is_chosen_stays_chosen() {
        let mut state = State::default();
        state.take(Event::Status(Box::new(status())));
        assert_eq!(state.chosen.as_deref(), Some("numbers"));
        assert_eq!(state.bottleneck(), Some("a_transform_with_a_rather_long_name"));
        state.step(5);
        assert_eq!(state.chosen.as_deref(), Some("end"), "not beyond the last");
        state.sort = Sort::Busy;
        let order: Vec<_> = state.rows().iter().map(|(stage, _)| stage.name.chars().next().unwrap()).collect();
        assert_eq!(order, ['a', 'n', 'e']);
        assert_eq!(state.chosen.as_deref(), Some("end"));
        state.step(-1);
        assert_eq!(state.chosen.as_deref(), Some("numbers"));
    }
}
