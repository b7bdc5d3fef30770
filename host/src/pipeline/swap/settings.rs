//! How a version is tried before it stays: settings of a swap, each with its unit and default.

use std::time::Duration;

use serde::Serialize;

/// How a new version of a stage is tried. Of a pipeline file's `[swap]`, and of options of `parshall swap`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SwapSettings {
    /// Batches that the new version works on beside the old one, on the same frames, before anything depends on it.
    /// Default 0: most new versions are meant to answer differently.
    pub shadow: u64,
    /// Whether different answers in the shadow phase are counted only, and refuse nothing. Default false.
    pub diverge: bool,
    /// Share of batches, 0 to 1, that the new version is given in the canary phase. Default 0: no canary.
    pub canary: f64,
    /// Batches that the canary phase lasts, given to either. Default 100.
    pub canary_batches: u64,
    /// Batches after the switch during which the old version is kept, so that a failure goes back to it. Default 32.
    pub guard: u64,
    /// Time a row of the new version, relative to the old one's, above which it is rolled back. Default none.
    pub slower: Option<f64>,
    /// Fuel a row, likewise. Default none.
    pub fuel: Option<f64>,
    /// Most linear memory of an instance, likewise. Default none.
    pub memory: Option<f64>,
    /// By how much the share of rejected rows may exceed the old version's, 0 to 1. Default 0.1: a version that rejects
    /// everything does not stay.
    pub rejects: f64,
    /// How long shadow, canary and the way to a batch boundary may take. A shadow or canary that has not seen its batches by
    /// then refuses the swap; a guard that has not lets it stay. Default 60 s.
    #[serde(serialize_with = "seconds")]
    pub patience: Duration,
}

impl Default for SwapSettings {
    fn default() -> Self {
        SwapSettings {
            shadow: 0,
            diverge: false,
            canary: 0.0,
            canary_batches: 100,
            guard: 32,
            slower: None,
            fuel: None,
            memory: None,
            rejects: 0.1,
            patience: Duration::from_secs(60),
        }
    }
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
