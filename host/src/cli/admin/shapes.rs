//! What the admin port is asked and answers, as JSON: the server writes these shapes, the commands read them. ADMIN.md names every field.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pipeline::{
    spec::{
        keys::MAX_BATCHES,
        units::{self, UnitError},
    },
    swap::SwapSettings,
};

/// How a run and its stages are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Grows when a field changes its meaning.
    pub format: u32,
    /// The run.
    pub run: RunStatus,
    /// Its stages, each after those that feed it.
    pub stages: Vec<StageStatus>,
}

/// How a run is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunStatus {
    /// The process.
    pub pid: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline file.
    pub file: PathBuf,
    /// The program.
    pub version: String,
    /// In seconds since 1970.
    pub started_at: f64,
    /// Since then.
    pub uptime_seconds: f64,
    /// `running`, `stopping` or `failed`.
    pub state: String,
    /// Changes and refused changes so far.
    pub swaps: u64,
}

/// How a stage is. What counts has counted since the start of the run, over all versions and instances.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StageStatus {
    /// Its name.
    pub name: String,
    /// `extract`, `transform` or `load`.
    pub kind: String,
    /// As the pipeline file refers to it.
    pub component: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// Which version it runs, from 1.
    pub generation: u32,
    /// How many work side by side.
    pub instances: usize,
    /// What feeds it, as the pipeline file says it.
    pub inputs: Vec<String>,
    /// Its ways out.
    pub ports: Vec<String>,
    /// Calls made.
    pub calls: u64,
    /// Calls that failed.
    pub calls_failed: u64,
    /// Seconds of a call.
    pub call_seconds: CallSeconds,
    /// Seconds in calls, over all instances: utilisation is what it grows by in a second, by instances.
    pub busy_seconds: f64,
    /// Rows that went in.
    pub rows_in: u64,
    /// Rows that came out.
    pub rows_out: u64,
    /// Rows that were left out.
    pub rows_filtered: u64,
    /// Rows that were rejected.
    pub rows_rejected: u64,
    /// Units of fuel.
    pub fuel: u64,
    /// Units of fuel a row that went in; of an extract, that came out.
    pub fuel_per_row: f64,
    /// Most bytes of linear memory of any instance.
    pub memory_peak_bytes: u64,
    /// What waits in front of it; none of an extract.
    pub queue: Option<QueueStatus>,
    /// Why the run fails, why its last change was refused or rolled back, or why most rows were rejected.
    pub last_error: Option<String>,
}

/// Quantiles over all calls, in seconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct CallSeconds {
    /// Half are faster.
    pub p50: f64,
    /// 95 of 100 are faster.
    pub p95: f64,
    /// 99 of 100 are faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// A queue.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct QueueStatus {
    /// Batches that wait.
    pub batches: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many bytes may wait.
    pub bound_bytes: u64,
    /// Most that ever waited.
    pub peak_bytes: u64,
}

/// Another component for a stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwapRequest {
    /// `std:NAME`, or an absolute path.
    pub component: String,
    /// How it is tried.
    #[serde(default)]
    pub trying: Trying,
}

/// How a new version is tried; what is left out is as the pipeline file's `[swap]` says.
#[derive(Clone, Debug, Default, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct Trying {
    /// Batches that the new version works on beside the old one before it takes over; its answers are compared and thrown away.
    #[arg(long, value_name = "BATCHES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<u64>,
    /// Answers that differ in the shadow phase are only counted.
    #[arg(long, num_args = 0, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diverge: Option<bool>,
    /// Share of batches, 0 to 1, that the new version is given before it takes over.
    #[arg(long, value_name = "SHARE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<f64>,
    /// Batches that the canary phase lasts.
    #[arg(long, value_name = "BATCHES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_batches: Option<u64>,
    /// Batches after the switch during which a failure goes back to the old version.
    #[arg(long, value_name = "BATCHES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<u64>,
    /// Time a row, relative to the old version's, above which the new one is rolled back.
    #[arg(long, value_name = "FACTOR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slower: Option<f64>,
    /// Fuel a row, likewise.
    #[arg(long, value_name = "FACTOR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<f64>,
    /// Memory, likewise.
    #[arg(long, value_name = "FACTOR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// By how much the share of rejected rows may exceed the old version's, 0 to 1.
    #[arg(long, value_name = "SHARE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejects: Option<f64>,
    /// How long the phases may take together, such as `60s`.
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<String>,
}

