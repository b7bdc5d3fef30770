//! Floor 0b: what times say, and what they do not. It knows nothing of what is measured.
//!
//! A time on a machine that does other things as well is a true cost and something on top. So nothing here believes one time:
//! - arms are *interleaved*: what disturbs one disturbs its neighbours, too, and a slow minute slows all of them ([`Rounds`]);
//! - a figure is a *median*, with the interval that a bootstrap of the rounds gives it ([`Estimate`]);
//! - a comparison stands beside the *control*: the same arm once more. Where two that are the same seem to differ by some percent, no
//!   other difference of as much is told ([`Comparison`]);
//! - what depends on rows is a *fit*: cost = call + row × rows, both with their intervals ([`Fit`]).

mod comparison;
mod estimate;
mod fit;
mod random;
mod rounds;

pub use comparison::{Comparison, Verdict, floor};
pub use estimate::{Estimate, Interval, median};
pub use fit::{Fit, Line, fit};
pub use random::Random;
pub use rounds::Rounds;

#[cfg(test)]
mod tests;
