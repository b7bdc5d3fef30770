//! `[delivery]`: checkpoints, and where the state is kept.

use std::{path::PathBuf, time::Duration};

use super::{
    keys,
    table::{Table, time},
};

/// The shortest time between two checkpoints: each waits for everything that is in flight.
const LEAST: Duration = Duration::from_millis(10);

/// What a pipeline file says about delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliverySettings {
    /// Time between two checkpoints; none where there are none.
    pub checkpoint: Option<Duration>,
    /// Runs that are remembered.
    pub runs: u64,
    /// Bytes that the stages may remember at a checkpoint, together.
    pub snapshot: u64,
    /// The folder of the state, absolute.
    pub state: Option<PathBuf>,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        DeliverySettings { checkpoint: None, runs: keys::DEFAULT_RUNS, snapshot: keys::DEFAULT_SNAPSHOT, state: None }
    }
}

/// Reads `[delivery]`.
pub(super) fn read(file: &Table, base: &std::path::Path) -> DeliverySettings {
    let default = DeliverySettings::default();
    let Some(table) = file.table("delivery", keys::DELIVERY.iter()) else { return default };
    let checkpoint = table.get("checkpoint").and_then(|(_, value)| time(table.scope, &table.title_of("checkpoint"), value, LEAST));
    let state = table.text("state", "a folder").and_then(|text| {
        if text.value.is_empty() {
            let diagnostic = table.scope.error("bad-folder", text.span, "this names no folder");
            table.scope.complain(diagnostic.label("expected a path, such as \"state\""));
            return None;
        }
        Some(base.join(&text.value))
    });
    DeliverySettings {
        checkpoint,
        runs: table.count("runs", 1, 100_000).map_or(default.runs, |(count, _)| count),
        snapshot: table.bytes("snapshot").unwrap_or(default.snapshot),
        state,
    }
}
