//! Batches judged by the plan, and what is remembered of them.

use arrow_buffer::BooleanBuffer;
use parshall_sdk::prelude::*;

use crate::{
    check::{Check, Marks, PASSES, Test},
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
        let mut marks = Marks { rows, check: 0, first: Vec::new() };
        for (index, check) in self.plan.checks.iter().enumerate() {
            marks.check = index as u32;
            check.mark(&columns[check.column], &mut marks);
        }
        if !self.seen.is_empty() {
            self.compare(&columns, &mut marks);
        }
        let failed = |(row, &check): (usize, &u32)| {
            let check = self.plan.checks.get(check as usize)?;
            Some(Rejection { row: row as u32, reason: check.reason(&columns[check.column], row) })
        };
        let rejections: Vec<_> = marks.first.iter().enumerate().filter_map(failed).collect();
        let kept = (!rejections.is_empty()).then(|| BooleanBuffer::collect_bool(rows, |row| marks.first[row] == PASSES));
        Ok(Verdict { kept, rejections })
    }

    /// Marks the rows that repeat a value. Only of rows that are kept are values remembered: one that was rejected does
    /// not stand in the way of its correction.
    fn compare(&mut self, columns: &[Column], marks: &mut Marks) {
        let unique = |(index, check): (usize, &Check)| match check.test {
            Test::Unique(set) => Some((index as u32, set, check.column)),
            _ => None,
        };
        let unique: Vec<_> = self.plan.checks.iter().enumerate().filter_map(unique).collect();
        for row in 0..marks.rows {
            let first = marks.first.get(row).copied().unwrap_or(PASSES);
            let mut earlier = unique.iter().take_while(|(check, ..)| *check < first);
            if let Some((check, ..)) = earlier.find(|&&(_, set, column)| self.seen[set].contains(&columns[column], row)) {
                marks.replace(row, *check);
            } else if first == PASSES {
                unique.iter().for_each(|&(_, set, column)| self.seen[set].insert(&columns[column], row));
            }
        }
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
        let corrupt = |_| StageError::Data("the saved state is damaged, or of another version".into());
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
