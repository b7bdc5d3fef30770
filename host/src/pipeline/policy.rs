//! What is done when a call of a stage fails: `on_error` of the pipeline file, and `[dead_letters]`.

use std::{path::PathBuf, time::Duration};

use crate::words::trace::TraceId;

/// What is done when a call of a stage fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnError {
    /// How often a call is made again, where another try can help. Default 0; `"retry"` alone stands for 3.
    pub retry: u32,
    /// How long before the first of them; doubled from one to the next, each shortened by chance, by half at most. Default 100 ms.
    pub backoff: Duration,
    /// What it grows to. Default 30 s.
    pub backoff_max: Duration,
    /// What is done when that did not help.
    pub then: Then,
    /// Batches in a row of which no row went well, after which the run fails nevertheless. Default 8.
    pub circuit: u64,
    /// Calls that may be spent on finding the rows at fault in one batch. Default 1,024: some 64 rows scattered over 8,192.
    pub bisect: u64,
}

/// What is done with rows that a stage cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The run fails.
    Fail,
    /// They are written to the dead letters; all others go on.
    DeadLetter,
    /// They are counted and dropped; all others go on.
    Skip,
}

/// Where dead letters are written, and how many.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetters {
    /// A folder.
    pub folder: PathBuf,
    /// Rows of one stage in one run. Default 1,000,000.
    pub rows: u64,
    /// Bytes of one stage in one run. Default 1 GiB.
    pub bytes: u64,
}

/// All that a stage that can run is told of its failures.
#[derive(Clone, Debug, PartialEq)]
pub struct StagePolicy {
    /// What is done when a call fails.
    pub on_error: OnError,
    /// Bytes of linear memory beyond which an instance is replaced; none for never.
    pub recycle: Option<u64>,
    /// Where rows go that the stage cannot take.
    pub dead_letters: DeadLetters,
    /// The pipeline's name and file, which dead letters name.
    pub pipeline: String,
    /// Its file.
    pub file: PathBuf,
}

/// The least backoff.
pub const LEAST_BACKOFF: Duration = Duration::from_millis(1);
/// The most retries of one call.
pub const MOST_RETRIES: u64 = 1_000;
/// What `on_error = "retry"` stands for.
pub const RETRIES: u32 = 3;

impl Default for OnError {
    fn default() -> Self {
        let (backoff, backoff_max) = (Duration::from_millis(100), Duration::from_secs(30));
        OnError { retry: 0, backoff, backoff_max, then: Then::Fail, circuit: 8, bisect: 1_024 }
    }
}

impl OnError {
    /// Whether a failure is more than the end of the run.
    pub fn acts(&self) -> bool {
        self.retry > 0 || self.then != Then::Fail
    }

    /// How long to wait before this retry, from 0: each time something else.
    pub fn pause(&self, retry: u32) -> Duration {
        self.pause_by(retry, TraceId::fresh().0.get() as u64)
    }

    /// The same; `chance` is any number.
    fn pause_by(&self, retry: u32, chance: u64) -> Duration {
        let grown = self.backoff.saturating_mul(1_u32.checked_shl(retry.min(31)).unwrap_or(u32::MAX)).min(self.backoff_max);
        grown.mul_f64(0.5 + 0.5 * (chance >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

impl Then {
    /// All of them, as they are written.
    pub const WORDS: [(&'static str, Then); 3] = [("fail", Then::Fail), ("dead-letter", Then::DeadLetter), ("skip", Then::Skip)];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Then::Fail => "fail",
            Then::DeadLetter => "dead-letter",
            Then::Skip => "skip",
        }
    }
}

impl DeadLetters {
    /// The defaults, beside a pipeline file in this folder.
    pub fn beside(base: &std::path::Path) -> Self {
        DeadLetters { folder: base.join("dead-letters"), rows: 1_000_000, bytes: 1 << 30 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects whoever is asked again against all of us at once, and against waiting for ever.
    #[test]
    fn pauses_double_within_their_bounds() {
        let on_error = OnError { backoff_max: Duration::from_secs(1), ..OnError::default() };
        assert!((99..=100).contains(&on_error.pause_by(0, u64::MAX).as_millis()));
        assert_eq!(on_error.pause_by(0, 0).as_millis(), 50);
        assert_eq!(on_error.pause_by(2, 0).as_millis(), 200);
        for retry in [4, 31, 32, u32::MAX] {
            assert_eq!(on_error.pause_by(retry, 0).as_millis(), 500, "{retry}");
        }
    }
}
