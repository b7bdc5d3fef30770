//! `[swap]`: how new versions of a pipeline's stages are tried before they stay.

use std::time::Duration;

use super::{
    keys::{self, MAX_BATCHES},
    table::{Table, time},
    telemetry::{number, ratio},
};
use crate::pipeline::swap::SwapSettings;

/// Reads `[swap]`.
pub(super) fn read(file: &Table) -> SwapSettings {
    let default = SwapSettings::default();
    let Some(table) = file.table("swap", keys::SWAP.iter()) else { return default };
    let batches = |key, default| table.count(key, 0, MAX_BATCHES).map_or(default, |(count, _)| count);
    let patience = table
        .get("patience")
        .and_then(|(_, value)| time(table.scope, &table.title_of("patience"), value, Duration::from_millis(1)))
        .unwrap_or(default.patience);
    SwapSettings {
        shadow: batches("shadow", default.shadow),
        diverge: table.flag("diverge").unwrap_or(default.diverge),
        canary: ratio(&table, "canary").unwrap_or(default.canary),
        canary_batches: batches("canary_batches", default.canary_batches).max(1),
        guard: batches("guard", default.guard),
        slower: factor(&table, "slower"),
        fuel: factor(&table, "fuel"),
        memory: factor(&table, "memory"),
        rejects: ratio(&table, "rejects").unwrap_or(default.rejects),
        patience,
    }
}

/// A factor relative to the old version.
fn factor(table: &Table, key: &str) -> Option<f64> {
    let (_, value) = table.get(key)?;
    let what = table.title_of(key);
    let Some(factor) = number(value) else {
        table.scope.complain(table.scope.wrong_type(&what, "a number such as 1.5", value));
        return None;
    };
    if !(factor > 0.0 && factor.is_finite()) {
        let diagnostic = table.scope.error("out-of-range", value.span().into(), format!("{what} is out of range"));
        table.scope.complain(diagnostic.label("expected a number above 0: how many times the old version's"));
        return None;
    }
    Some(factor)
}
