//! `[telemetry]`: how a pipeline wants to be watched.

use std::time::Duration;

use toml::{Spanned, de::DeValue};

use super::{
    keys,
    table::{Table, time},
};
use crate::words::observe::{Keep, Settings};

/// The most buckets of a histogram: each is a time series for every stage.
const MAX_BUCKETS: usize = 64;

/// Reads `[telemetry]`.
pub(super) fn read(file: &Table) -> Settings {
    let Some(table) = file.table("telemetry", keys::TELEMETRY.iter()) else {
        return Settings::default();
    };
    let keep = table.table("keep", keys::KEEP.iter());
    Settings { keep: keep.map_or_else(Keep::default, |keep| read_keep(&keep)), buckets: buckets(&table).unwrap_or_default() }
}

fn read_keep(table: &Table) -> Keep {
    let all = Keep::default();
    let slower_than = table.get("slower_than").and_then(|(_, value)| {
        // Clocks tell nanoseconds here; anything above nothing makes sense.
        time(table.scope, &table.title_of("slower_than"), value, Duration::from_nanos(1))
    });
    Keep {
        failed: table.flag("failed").unwrap_or(all.failed),
        rejected: table.flag("rejected").unwrap_or(all.rejected),
        slower_than,
        ratio: ratio(table, "ratio").unwrap_or(all.ratio),
    }
}

/// A share.
pub(super) fn ratio(table: &Table, key: &str) -> Option<f64> {
    let (_, value) = table.get(key)?;
    let what = table.title_of(key);
    let Some(ratio) = number(value) else {
        table.scope.complain(table.scope.wrong_type(&what, "a number from 0 to 1", value));
        return None;
    };
    if !(0.0..=1.0).contains(&ratio) {
        let diagnostic = table.scope.error("out-of-range", value.span().into(), format!("{what} is out of range"));
        table.scope.complain(diagnostic.label("expected 0 to 1"));
        return None;
    }
    Some(ratio)
}

fn buckets(table: &Table) -> Option<Vec<f64>> {
    let (_, value) = table.get("buckets")?;
    let what = table.title_of("buckets");
    let numbers = value.get_ref().as_array().and_then(|array| array.iter().map(number).collect::<Option<Vec<f64>>>());
    let Some(bounds) = numbers else {
        table.scope.complain(table.scope.wrong_type(&what, "an array of seconds such as [0.001, 0.01, 0.1]", value));
        return None;
    };
    let sound = (1..=MAX_BUCKETS).contains(&bounds.len()) && bounds[0] > 0.0 && bounds.windows(2).all(|pair| pair[0] < pair[1]);
    if !sound || !bounds.iter().all(|bound| bound.is_finite()) {
        let diagnostic = table.scope.error("out-of-range", value.span().into(), format!("{what} are no bounds of buckets"));
        table.scope.complain(diagnostic.label(format!("expected 1 to {MAX_BUCKETS} seconds above 0, ascending")));
        return None;
    }
    Some(bounds)
}

/// An integer or a float.
pub(super) fn number(value: &Spanned<DeValue>) -> Option<f64> {
    match value.get_ref() {
        DeValue::Integer(integer) => super::table::integer(integer).map(|integer| integer as f64),
        DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
        _ => None,
    }
}