/// An answer that is none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refused {
    /// Why.
    pub error: Fault,
}

/// Why there is no answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// For programs, from a bounded set.
    pub code: String,
    /// For people.
    pub message: String,
    /// What is wrong with the pipeline as it shall be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Value>,
    /// The same as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<String>,
}

impl Trying {
    /// The settings that these change.
    pub fn over(&self, settings: SwapSettings) -> Result<SwapSettings, String> {
        let batches = |name: &str, told: Option<u64>, otherwise: u64| match told {
            Some(count) if count > MAX_BATCHES => Err(format!("`{name}` is at most {MAX_BATCHES} batches")),
            told => Ok(told.unwrap_or(otherwise)),
        };
        let share = |name: &str, told: Option<f64>, otherwise: f64| match told {
            Some(share) if !(0.0..=1.0).contains(&share) => Err(format!("`{name}` is a share from 0 to 1")),
            told => Ok(told.unwrap_or(otherwise)),
        };
        let factor = |name: &str, told: Option<f64>, otherwise: Option<f64>| match told {
            Some(factor) if !(factor > 0.0 && factor.is_finite()) => Err(format!("`{name}` is a factor above 0, such as 1.5")),
            told => Ok(told.or(otherwise)),
        };
        Ok(SwapSettings {
            shadow: batches("shadow", self.shadow, settings.shadow)?,
            diverge: self.diverge.unwrap_or(settings.diverge),
            canary: share("canary", self.canary, settings.canary)?,
            canary_batches: batches("canary_batches", self.canary_batches, settings.canary_batches)?.max(1),
            guard: batches("guard", self.guard, settings.guard)?,
            slower: factor("slower", self.slower, settings.slower)?,
            fuel: factor("fuel", self.fuel, settings.fuel)?,
            memory: factor("memory", self.memory, settings.memory)?,
            rejects: share("rejects", self.rejects, settings.rejects)?,
            patience: self.patience.as_deref().map_or(Ok(settings.patience), patience)?,
        })
    }
}

fn patience(text: &str) -> Result<Duration, String> {
    let time = units::time(text).map_err(|error| match &error {
        UnitError::NoUnit { example, .. } => format!("`patience`: {error}; such as `{example}`"),
        _ => format!("`patience`: {error}"),
    })?;
    if time < Duration::from_millis(1) { Err("`patience` is at least `1ms`".into()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects a pipeline file's own settings against options that were not given, and the run against those that make no sense.
    #[test]
    fn what_is_not_given_stays_and_what_is_wrong_is_said() {
        let settings = SwapSettings { shadow: 7, fuel: Some(2.0), ..SwapSettings::default() };
        assert_eq!(Trying::default().over(settings), Ok(settings));
        let told = Trying { guard: Some(0), slower: Some(1.5), patience: Some("5s".into()), ..Trying::default() };
        let expected = SwapSettings { guard: 0, slower: Some(1.5), patience: Duration::from_secs(5), ..settings };
        assert_eq!(told.over(settings), Ok(expected));
        for (wrong, named) in [
            (Trying { canary: Some(1.5), ..Trying::default() }, "canary"),
            (Trying { rejects: Some(f64::NAN), ..Trying::default() }, "rejects"),
            (Trying { slower: Some(0.0), ..Trying::default() }, "slower"),
            (Trying { shadow: Some(MAX_BATCHES + 1), ..Trying::default() }, "shadow"),
            (Trying { patience: Some("5".into()), ..Trying::default() }, "patience"),
        ] {
            assert!(wrong.over(settings).unwrap_err().contains(named), "{named}");
        }
    }
}
