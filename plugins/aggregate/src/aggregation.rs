//! The groups and what is known of each: batches in, rows out, a snapshot between.

use parshall_sdk::prelude::*;

use crate::{
    accumulate::{Accumulator, accumulator},
    call::Function,
    keys::{Interner, Known, Rows, Shape, UNKNOWN, decode, is_row},
    plan::Plan,
    saved::{Corrupt, Reader, Writer},
    text::plain,
};

/// Rows of one batch that comes out.
pub const BATCH: usize = 8_192;

/// How many rows can be written out among others for the price of one by itself.
const ALONE: usize = 8;

/// The stage's whole state.
pub struct Aggregation {
    plan: Plan,
    groups: Interner,
    /// A way around for keys that fit, as long as it is one.
    known: Option<Known>,
    /// Each with the column it takes, as an index into what is read.
    accumulators: Vec<(Box<dyn Accumulator>, Option<usize>)>,
    /// For each result: which accumulator gives it.
    results: Vec<usize>,
    /// Groups that have come out.
    given: usize,
    /// Room for the keys of a batch and the groups of its rows.
    rows: Rows,
    numbers: Vec<u32>,
}

// === impl Aggregation ===

impl Aggregation {
    /// Before the first batch.
    pub fn new(plan: Plan) -> Self {
        let mut accumulators = Vec::new();
        let mut made: Vec<(Function, Option<usize>)> = Vec::new();
        let mut results = Vec::new();
        for result in &plan.results {
            // What is asked twice is computed once, and all quantiles of a column are answered from one sketch.
            let function = if let Function::Quantile(_) = result.function { Function::Quantile(0.0) } else { result.function };
            let wanted = (function, result.column.as_ref().map(|(read, _)| *read));
            results.push(made.iter().position(|made| *made == wanted).unwrap_or(made.len()));
            if !made.contains(&wanted) {
                made.push(wanted);
                accumulators.push((accumulator(function, result.column.as_ref().map(|(_, of)| of)), wanted.1));
            }
        }
        let shapes: Vec<Shape> = plan.key_types.iter().map(|(shape, _)| *shape).collect();
        let mut aggregation = Self {
            plan,
            groups: Interner::default(),
            known: Known::of(&shapes),
            accumulators,
            results,
            given: 0,
            rows: Rows::default(),
            numbers: Vec::new(),
        };
        if aggregation.plan.keys.is_empty() {
            // All rows are one group, which is there even when they are none.
            aggregation.groups.intern(&[]);
            aggregation.grow();
        }
        aggregation
    }

    /// The columns to read.
    pub fn reads(&self) -> &[usize] {
        &self.plan.reads
    }

    /// Takes a batch: the columns of `reads`.
    pub fn take(&mut self, rows: usize, columns: Vec<ArrayData>) {
        let columns: Vec<ArrayData> = columns.into_iter().map(plain).collect();
        self.number(rows, &columns);
        for (accumulator, column) in &mut self.accumulators {
            accumulator.take(&self.numbers, column.map(|column| &columns[column]));
        }
    }

    /// Finds the group of each row.
    fn number(&mut self, rows: usize, columns: &[ArrayData]) {
        self.numbers.clear();
        if self.plan.keys.is_empty() || rows == 0 {
            self.numbers.resize(rows, 0);
            return;
        }
        let keys: Vec<_> = self.plan.keys.iter().zip(&self.plan.key_types).map(|(&key, (shape, _))| (*shape, &columns[key])).collect();
        let Self { rows: encoded, groups, numbers, known, .. } = self;
        let unknown = match known {
            Some(known) => known.look_up(rows, &keys, numbers),
            None => {
                numbers.resize(rows, UNKNOWN);
                rows
            }
        };
        if unknown == 0 {
            return;
        }
        // To write a row out by itself costs as much as several among others.
        let apart = unknown * ALONE < rows;
        if !apart {
            encoded.encode(rows, None, &keys);
        }
        for (row, number) in numbers.iter_mut().enumerate().filter(|(_, number)| **number == UNKNOWN) {
            *number = known.as_ref().map_or(UNKNOWN, |known| known.group(row));
            if *number != UNKNOWN {
                continue;
            }
            if apart {
                let alone: Vec<_> = keys.iter().map(|(shape, data)| (*shape, data.slice(row, 1))).collect();
                encoded.encode(1, None, &alone.iter().map(|(shape, data)| (*shape, data)).collect::<Vec<_>>());
            }
            *number = groups.intern(encoded.row(if apart { 0 } else { row }));
            if let Some(known) = known {
                known.learn(row, *number);
            }
        }
        // Of keys that are hardly ever met twice it only costs.
        if known.as_ref().is_some_and(Known::is_in_vain) {
            *known = None;
        }
        self.grow();
    }

    fn grow(&mut self) {
        let groups = self.groups.len();
        self.accumulators.iter_mut().for_each(|(accumulator, _)| accumulator.grow(groups));
    }

    /// The next rows, until there are none left: their number and the columns.
    pub fn give(&mut self) -> Result<Option<(usize, Vec<ArrayData>)>, StageError> {
        let groups = self.given..self.groups.len().min(self.given + BATCH);
        if groups.is_empty() {
            return Ok(None);
        }
        let mut columns = decode(groups.clone().map(|group| self.groups.key(group)), &self.plan.key_types);
        for (result, &index) in self.plan.results.iter().zip(&self.results) {
            let share = if let Function::Quantile(share) = result.function { share } else { 0.0 };
            let column = self.accumulators[index].0.give(groups.clone(), share).map_err(|error| match error {
                StageError::Data(message) => StageError::Data(format!("aggregate `{}`: {message}", result.name)),
                other => other,
            })?;
            columns.push(column);
        }
        self.given = groups.end;
        Ok(Some((groups.len(), columns)))
    }

    /// Everything, for `restore`.
    pub fn save(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.bytes(self.plan.fingerprint().as_bytes());
        out.number(self.given as u64);
        self.groups.save(&mut out);
        for (accumulator, _) in &self.accumulators {
            accumulator.save(&mut out);
        }
        out.done()
    }

    /// Goes on from what another saved.
    pub fn restore(plan: Plan, bytes: &[u8]) -> Result<Self, StageError> {
        let corrupt = |_| StageError::Data("the saved state is damaged, or of another version of this stage".into());
        let mut saved = Reader::new(bytes).map_err(corrupt)?;
        if saved.bytes().map_err(corrupt)? != plan.fingerprint().as_bytes() {
            return Err(StageError::Data("the saved state is that of another configuration or schema".into()));
        }
        let mut aggregation = Self::new(plan);
        aggregation.resume(saved).map_err(corrupt)?;
        Ok(aggregation)
    }

    fn resume(&mut self, mut saved: Reader) -> Result<(), Corrupt> {
        self.given = usize::try_from(saved.number()?).map_err(|_| Corrupt)?;
        let types = &self.plan.key_types;
        self.groups = Interner::restore(&mut saved, |key| is_row(key, types))?;
        let groups = self.groups.len();
        if self.given > groups || (types.is_empty() && groups != 1) {
            return Err(Corrupt);
        }
        for (accumulator, _) in &mut self.accumulators {
            accumulator.restore(groups, &mut saved)?;
        }
        saved.done()
    }
}

#[cfg(test)]
mod tests;
