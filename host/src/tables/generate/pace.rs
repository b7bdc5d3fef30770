//! So many rows a second, counted from the beginning: what one batch is late the next makes up for, so nothing drifts.

use std::time::Instant;

/// Batches of rows that come one by one would be all overhead: rows wait this part of a second for company.
const PARTS: f64 = 100.0;

/// When rows are due.
pub struct Pace {
    /// Rows a second.
    rate: f64,
    /// Fewer rows than this are not worth a batch.
    least: u64,
    /// When the first row was asked for, and which it was.
    began: Option<(Instant, u64)>,
}

impl Pace {
    pub fn new(rate: f64, batch_rows: u64) -> Self {
        Pace { rate, least: ((rate / PARTS) as u64).clamp(1, batch_rows), began: None }
    }

    /// How many rows from `at` on are due, of `most`; 0 while it is too early for a batch.
    pub fn ready(&mut self, at: u64, most: u64, now: Instant) -> u64 {
        let (began, first) = *self.began.get_or_insert((now, at));
        let due = (self.rate * now.saturating_duration_since(began).as_secs_f64()) as u64;
        let ready = first.saturating_add(due).saturating_sub(at).min(most);
        if ready >= self.least.min(most) { ready } else { 0 }
    }

    /// Time counts from the next row on.
    pub fn begin_anew(&mut self) {
        self.began = None;
    }
}
