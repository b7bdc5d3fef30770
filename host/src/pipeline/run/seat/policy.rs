//! A call on a batch has failed: it is made again, or the rows at fault are found and set aside, or the run fails, as the stage's policy
//! says.

use std::{ops::Range, sync::Arc};

use super::bisect::{Aside, Failed, Found, Tries, bisect};
use crate::{
    pipeline::{
        dead_letters::Letter,
        policy::{OnError, Then},
        run::{
            policy::Addressed,
            queue::Item,
            version::Version,
            worker::{Ended, Made, Part, Step, Worker},
        },
    },
    words::{
        batch::RecordBatch,
        call::CallError,
        observe::{Again, Export, SetAside},
        stage::Rejection,
        trace::SpanContext,
    },
};

/// A stage that is given batches, as far as a policy is concerned.
pub trait Taker {
    /// What it answers.
    type Answer;
    /// Which export that is.
    const EXPORT: Export;
    /// The thread that calls it.
    fn worker(&self) -> &Worker;
    /// Its version, and as the pipeline file refers to its component.
    fn version(&self) -> &Arc<Version>;
    /// Makes a call.
    fn call(&mut self, part: Part<'_>) -> Made<Self::Answer>;
    /// Something failed so: the next call needs an instance that can be called and knows what it knew before.
    fn recover(&mut self, error: &CallError) -> Result<(), CallError>;
    /// A part of a batch went well, and there may be more calls.
    fn went_on(&mut self) -> Result<(), CallError>;
    /// Answers for parts of a batch, each with its first row, as one.
    fn join(parts: Vec<(usize, Self::Answer)>) -> Result<Self::Answer, CallError>;
}

/// What goes on of a batch on which a call had failed, and the last call that went well; nothing where no row did.
pub type Saved<A> = Option<(A, SpanContext)>;

/// A failure on its way through the policy.
struct Handling<'a, T: Taker> {
    taker: &'a mut T,
    item: &'a Item,
    on_error: OnError,
    /// Calls that were made besides the first.
    calls: u64,
    why: Again,
    /// Rows of which it is known what becomes of them.
    settled: usize,
    last: SpanContext,
}

/// A call on a batch has failed in a way that does not end the run at once.
pub fn handle<T: Taker>(taker: &mut T, item: &Item, failed: Failed) -> Step<Saved<T::Answer>> {
    let on_error = taker.worker().policy.on_error();
    let last = failed.call;
    let mut handling = Handling { taker, item, on_error, calls: 0, why: Again::Retry, settled: 0, last };
    let saved = handling.through(failed)?;
    let Handling { taker, settled, last, .. } = handling;
    debug_assert_eq!(settled, item.batch.num_rows(), "what becomes of every row is known");
    taker.version().answered(item.trace.sequence);
    Ok(saved.map(|answer| (answer, last)))
}

