//! Batches judged by the plan, and what is remembered of them.

use arrow_buffer::BooleanBuffer;
use parshall_sdk::prelude::*;

use crate::{
    check::Test,
    form::{Column, Form},
    plan::Plan,
    saved::{Reader, Writer},
    seen::Seen,
};

/// The rules, and the values seen so far of the columns that must not repeat any.
pub struct Validation {
    plan: Plan,
    /// One for each check `unique`.
    seen: Vec<Seen>,
}

/// Which rows of a batch pass.
pub struct Verdict {
    /// Nothing if all do.
    pub kept: Option<BooleanBuffer>,
    /// Of all others, ascending.
    pub rejections: Vec<Rejection>,
}

/// A row that fails, and the first check that it does.
type Failure = (u32, u32);

// === impl Validation ===

impl Validation {
    pub fn new(plan: Plan) -> Self {
        let seen = plan.unique.iter().map(|(form, _)| Seen::of(*form)).collect();
        Self { plan, seen }
    }

    /// Indices of the columns that [`Validation::judge`] takes.
    pub fn reads(&self) -> &[usize] {
        &self.plan.reads
    }

    /// Judges every row of a batch.
    pub fn judge(&mut self, rows: usize, data: Vec<ArrayData>) -> Result<Verdict, StageError> {
        let read = |(data, (form, values)): (ArrayData, &(Form, bool))| form.read(data, *values);
        let columns = data.into_iter().zip(&self.plan.forms).map(read).collect::<Result<Vec<_>, _>>()?;
        let mut failures = self.tell(rows, &columns);
        if !self.seen.is_empty() {
            failures = self.compare(rows, &columns, failures);
        }
        if failures.is_empty() {
            return Ok(Verdict { kept: None, rejections: Vec::new() });
        }
        failures.sort_unstable();
        let mut kept = arrow_buffer::BooleanBufferBuilder::new(rows);
        kept.append_n(rows, true);
        let reject = |&(row, check): &Failure| {
            kept.set_bit(row as usize, false);
            let check = &self.plan.checks[check as usize];
            Rejection { row, reason: check.reason(&columns[check.column], row as usize) }
        };
        let rejections = failures.iter().map(reject).collect();
        Ok(Verdict { kept: Some(kept.finish()), rejections })
    }

    /// The rows that fail a check that looks at nothing but the row.
    fn tell(&self, rows: usize, columns: &[Column]) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut passing: Option<BooleanBuffer> = None;
        for (index, check) in self.plan.checks.iter().enumerate() {
            let Some(failing) = check.failing(&columns[check.column]) else { continue };
            let failing = match &passing {
                None => failing,
                Some(passing) => &failing & passing,
            };
            failures.extend(failing.set_indices().map(|row| (row as u32, index as u32)));
            if failures.len() == rows {
                break;
            }
            passing = Some(match passing {
                None => !&failing,
                Some(passing) => &passing & &!&failing,
            });
        }
        failures
    }

    /// Adds the rows that repeat a value. Only of rows that are kept are values remembered: one that was rejected does
    /// not stand in the way of its correction.
    fn compare(&mut self, rows: usize, columns: &[Column], failures: Vec<Failure>) -> Vec<Failure> {
        const PASSES: u32 = u32::MAX;
        let mut first = vec![PASSES; rows];
        failures.iter().for_each(|&(row, check)| first[row as usize] = check);
        let unique = |(index, check): (usize, &crate::check::Check)| match check.test {
            Test::Unique(set) => Some((index as u32, set, check.column)),
            _ => None,
        };
        let unique: Vec<_> = self.plan.checks.iter().enumerate().filter_map(unique).collect();
        for (row, first) in first.iter_mut().enumerate() {
            let earlier = unique.iter().take_while(|(check, ..)| check < first);
            let mut repeated = earlier.filter(|&&(_, set, column)| self.seen[set].contains(&columns[column], row));
            if let Some((check, ..)) = repeated.next() {
                *first = *check;
            } else if *first == PASSES {
                unique.iter().for_each(|&(_, set, column)| self.seen[set].insert(&columns[column], row));
            }
        }
        let failed = first.iter().enumerate().filter(|(_, check)| **check != PASSES);
        failed.map(|(row, check)| (row as u32, *check)).collect()
    }

    /// Everything that is remembered.
    pub fn save(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.bytes(self.fingerprint().as_bytes());
        self.seen.iter().for_each(|seen| seen.save(&mut out));
        out.done()
    }

    /// Takes up what another saved.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), StageError> {
        let corrupt = |_| StageError::Data("the saved state is damaged, or of another version of this stage".into());
        let mut saved = Reader::new(bytes).map_err(corrupt)?;
        if saved.bytes().map_err(corrupt)? != self.fingerprint().as_bytes() {
            return Err(StageError::Data("the saved state is that of other `unique` columns".into()));
        }
        self.seen.iter_mut().try_for_each(|seen| seen.resume(&mut saved)).map_err(corrupt)?;
        saved.done().map_err(corrupt)
    }

    /// What must be the same for a snapshot to be taken up.
    fn fingerprint(&self) -> String {
        self.plan.unique.iter().map(|(_, column)| format!("{column};")).collect()
    }
}
