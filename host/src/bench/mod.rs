//! Floor 2b: what metering and watching cost a stage, on rows of the user's own. The same calls are made with more and more around
//! them ([`Rung`]), interleaved, beside a control: `parshall bench`, and the bench `ladder`.
//!
//! ```text
//! plan ── capture: rows that reach each transform ── rows: batches of a size ──► arms: one a rung ──► measure ──► Report
//! ```

mod arm;
mod capture;
mod ladder;
mod report;
mod rows;
mod rung;
mod versus;
pub mod watch;

pub use arm::{Arm, Failed, Turns};
pub use capture::{Captured, capture};
pub use ladder::{Ladder, Load, NoLadder, Settings};
pub use report::{Machine, Report, RungReport, SizeReport, StageReport, Total};
pub use rows::{Batches, batches};
pub use rung::Rung;
pub use versus::{Difference, Versus, versus};
