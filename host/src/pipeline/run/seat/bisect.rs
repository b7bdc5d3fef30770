//! Finding the rows at fault: a batch on which a call fails is halved until they stand alone. With *k* of them among *n* rows that is
//! at most 2·k·(1 + log₂(n/k)) calls.

use std::ops::Range;

use crate::words::{call::CallError, trace::SpanContext};

/// A call that failed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Why.
    pub error: CallError,
    /// Its span.
    pub call: SpanContext,
}

/// Rows that cannot be taken.
#[derive(Clone, Debug)]
pub struct Aside {
    /// Which rows of the batch.
    pub rows: Range<usize>,
    /// The last call on them.
    pub failed: Failed,
}

/// Whoever makes the calls.
pub trait Tries {
    /// What a call that goes well answers.
    type Answer;
    /// Why there is no use in going on.
    type Stop;
    /// Makes a call on these rows of the batch.
    fn attempt(&mut self, rows: Range<usize>) -> Result<Result<Self::Answer, Failed>, Self::Stop>;
}

/// What was found.
pub struct Found<A> {
    /// Answers for the rows that went well, in their order, each with its first row.
    pub passed: Vec<(usize, A)>,
    /// The others, in their order.
    pub aside: Vec<Aside>,
    /// Calls that were made.
    pub calls: u64,
}

/// Halves a batch of so many rows, on which a call has failed. When the budget of calls is used up, what has failed is set aside as it
/// stands; what has not been tried yet, one range for each halving, is tried once.
pub fn bisect<T: Tries>(rows: usize, failed: Failed, budget: u64, tries: &mut T) -> Result<Found<T::Answer>, T::Stop> {
    let mut found = Found { passed: Vec::new(), aside: Vec::new(), calls: 0 };
    // Ranges that are left, the first on top, and why a call on them failed if one was made.
    let mut left = vec![(0..rows, Some(failed))];
    while let Some((range, failed)) = left.pop() {
        let failed = match failed {
            Some(failed) => failed,
            None => {
                found.calls += 1;
                match tries.attempt(range.clone())? {
                    Ok(answer) => {
                        found.passed.push((range.start, answer));
                        continue;
                    }
                    Err(failed) => failed,
                }
            }
        };
        if range.len() <= 1 || found.calls >= budget || !failed.error.is_of_rows() {
            found.aside.push(Aside { rows: range, failed });
            continue;
        }
        let middle = range.start + range.len() / 2;
        left.push((middle..range.end, None));
        left.push((range.start..middle, None));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, convert::Infallible};

    use super::*;

    /// Fails where one of these rows is among those that it is given.
    struct Poisoned(BTreeSet<usize>);

    impl Tries for Poisoned {
        type Answer = Range<usize>;
        type Stop = Infallible;

        fn attempt(&mut self, rows: Range<usize>) -> Result<Result<Range<usize>, Failed>, Infallible> {
            Ok(if self.0.range(rows.clone()).next().is_some() { Err(failed()) } else { Ok(rows) })
        }
    }

    fn failed() -> Failed {
        Failed { error: CallError::Malformed("on purpose".into()), call: SpanContext::root(false) }
    }

    fn found(rows: usize, poison: impl IntoIterator<Item = usize>, budget: u64) -> Found<Range<usize>> {
        let Ok(found) = bisect(rows, failed(), budget, &mut Poisoned(poison.into_iter().collect()));
        found
    }

    fn alone(found: &Found<Range<usize>>) -> Vec<usize> {
        found.aside.iter().filter(|aside| aside.rows.len() == 1).map(|aside| aside.rows.start).collect()
    }

    /// Protects every row: each is in exactly one place, in order, and only those at fault are set aside, within the bound on calls.
    #[test]
    fn exactly_the_rows_at_fault_are_set_aside() {
        for rows in [1, 2, 3, 7, 100, 8_192] {
            for every in [1, 2, 3, 10, 1_000, 8_191] {
                let poison: Vec<usize> = (0..rows).filter(|row| row % every == every - 1).collect();
                if poison.is_empty() {
                    continue;
                }
                let found = found(rows, poison.clone(), u64::MAX);
                assert_eq!(alone(&found), poison, "{rows} rows, every {every}");
                assert!(found.passed.is_sorted_by_key(|(at, _)| *at) && found.passed.iter().all(|(at, range)| *at == range.start));
                let passed: usize = found.passed.iter().map(|(_, range)| range.len()).sum();
                assert_eq!(passed + poison.len(), rows);
                let (n, k) = (rows as f64, poison.len() as f64);
                assert!(found.calls as f64 <= 2.0 * k * (1.0 + (n / k).log2().ceil()), "{} calls: {rows} rows, every {every}", found.calls);
            }
        }
    }

    /// Protects the machine against a batch of which no row goes well.
    #[test]
    fn a_batch_of_poison_is_given_up() {
        let found = found(8_192, 0..8_192, 100);
        assert!(found.passed.is_empty() && (100..=113).contains(&found.calls), "{}", found.calls);
        let aside: usize = found.aside.iter().map(|aside| aside.rows.len()).sum();
        assert_eq!(aside, 8_192, "every row is accounted for");
        assert!(found.aside.windows(2).all(|pair| pair[0].rows.end == pair[1].rows.start), "in order");
    }

    /// Protects what has not been tried when the budget is used up: it is tried once, and goes well.
    #[test]
    fn what_was_not_tried_is_not_condemned() {
        let found = found(1_024, 0..20, 12);
        let aside: usize = found.aside.iter().map(|aside| aside.rows.len()).sum();
        assert!((20..200).contains(&aside), "{aside} rows are set aside");
        assert!(found.passed.iter().map(|(_, range)| range.len()).sum::<usize>() + aside == 1_024);
    }

    #[test]
    fn without_a_budget_nothing_is_halved() {
        let found = found(100, [50], 0);
        assert_eq!((found.calls, found.aside.len(), found.aside[0].rows.clone()), (0, 1, 0..100));
    }
}