impl<T: Taker> Handling<'_, T> {
    fn through(&mut self, failed: Failed) -> Step<Option<T::Answer>> {
        let rows = self.item.batch.num_rows();
        let failed = match self.retried(0..rows, failed)? {
            Ok(answer) => {
                self.taker.worker().policy.went_well();
                return Ok(Some(answer));
            }
            Err(failed) => failed,
        };
        if self.on_error.then == Then::Fail {
            return Err(self.fail(failed.error));
        }
        self.why = Again::Bisect;
        let budget = self.on_error.bisect;
        let Found { passed, aside, .. } = bisect(rows, failed, budget, self)?;
        let all_failed = passed.is_empty();
        self.set_aside(&aside)?;
        if all_failed {
            self.count_failure(aside)?;
            return Ok(None);
        }
        self.taker.worker().policy.went_well();
        T::join(passed).map(Some).map_err(|error| self.fail(error))
    }

    /// Makes a call again that may pass, as often as the policy says, and leaves an instance that can be called.
    fn retried(&mut self, rows: Range<usize>, mut failed: Failed) -> Step<Result<T::Answer, Failed>> {
        let mut retry = 0;
        loop {
            let error = &failed.error;
            if !(error.may_pass() || error.is_of_rows()) {
                return Err(self.fail(failed.error));
            }
            let over = !error.may_pass() || retry >= self.on_error.retry;
            // Where the run fails, nobody is called again.
            if (!over || self.on_error.then != Then::Fail)
                && let Err(worse) = self.taker.recover(error)
            {
                return Err(self.fail(error.clone().given_up(worse.to_string())));
            }
            if over {
                if retry > 0 {
                    failed.error = failed.error.given_up(format!("tried {} times", retry + 1));
                }
                return Ok(Err(failed));
            }
            let pause = self.on_error.pause(retry);
            if !self.taker.worker().control.pause(pause) {
                self.item.trace.throw_away();
                return Err(Ended);
            }
            retry += 1;
            match self.call(rows.clone(), Again::Retry) {
                Ok(answer) => return self.went_on(rows).map(|()| Ok(answer)),
                Err(again) => failed = again,
            }
        }
    }

    fn call(&mut self, rows: Range<usize>, again: Again) -> Result<T::Answer, Failed> {
        let all = rows.len() == self.item.batch.num_rows();
        let part = if all { Arc::clone(&self.item.batch) } else { Arc::new(self.item.batch.slice(rows.start, rows.len())) };
        self.calls += 1;
        let made = self.taker.call(Part { item: self.item, batch: &part, again });
        match made.outcome {
            Ok(answer) => {
                self.last = made.context;
                Ok(answer)
            }
            Err(error) => Err(Failed { error, call: made.context }),
        }
    }

    fn went_on(&mut self, rows: Range<usize>) -> Step<()> {
        self.settled += rows.len();
        self.taker.went_on().map_err(|error| self.fail(error))
    }

    /// Writes rows down, or counts them.
    fn set_aside(&mut self, aside: &[Aside]) -> Step<()> {
        let (item, then) = (self.item, self.on_error.then);
        let rows: usize = aside.iter().map(|aside| aside.rows.len()).sum();
        let Some(first) = aside.first() else { return Ok(()) };
        if then == Then::DeadLetter {
            let version = self.taker.version();
            let component = version.reference.to_string();
            let of = Addressed {
                input: item.input,
                batch: &item.batch,
                sequence: item.trace.sequence,
                component: &component,
                digest: version.digest,
                generation: version.generation,
            };
            let letter = |aside| -> Letter<'_> {
                let Aside { rows, failed }: &Aside = aside;
                Letter { rows: rows.clone(), error: &failed.error, call: failed.call }
            };
            let letters: Vec<_> = aside.iter().map(letter).collect();
            if let Err(error) = self.taker.worker().policy.write(&of, &letters) {
                return Err(self.fail(first.failed.error.clone().given_up(error.to_string())));
            }
        }
        let worker = self.taker.worker();
        worker.ledger.failed(rows as u64, then);
        self.settled += rows;
        item.trace.fail();
        worker.observer.set_aside(&SetAside {
            stage: worker.stage,
            how: if then == Then::DeadLetter { "dead_letter" } else { "skip" },
            rows: rows as u64,
            of: item.batch.num_rows() as u64,
            calls: self.calls,
            batch: &item.trace,
            call: first.failed.call,
            error: &first.failed.error,
        });
        Ok(())
    }

    /// No row went well: too often in a row, and the run fails.
    fn count_failure(&mut self, mut aside: Vec<Aside>) -> Step<()> {
        let failures = self.taker.worker().policy.failed();
        if failures < self.on_error.circuit || aside.is_empty() {
            return Ok(());
        }
        let last = aside.swap_remove(0).failed.error;
        Err(self.fail(last.given_up(format!("of {failures} batches in a row no row went well: the `circuit` ends the run"))))
    }

    /// Ends the run. What nothing became of has failed.
    fn fail(&self, error: CallError) -> Ended {
        let worker = self.taker.worker();
        worker.ledger.failed((self.item.batch.num_rows() - self.settled) as u64, Then::Fail);
        self.item.trace.fail();
        worker.fail(T::EXPORT.as_str(), Some(self.item.ticket), error)
    }
}

impl<T: Taker> Tries for Handling<'_, T> {
    type Answer = T::Answer;
    type Stop = Ended;

    fn attempt(&mut self, rows: Range<usize>) -> Step<Result<T::Answer, Failed>> {
        match self.call(rows.clone(), Again::Bisect) {
            Ok(answer) => self.went_on(rows).map(|()| Ok(answer)),
            Err(failed) => self.retried(rows, failed),
        }
    }
}

/// Rejections of a part of a batch as such of the batch.
pub fn moved(rejections: Vec<Rejection>, first: usize) -> impl Iterator<Item = Rejection> {
    rejections.into_iter().map(move |rejection| Rejection { row: rejection.row + first as u32, ..rejection })
}

/// Batches of one port as one.
pub fn together(batches: Vec<Arc<RecordBatch>>) -> Result<Arc<RecordBatch>, CallError> {
    match <[Arc<RecordBatch>; 1]>::try_from(batches) {
        Ok([batch]) => Ok(batch),
        Err(batches) => {
            let schema = batches.first().map(|batch| batch.schema()).unwrap_or_else(|| Arc::new(arrow::datatypes::Schema::empty()));
            let joined = arrow::compute::concat_batches(&schema, batches.iter().map(Arc::as_ref));
            joined.map(Arc::new).map_err(|error| CallError::Host(error.to_string()))
        }
    }
}
