//! What a new version may do wrong, from a batch on: for tests of trials and rollbacks.

use parshall_sdk::prelude::*;

/// What it does wrong.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Nothing.
    #[default]
    Nothing,
    /// It traps.
    Trap,
    /// It answers an error.
    Error,
    /// It rejects all rows.
    Reject,
    /// It computes for no reason.
    Spin,
    /// It allocates for no reason.
    Hoard,
    /// It traps in `finish`.
    TrapAtEnd,
    /// It traps in `snapshot`.
    TrapInSnapshot,
    /// It cannot be opened with a state.
    RefuseState,
}

/// In the configuration of a stage.
#[derive(Clone, Copy, Default, Deserialize)]
pub struct Misbehaviour {
    /// What it does wrong.
    #[serde(default)]
    pub misbehave: What,
    /// Batches that it does well.
    #[serde(default)]
    pub after: u64,
}

/// A misbehaviour that waits for its batch.
#[derive(Default)]
pub struct Fuse {
    how: Misbehaviour,
    seen: u64,
    hoard: Vec<u8>,
}

impl Fuse {
    /// Of a configuration.
    pub fn new(how: Misbehaviour) -> Self {
        Fuse { how, ..Fuse::default() }
    }

    /// Whether this is what it does wrong, whenever that may be.
    pub fn is(&self, what: What) -> bool {
        self.how.misbehave == what
    }

    /// A batch comes by: traps, fails, or answers whether all its rows are to be rejected.
    pub fn batch(&mut self) -> Result<bool, StageError> {
        self.seen += 1;
        if self.seen <= self.how.after {
            return Ok(false);
        }
        match self.how.misbehave {
            What::Trap => panic!("misbehaves"),
            What::Error => return Err(StageError::Internal("misbehaves".into())),
            What::Reject => return Ok(true),
            What::Spin => {
                let sum = (0..2_000_000_u64).fold(0, |sum: u64, number| core::hint::black_box(sum.wrapping_mul(31) ^ number));
                core::hint::black_box(sum);
            }
            What::Hoard => self.hoard.resize(self.hoard.len().max(8 << 20), 1),
            _ => {}
        }
        Ok(false)
    }
}

/// Every row rejected.
pub fn reject_all(frame: &Frame) -> Answer {
    Answer::nothing().rejecting((0..frame.rows() as u32).map(|row| Rejection { row, reason: "misbehaves".into() }).collect())
}
